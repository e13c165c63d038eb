"""The recurrent cell written down plainly in NumPy, in double precision, from its definition."""

import numpy as np


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


FUNCTIONS = (np.tanh, lambda x: np.maximum(x, 0.0), sigmoid, lambda x: x)


def step(x, state, input_kernel, node_kernels, architecture, cell_output, node_mask=1.0):
    """The new state [batch, hidden] after one word."""
    both = np.concatenate([x, state * node_mask], axis=1) @ input_kernel
    h, t = np.split(both, 2, axis=1)
    values = [state + sigmoid(t) * (np.tanh(h) - state)]
    for node, kernel in zip(architecture.nodes, node_kernels, strict=True):
        source = values[node.previous]
        h, t = np.split((source * node_mask) @ kernel, 2, axis=1)
        values.append(source + sigmoid(t) * (FUNCTIONS[node.function](h) - source))
    read = {node.previous for node in architecture.nodes}
    computed = range(1, len(values))
    loose = [node for node in computed if node not in read]
    return np.mean([values[n] for n in (loose if cell_output == "loose_ends" else computed)], 0)


def states_of(inputs, state, *weights, **options):
    """All states, [time, batch, hidden], of inputs of that shape."""
    states = []
    for x in inputs:
        state = step(x, state, *weights, **options)
        states.append(state)
    return np.stack(states)


def cross_entropies(states, embedding, targets):
    """Of the words [batch, time] that follow, in nats."""
    logits = np.einsum("tbh,vh->btv", states, embedding)
    logits = logits - logits.max(axis=-1, keepdims=True)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -np.take_along_axis(log_probabilities, targets[..., None], axis=-1)[..., 0]


def objective(weights, batch, state, architecture, regularization, masks, cell_output):
    """What training minimises, summed over the rows; weights by name."""
    embedding = weights["embedding"]
    tokens = batch.tokens.T
    inputs = embedding[tokens] * masks.words[tokens][:, :, None] * masks.inputs
    states = states_of(
        inputs,
        state * batch.carry[:, None],
        weights["input_kernel"],
        weights["node_kernels"],
        architecture,
        cell_output,
        node_mask=masks.nodes,
    )
    rows = len(state)
    losses = cross_entropies(states * masks.outputs, embedding, batch.targets)
    slowness = np.mean(np.square(states[1:] - states[:-1])) if len(states) > 1 else 0.0
    return (
        losses.mean(axis=1).sum()
        + rows * regularization.slowness_penalty * slowness
        + rows * regularization.activation_penalty * np.mean(np.square(states))
    )
