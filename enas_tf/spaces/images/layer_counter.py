"""Counts what the network of an image space costs, layer by layer.

Nothing here imports TensorFlow.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from enas_tf.spaces.costs import Costs
from enas_tf.spaces.images.network_layers import EPSILON, Features, NetworkLayers, Result
from enas_tf.spaces.operations import Operation, OwnOperation


class Counted(NamedTuple):
    """Features of which only the shape is known.

    Attributes:
      shape: as that of a Keras tensor.
    """

    shape: tuple[int | None, ...]


class LayerCounter(NetworkLayers):
    """Adds up what layers cost.

    Args:
      input_shape: height, width and channels of a picture.
      portable: leaves out what only training needs: the auxiliary head.

    Attributes:
      images: the pictures, of which only the shape is known.
    """

    def __init__(self, input_shape: Sequence[int], *, portable: bool = True) -> None:
        self.images = Counted((None, *input_shape))
        self.portable = portable
        self._kernels = self._normalized_channels = self._multiply_adds = 0
        self._known: dict[Hashable, tuple[Any, tuple[int, ...]]] = {}

    @property
    def costs(self) -> Costs:
        """What all layers so far cost."""
        trained = self._kernels + 2 * self._normalized_channels
        return Costs(trained, trained + 2 * self._normalized_channels, self._multiply_adds)

    def _products(self, kernel: int, positions: int = 1) -> None:
        """Counts a kernel, each number of which is used once at every position."""
        self._kernels += kernel
        self._multiply_adds += kernel * positions

    def alike(self, kind: Hashable, part: Callable[[], Result]) -> Result:
        """Counts the first part of a kind; the others cost the same."""
        before = self._counts
        if kind not in self._known:
            result = part()
            self._known[kind] = result, tuple(new - old for new, old in zip(self._counts, before))
            return result
        result, costs = self._known[kind]
        self._counts = tuple(old + more for old, more in zip(before, costs))
        return result

    def unread(self, part: Callable[[], Result]) -> Result:
        """Does not count the part."""
        before = self._counts
        result = part()
        self._counts = before
        return result

    @property
    def _counts(self) -> tuple[int, ...]:
        return self._kernels, self._normalized_channels, self._multiply_adds

    @_counts.setter
    def _counts(self, counts: tuple[int, ...]) -> None:
        self._kernels, self._normalized_channels, self._multiply_adds = counts

    def convolution(
        self,
        inputs: Features,
        filters: int,
        size: int | tuple[int, int],
        name: str,
        padding: str = "same",
        strides: int = 1,
    ) -> Counted:
        """See `NetworkLayers`."""
        _, height, width, channels = _strided(inputs, strides)
        rows, columns = (size, size) if isinstance(size, int) else size
        if padding == "valid":
            height, width = height - rows + 1, width - columns + 1
        self._products(rows * columns * channels * filters, height * width)
        return Counted((None, height, width, filters))

    def separable_convolution(
        self,
        inputs: Features,
        filters: int,
        size: int,
        name: str,
        strides: int = 1,
        *,
        dilation: int = 1,
        centred: bool = False,
    ) -> Counted:
        """See `NetworkLayers`."""
        _, height, width, channels = _strided(inputs, strides)
        self._products(channels * (size * size + filters), height * width)
        return Counted((None, height, width, filters))

    def pooling(
        self,
        inputs: Features,
        operation: Operation,
        name: str,
        strides: int = 1,
        *,
        centred: bool = False,
    ) -> Counted:
        """See `NetworkLayers`."""
        return Counted(_strided(inputs, strides))

    def own_layer(
        self, inputs: Features, operation: OwnOperation, filters: int, name: str, strides: int = 1
    ) -> Counted:
        """See `NetworkLayers`."""
        from enas_tf.spaces.images.own_layers import own_costs

        parameters, multiply_adds = own_costs(operation, inputs.shape[1:], filters, strides)
        self._kernels += parameters
        self._multiply_adds += multiply_adds
        _, height, width, _ = _strided(inputs, strides)
        return Counted((None, height, width, filters))

    def window_average(
        self, inputs: Features, window: tuple[int, int], strides: int, name: str
    ) -> Counted:
        """See `NetworkLayers`."""
        _, *sides, channels = inputs.shape
        left = [(side - size) // strides + 1 for side, size in zip(sides, window)]
        return Counted((None, *left, channels))

    def global_average(self, inputs: Features, name: str) -> Counted:
        """See `NetworkLayers`."""
        return Counted((None, inputs.shape[-1]))

    def normalization(self, inputs: Features, name: str, epsilon: float = EPSILON) -> Features:
        """See `NetworkLayers`."""
        self._normalized_channels += inputs.shape[-1]
        return inputs

    def relu(self, inputs: Features, name: str) -> Features:
        """See `NetworkLayers`."""
        return inputs

    def concatenated(self, tensors: Sequence[Features], name: str) -> Counted:
        """See `NetworkLayers`."""
        return Counted((*tensors[0].shape[:-1], sum(tensor.shape[-1] for tensor in tensors)))

    def added(self, tensors: Sequence[Features], name: str) -> Features:
        """See `NetworkLayers`."""
        return tensors[0]

    def factorized_reduction(self, inputs: Features, filters: int, name: str) -> Features:
        """See `NetworkLayers`."""
        _, height, width, channels = _strided(inputs, 2)
        # Each of two paths has half of the filters.
        self._products(channels * filters, height * width)
        return self.normalization(Counted((None, height, width, filters)), name)

    def dropout(self, inputs: Features, rate: float, name: str) -> Features:
        """See `NetworkLayers`."""
        return inputs

    def classifier(
        self, inputs: Features, num_classes: int, name: str, *, use_bias: bool = False
    ) -> Counted:
        """See `NetworkLayers`."""
        self._products(inputs.shape[-1] * num_classes)
        if use_bias:
            # It is added, not multiplied.
            self._kernels += num_classes
        return Counted((None, num_classes))


def _strided(inputs: Features, strides: int) -> tuple[None, int, int, int]:
    """Returns the shape of what a layer with SAME padding and as many channels returns."""
    _, height, width, channels = inputs.shape
    return None, -(-height // strides), -(-width // strides), channels
