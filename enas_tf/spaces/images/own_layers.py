"""Layers of users' own operations: made, checked, counted, and run with the weights of banks."""

import contextlib
import functools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from enas_tf.environment.keras_settings import under_own_settings
from enas_tf.errors import ConfigurationError, EnasError
from enas_tf.spaces.operations import OwnOperation

# Sides that tell whether a layer keeps them, or halves them rounded up.
_SIDES = (8, 5)


class OwnCosts(NamedTuple):
    """What a layer of an operation costs.

    Attributes:
      parameters: all are trained.
      multiply_adds: of one picture, in the convolutions and matrix products of its graph.
    """

    parameters: int
    multiply_adds: int


def add_own_layer(
    operation: OwnOperation,
    inputs: keras.KerasTensor,
    filters: int,
    strides: int,
    name: str,
    seed: int,
) -> keras.KerasTensor:
    """Adds a new layer of an operation to a functional model.

    Args:
      operation: makes the layer.
      inputs: pictures `[batch, height, width, filters]`.
      filters: channels of the output.
      strides: 1 or 2.
      name: of the layer.
      seed: of the initial weights that have no seed of their own.

    Raises:
      ConfigurationError: making or calling the layer fails, its output has another shape than it
        must have, or it has variables that are not trained.
    """
    return _added(operation, inputs, filters, strides, name, seed)[1]


def _added(
    operation: OwnOperation,
    inputs: keras.KerasTensor,
    filters: int,
    strides: int,
    name: str | None = None,
    seed: int = 0,
) -> tuple[keras.layers.Layer, keras.KerasTensor]:
    what = f"The operation {operation.label}, asked for filters={filters} and strides={strides},"
    with _failing(what), _seeded(seed):
        layer = operation.layer(filters, strides)
        if not isinstance(layer, keras.layers.Layer):
            raise ConfigurationError(
                f"{what} must return a Keras layer. Received: {type(layer).__name__} {layer!r:.60}."
            )
        if name is not None:
            layer.name = name
        outputs = layer(inputs)
    _, *sides, _ = inputs.shape
    expected = (None, *(side and -(-side // strides) for side in sides), filters)
    shape = getattr(outputs, "shape", None)
    if shape is None or tuple(shape) != expected:
        raise ConfigurationError(
            f"{what} must make {expected[1:]} of {tuple(inputs.shape[1:])}: height, width and "
            f"channels. Received: {tuple(shape[1:]) if shape else type(outputs).__name__}."
        )
    trained = {id(variable) for variable in layer.trainable_variables}
    others = [one.path for one in layer.variables if id(one) not in trained]
    if others:
        raise ConfigurationError(
            f"{what} has variables that are not trained ({', '.join(others)}). Leave batch "
            "normalisation out, since what has weights is normalised behind it, and what draws at "
            "random, as dropout does."
        )
    return layer, outputs


class OwnLayer:
    """The layer of an operation as a function of its weights, which come from banks.

    It keeps height and width, whatever they are. Nothing follows its own variables. It computes in
    float32 whatever the type of the pictures, since nobody knows what else it can.

    Args:
      operation: makes the layer.
      filters: channels of what it reads and returns.

    Attributes:
      shapes: of its weights; empty if there are none.
    """

    @under_own_settings
    def __init__(self, operation: OwnOperation, filters: int) -> None:
        self.operation = operation
        self.filters = filters
        # The weights must not depend on the sides, which differ between the layers of a bank.
        self._layer, _ = _added(operation, keras.Input((None, None, filters)), filters, 1)
        _added(operation, keras.Input((*_SIDES, filters)), filters, 1)
        self.shapes = [tuple(weight.shape) for weight in self._layer.trainable_variables]

    @under_own_settings
    def initial_values(self, seeds: Sequence[int]) -> list[np.ndarray]:
        """Returns new values of each weight, `[len(seeds), …]`."""
        inputs = keras.Input((None, None, self.filters))
        layers = [_added(self.operation, inputs, self.filters, 1, seed=s)[0] for s in seeds]
        return [
            np.stack([weight.numpy() for weight in weights])
            for weights in zip(*(layer.trainable_variables for layer in layers))
        ]

    def __call__(self, inputs: tf.Tensor, weights: Sequence[tf.Tensor] = ()) -> tf.Tensor:
        """Runs the layer.

        Args:
          inputs: `[batch, height, width, filters]`.
          weights: of the shapes in `shapes`.
        """
        pictures = tf.cast(inputs, tf.float32)
        outputs, _ = self._layer.stateless_call(list(weights), [], pictures)
        return tf.cast(tf.ensure_shape(outputs, inputs.shape), inputs.dtype)


def own_costs(
    operation: OwnOperation, shape: Sequence[int], filters: int, strides: int
) -> OwnCosts:
    """Returns what a layer costs; it is built once.

    Args:
      operation: makes the layer.
      shape: height, width and channels of what it reads.
      filters: channels of what it returns.
      strides: 1 or 2.
    """
    return _costs(operation.layer, operation.label, tuple(shape), filters, strides)


@functools.cache
def _costs(
    factory: Callable[[int, int], Any],
    label: str,
    shape: tuple[int, ...],
    filters: int,
    strides: int,
) -> OwnCosts:
    operation = OwnOperation(label, factory)
    layer, _ = under_own_settings(_added)(operation, keras.Input(shape), filters, strides)
    picture = tf.TensorSpec([1, *shape], tf.float32)
    graph = tf.function(layer, autograph=False).get_concrete_function(picture).graph
    return OwnCosts(layer.count_params(), sum(map(_products, graph.get_operations())))


def _products(node: tf.Operation) -> int:
    """Returns the multiply-adds of an operation of a graph; 0 if it is no product."""
    if node.type in ("Conv2D", "DepthwiseConv2dNative"):
        *window, channels, _ = node.inputs[1].shape
        outputs = node.outputs[0]
        if node.inputs[0].op.type == "SpaceToBatchND":
            # A dilated one, of a picture that was taken apart and padded.
            (outputs,) = (o for one in outputs.consumers() for o in one.outputs)
        per_output = math.prod(window) * (channels if node.type == "Conv2D" else 1)
        return per_output * math.prod(outputs.shape)
    if node.type in ("MatMul", "BatchMatMulV2"):
        first = node.inputs[0].shape
        transposed = node.get_attr("transpose_a" if node.type == "MatMul" else "adj_x")
        return first[-2 if transposed else -1] * math.prod(node.outputs[0].shape)
    if node.type == "Einsum":
        terms = node.get_attr("equation").decode().partition("->")[0].split(",")
        sizes = {
            letter: size
            for term, tensor in zip(terms, node.inputs)
            for letter, size in zip(term, tensor.shape)
        }
        return math.prod(sizes.values())
    return 0


@contextlib.contextmanager
def _failing(what: str) -> Iterator[None]:
    """Says in one line what the user's function or layer raises, whatever that is."""
    try:
        yield
    except EnasError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(
            f"{what} cannot be built: {type(error).__name__}: {reason:.300}"
        ) from error


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Gives what is drawn without a seed inside, as Keras's initializers do, this one."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
