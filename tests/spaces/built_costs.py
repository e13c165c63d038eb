"""What a built network costs, counted in its Keras layers."""

import math

import keras

from enas_tf.layers.factorized_reduction import FactorizedReduction
from enas_tf.spaces.costs import Costs
from enas_tf.spaces.rnn.network import LanguageModel


def built_costs(network):
    trained = sum(math.prod(weight.shape) for weight in network.trainable_variables)
    if isinstance(network, LanguageModel):
        # Every kernel meets one vector for a word; biases are vectors.
        products = sum(math.prod(w.shape) for w in network.trainable_variables if len(w.shape) > 1)
        return Costs(trained, network.count_params(), products)
    moving = sum(
        math.prod(weight.shape)
        for weight in network.non_trainable_variables
        if weight.name.startswith("moving")
    )
    return Costs(trained, trained + moving, sum(map(_products, network.layers)))


def _products(layer):
    """Every number of a kernel is used once at every position of the layer's output."""
    if isinstance(layer, (keras.layers.SeparableConv2D, keras.layers.Conv2D, keras.layers.Dense)):
        # Biases are added.
        kernels = [weight for weight in layer.weights if len(weight.shape) > 1]
    elif isinstance(layer, FactorizedReduction):
        kernels = [layer.path_1, layer.path_2]
    else:
        return 0
    positions = math.prod(layer.output.shape[1:-1])
    return positions * sum(math.prod(kernel.shape) for kernel in kernels)
