"""Lists the layers of a network of an image space, without building it.

Nothing here imports TensorFlow.
"""

import collections
import inspect
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from enas_tf.spaces.images.layer_counter import Counted, LayerCounter
from enas_tf.spaces.images.network_layers import Features, NetworkLayers, Result

# What a network takes however few layers it has: that it is called.
CALL = "call"


class Layer(NamedTuple):
    """A kind of layer; layers of one kind differ in nothing but weights and names.

    Attributes:
      kind: name of the method of `NetworkLayers` that adds it, or `CALL`.
      shapes: of what it reads, without the batch.
      options: the other arguments of the method, but for the name, by name.
    """

    kind: str
    shapes: tuple[tuple[int, ...], ...]
    options: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        shapes = " + ".join("x".join(map(str, shape)) for shape in self.shapes)
        options = (f"{name}={getattr(value, 'label', value)}" for name, value in self.options)
        return " ".join([self.kind, shapes, *options])


class LayerList(LayerCounter):
    """Collects layers of a network for use, in which dropout does nothing.

    Args:
      input_shape: height, width and channels of a picture.

    Attributes:
      layers: how often each layer is there.
    """

    def __init__(self, input_shape: Sequence[int]) -> None:
        super().__init__(input_shape)
        self.layers = collections.Counter([Layer(CALL, (tuple(input_shape),))])
        self._rectified: dict[int, tuple[Features, Features]] = {}

    def alike(self, kind: Hashable, part: Callable[[], Result]) -> Result:
        """Adds every part."""
        del kind
        return part()

    def unread(self, part: Callable[[], Result]) -> Result:
        """Does not list the part."""
        # A ReLU that is there already may be read by others later, and counts then.
        before = self.layers.copy(), self._rectified.copy()
        result = part()
        self.layers, self._rectified = before
        return result

    def relu(self, inputs: Features, name: str) -> Features:
        """See `NetworkLayers`."""
        if id(inputs) not in self._rectified:
            self.layers[Layer("relu", (tuple(inputs.shape[1:]),))] += 1
            self._rectified[id(inputs)] = inputs, Counted(inputs.shape)
        return self._rectified[id(inputs)][1]


def _listed(kind: str) -> Callable[..., Features]:
    """Returns the method of `LayerCounter` that also lists the layer."""
    count = getattr(LayerCounter, kind)
    signature = inspect.signature(getattr(NetworkLayers, kind))

    def method(self: LayerList, *args: Any, **keywords: Any) -> Features:
        bound = signature.bind(self, *args, **keywords)
        bound.apply_defaults()
        _, inputs, *options = bound.arguments.items()
        read = inputs[1] if inputs[0] == "tensors" else [inputs[1]]
        if kind == "concatenated" and len(read) == 1:
            return read[0]
        before = self.layers.copy()
        result = count(self, *args, **keywords)
        # Without the parts of the layer.
        self.layers = before
        shapes = tuple(tuple(one.shape[1:]) for one in read)
        self.layers[Layer(kind, shapes, tuple(o for o in options if o[0] != "name"))] += 1
        # Of its own, since ReLUs ask whether they read the same.
        return Counted(tuple(result.shape))

    return method


for _kind in (
    "convolution",
    "separable_convolution",
    "pooling",
    "own_layer",
    "window_average",
    "global_average",
    "normalization",
    "concatenated",
    "added",
    "factorized_reduction",
    "classifier",
):
    setattr(LayerList, _kind, _listed(_kind))
