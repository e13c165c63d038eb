"""Measures how long layers and networks take on this machine, for one picture.

On a CPU that is processor time: on one thread what an idle machine takes, and nearly the same on a
busy one, on which searches run. On a GPU it is the time that passes. Of many calls the shortest
counts, since whatever comes in between only adds to it.
"""

import time
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from enas_tf.spaces.images.layer_list import CALL, Layer
from enas_tf.spaces.images.network_builder import NetworkBuilder

# Of one layer in the function that is measured; what a call takes is left out by a difference.
_COPIES = 12
_CALLS = 200


def layer_latency(layer: Layer) -> float:
    """Returns the milliseconds that one layer takes in the graph of a network, for one picture.

    Args:
      layer: what is measured, with random weights.
    """
    inputs = [tf.random.stateless_uniform([1, *shape], [0, 1]) for shape in layer.shapes]
    if layer.kind == CALL:
        return _milliseconds([tf.function(tf.identity, autograph=False)], inputs)[0]
    # Each with weights of its own, as in a network, which are not all in the fastest memory.
    models = [_model(layer) for _ in range(1 + _COPIES)]
    once, often = _milliseconds([_in_turn(models[:1]), _in_turn(models)], inputs)
    return max(0.0, (often - once) / _COPIES)


def network_latency(network: keras.Model) -> float:
    """Returns the milliseconds that a network takes for one picture, in a graph of its own.

    Args:
      network: from normalised pictures to logits.
    """
    picture = tf.random.stateless_uniform([1, *network.input.shape[1:]], [0, 1])
    function = tf.function(lambda images: network(images, training=False), autograph=False)
    return _milliseconds([function], [picture])[0]


def _model(layer: Layer) -> keras.Model:
    inputs = [keras.Input(shape) for shape in layer.shapes]
    is_list = layer.kind in ("concatenated", "added")
    add = getattr(NetworkBuilder(portable=True, seed=0), layer.kind)
    outputs = add(inputs if is_list else inputs[0], name="layer", **dict(layer.options))
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs)


def _in_turn(models: Sequence[keras.Model]) -> Any:
    """Returns a function that runs some models on the same inputs, one after the other."""

    def run(*inputs: tf.Tensor) -> list[tf.Tensor]:
        outputs: list[tf.Tensor] = []
        for model in models:
            # Neither at once, nor once for all; what is not returned would not be computed.
            with tf.control_dependencies(outputs[-1:]):
                tensors = list(map(tf.identity, inputs))
                outputs.append(model(tensors if len(tensors) > 1 else tensors[0], training=False))
        return outputs

    return tf.function(run, autograph=False)


def _milliseconds(functions: Sequence[Any], inputs: Sequence[tf.Tensor]) -> list[float]:
    """Returns the shortest time of a call of each function."""
    clock = time.perf_counter if tf.config.list_logical_devices("GPU") else time.process_time
    shortest = [float("inf")] * len(functions)
    for _ in range(_CALLS):
        for place, function in enumerate(functions):
            start = clock()
            outputs = function(*inputs)
            tf.nest.map_structure(lambda tensor: tensor.numpy(), outputs)
            # The first calls, in which it is traced and made faster, are never the shortest.
            shortest[place] = min(shortest[place], clock() - start)
    return [1000 * seconds for seconds in shortest]
