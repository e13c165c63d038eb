import tensorflow as tf

from enas_tf.spaces.attention import AttentionController, DecisionHead
from tests.conformance.chain.architecture import ChainOperation
from tests.conformance.chain.space import ChainDecisions


class ChainController(AttentionController):
    def __init__(self, space, seed=0):
        super().__init__(space, seed, name="chain_controller")
        size = space.controller.lstm_size
        self.head = DecisionHead(size, len(ChainOperation), self.uniform, name="operation")

    def unroll(self, decisions, seed, exploration):
        batch_size = tf.shape(decisions.operations)[0]
        progress = self.start(seed, exploration, batch_size, num_places=1)
        choices = []
        for layer in range(self.space.num_layers):
            progress, hidden = self.step(progress)
            logits = self.squash(self.head(hidden))
            progress, choice = progress.decide(logits, decisions.operations[:, layer])
            progress = progress._replace(input=self.head.embed(choice))
            choices.append(choice)
        return self.outcome(progress, ChainDecisions(tf.stack(choices, axis=1)))
