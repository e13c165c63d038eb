"""What the derived networks of all image spaces are made of, whoever makes it.

A space says once which layers its networks have, in terms of `NetworkLayers`. `NetworkBuilder`
makes Keras layers of it, `LayerCounter` counts what they cost.

Nothing here imports TensorFlow.
"""

import abc
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol, TypeVar

from enas_tf.spaces.operations import Operation, OwnOperation

EPSILON = 1e-5

Result = TypeVar("Result")


class Features(Protocol):
    """What goes from layer to layer; a `keras.KerasTensor` is one."""

    @property
    def shape(self) -> Any:
        """Batch, height, width and channels; or batch and features."""


class NetworkLayers(abc.ABC):
    """Layers of a network for pictures `[batch, height, width, channels]`.

    Attributes:
      portable: whether the network is for use, without what only training needs.
    """

    portable: bool

    @abc.abstractmethod
    def convolution(
        self,
        inputs: Features,
        filters: int,
        size: int | tuple[int, int],
        name: str,
        padding: str = "same",
        strides: int = 1,
    ) -> Features:
        """Convolution without a bias; its padding is `same`, or `valid` with stride 1."""

    @abc.abstractmethod
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
    ) -> Features:
        """Depthwise, then pointwise convolution with nothing in between; SAME padding, no bias.

        Args:
          inputs: what it reads.
          filters: channels of the output.
          size: height and width of the depthwise kernel.
          name: of the layer.
          strides: 1 or 2.
          dilation: distance of the pixels that the kernel reads, 1 or 2; with a stride at least 2,
            and then centred.
          centred: with stride 2 windows lie around pixels 0, 2, 4, …, as PyTorch's padding has it;
            TensorFlow's begins them there where sides are even.
        """

    @abc.abstractmethod
    def pooling(
        self,
        inputs: Features,
        operation: Operation,
        name: str,
        strides: int = 1,
        *,
        centred: bool = False,
    ) -> Features:
        """Pooling with SAME padding, which an average does not count.

        For `centred` see `separable_convolution`.
        """

    @abc.abstractmethod
    def own_layer(
        self, inputs: Features, operation: OwnOperation, filters: int, name: str, strides: int = 1
    ) -> Features:
        """The layer of an operation of the user's own, of as many filters as channels."""

    @abc.abstractmethod
    def window_average(
        self, inputs: Features, window: tuple[int, int], strides: int, name: str
    ) -> Features:
        """Averages `name_pooling` of all windows that lie inside the picture."""

    @abc.abstractmethod
    def global_average(self, inputs: Features, name: str) -> Features:
        """Average of the whole picture, `[batch, channels]`."""

    @abc.abstractmethod
    def normalization(self, inputs: Features, name: str, epsilon: float = EPSILON) -> Features:
        """Batch normalisation `name_normalization`."""

    @abc.abstractmethod
    def relu(self, inputs: Features, name: str) -> Features:
        """ReLU `name_relu`; a tensor that several operations read goes through it once.

        The layer has the name of the first of them.
        """

    @abc.abstractmethod
    def concatenated(self, tensors: Sequence[Features], name: str) -> Features:
        """Concatenation `name_concatenate` of the channels, if there is more than one tensor."""

    @abc.abstractmethod
    def added(self, tensors: Sequence[Features], name: str) -> Features:
        """Sum of at least two tensors."""

    @abc.abstractmethod
    def factorized_reduction(self, inputs: Features, filters: int, name: str) -> Features:
        """Halves the picture, sides rounded up; batch normalisation follows."""

    @abc.abstractmethod
    def dropout(self, inputs: Features, rate: float, name: str) -> Features:
        """Dropout in training."""

    @abc.abstractmethod
    def classifier(
        self, inputs: Features, num_classes: int, name: str, *, use_bias: bool = False
    ) -> Features:
        """Logits from features `[batch, features]`."""

    def alike(self, kind: Hashable, part: Callable[[], Result]) -> Result:
        """Returns what adding a part of the network returns.

        Args:
          kind: parts of the same kind differ in nothing but weights and names.
          part: adds the part.
        """
        del kind
        return part()

    def unread(self, part: Callable[[], Result]) -> Result:
        """Returns what adding a part of the network returns whose results lead to no output.

        A Keras model leaves such layers out.

        Args:
          part: adds the part.
        """
        return part()

    def normalized_convolution(
        self,
        inputs: Features,
        filters: int,
        size: int | tuple[int, int],
        name: str,
        padding: str = "same",
        strides: int = 1,
    ) -> Features:
        """Convolution and batch normalisation `name_normalization`."""
        outputs = self.convolution(inputs, filters, size, name, padding, strides)
        return self.normalization(outputs, name)

    def rectified_convolution(self, inputs: Features, filters: int, name: str) -> Features:
        """ReLU, 1 x 1 convolution, batch normalisation."""
        return self.normalized_convolution(self.relu(inputs, name), filters, 1, name)

    def own_operation(
        self, inputs: Features, operation: OwnOperation, filters: int, name: str, strides: int = 1
    ) -> Features:
        """The user's layer; if it has weights, between a ReLU and a batch normalisation."""
        if not self.has_weights(inputs, operation, filters, strides):
            return self.own_layer(inputs, operation, filters, name, strides)
        outputs = self.own_layer(self.relu(inputs, name), operation, filters, name, strides)
        return self.normalization(outputs, name)

    @staticmethod
    def has_weights(
        inputs: Features, operation: OwnOperation, filters: int, strides: int = 1
    ) -> bool:
        """Whether the layer of an operation of the user's own has any; this builds one, once."""
        from enas_tf.spaces.images.own_layers import own_costs

        return own_costs(operation, inputs.shape[1:], filters, strides).parameters > 0

    def head(
        self, inputs: Features, num_classes: int, dropout_rate: float, *, use_bias: bool = False
    ) -> Features:
        """Global average, dropout and the classifier."""
        outputs = self.dropout(self.global_average(inputs, "average"), dropout_rate, "dropout")
        return self.classifier(outputs, num_classes, "classifier", use_bias=use_bias)
