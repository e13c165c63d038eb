"""A step of the authors' algorithm on a recurrent cell, plainly in NumPy, in double precision.

Source: `rnn/architect.py` of quark0/darts. Derivatives are taken with a complex step: of a function
that is analytic where it is asked, the imaginary part of f(x + ih) / h is the derivative to the
last digit.
"""

import numpy as np

from tests.spaces.rnn.plain_cell import FUNCTIONS, cross_entropies, sigmoid

_STEP = 1e-30


def mixture(logits, permitted):
    """For each node a softmax over all pairs of an earlier node and a function."""
    exponentials = np.where(permitted, np.exp(logits), 0.0)
    return exponentials / exponentials.sum(axis=(-1, -2), keepdims=True)


def relaxed_states(inputs, state, input_kernel, banks, shares):
    """All states, [time, batch, hidden], of a cell whose new state is the mean of its nodes."""
    states = []
    for x in inputs:
        h, t = np.split(np.concatenate([x, state], axis=1) @ input_kernel, 2, axis=1)
        values = [state + sigmoid(t) * (np.tanh(h) - state)]
        for bank, own in zip(banks, shares):
            value = 0.0
            for earlier, source in enumerate(values):
                for number, function in enumerate(FUNCTIONS):
                    h, t = np.split(source @ bank[number, earlier], 2, axis=1)
                    step = source + sigmoid(t) * (function(h) - source)
                    value = value + own[earlier, number] * step
            values.append(value)
        state = np.mean(values[1:], axis=0)
        states.append(state)
    return np.stack(states)


def loss(weights, logits, batch, permitted, weight_decay=0.0):
    """Mean cross-entropy of a batch after a state of zeros, plus the decay of the matrices."""
    embedding, input_kernel, *banks = weights
    inputs = embedding[np.asarray(batch.tokens).T]
    state = np.zeros((inputs.shape[1], embedding.shape[1]))
    states = relaxed_states(inputs, state, input_kernel, banks, mixture(logits, permitted))
    entropies = cross_entropies(states, embedding, np.asarray(batch.targets))
    return entropies.mean() + weight_decay * sum(np.sum(one**2) for one in weights[1:])


def derivative(function, array):
    """The derivative of a function of an array with respect to all of its elements."""
    found = np.zeros(array.shape)
    for place in np.ndindex(array.shape):
        moved = array.astype(complex)
        moved[place] += _STEP * 1j
        found[place] = function(moved).imag / _STEP
    return found


def weight_gradients(function, weights):
    """The derivative of a function of a list of arrays with respect to all of them."""
    return [
        derivative(lambda own, n=n: function([*weights[:n], own, *weights[n + 1 :]]), weight)
        for n, weight in enumerate(weights)
    ]


def norm_of(arrays):
    return np.sqrt(sum(np.sum(one**2) for one in arrays))


def after_a_step(training, weights, logits, xi, clip_norm, held, momentum):
    """w′ = w − ξ (momentum · buffer + gradient), clipped unless the norm is 0."""
    gradients = weight_gradients(lambda own: training(own, logits), weights)
    scale = min(1.0, clip_norm / norm_of(gradients)) if clip_norm else 1.0
    return [
        weight - xi * (scale * gradient + momentum * buffer)
        for weight, gradient, buffer in zip(weights, gradients, held)
    ]


def second_order(training, validation, weights, logits, xi, **step):
    """The authors' gradient of α: equation 7, its last term by equation 8."""
    moved = after_a_step(training, weights, logits, xi, **step)
    direct = derivative(lambda own: validation(moved, own), logits)
    vector = weight_gradients(lambda own: validation(own, logits), moved)
    epsilon = 0.01 / norm_of(vector)
    above, below = (
        derivative(
            lambda own, sign=sign: training(
                [weight + sign * epsilon * v for weight, v in zip(weights, vector)], own
            ),
            logits,
        )
        for sign in (1.0, -1.0)
    )
    return direct - xi * (above - below) / (2.0 * epsilon)


def adam(logits, gradient, *, rate, betas, weight_decay):
    """The first step of torch.optim.Adam, whose weight decay is added to the gradient."""
    whole = gradient + weight_decay * logits
    first, second = (1.0 - betas[0]) * whole, (1.0 - betas[1]) * whole**2
    corrected = np.sqrt(second / (1.0 - betas[1])) + 1e-8
    return logits - rate * first / (1.0 - betas[0]) / corrected
