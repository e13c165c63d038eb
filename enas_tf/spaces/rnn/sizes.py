"""The sizes of a language model's weights, and what it costs.

Nothing here imports TensorFlow.
"""

import math

from enas_tf.spaces.costs import Costs
from enas_tf.spaces.rnn.architecture import LstmBaseline, RnnArchitecture


def kernel_shapes(num_nodes: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of a recurrent cell's weights by their names.

    Args:
      num_nodes: computed nodes of the cell.
      hidden_size: features of a word's embedding and of the state.
    """
    return {
        "input_kernel": (2 * hidden_size, 2 * hidden_size),
        "node_kernels": (num_nodes, hidden_size, 2 * hidden_size),
    }


def language_model_costs(
    architecture: RnnArchitecture | LstmBaseline, hidden_size: int, vocabulary_size: int
) -> Costs:
    """Returns what a language model costs; an example is one word.

    Args:
      architecture: any recurrent cell, or the LSTM.
      hidden_size: features of a word's embedding and of the state.
      vocabulary_size: number of words.
    """
    if isinstance(architecture, LstmBaseline):
        # Four gates read the word and the output, and have a bias.
        kernels, biases = 4 * 2 * hidden_size**2, 4 * hidden_size
    else:
        shapes = kernel_shapes(architecture.num_nodes, hidden_size).values()
        kernels, biases = sum(map(math.prod, shapes)), 0
    # Each number is used once for a word, those of the embedding in the logits.
    products = vocabulary_size * hidden_size + kernels
    return Costs(products + biases, products + biases, products)
