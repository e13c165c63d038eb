"""The derived network: one macro architecture as a plain Keras model.

`network_layers.py` has its layers, and their names.
"""

from collections.abc import Sequence

import keras

from enas_tf.spaces.images.network_builder import NetworkBuilder
from enas_tf.spaces.images.network_form import NetworkForm
from enas_tf.spaces.images.space import check_input_shape
from enas_tf.spaces.macro.architecture import AnyMacroArchitecture
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.macro.network_layers import add_macro_network


def build_macro_network(
    architecture: AnyMacroArchitecture,
    config: MacroNetworkConfig,
    *,
    input_shape: Sequence[int],
    num_classes: int,
    portable: bool = True,
    seed: int = 0,
) -> keras.Model:
    """Returns the network of one architecture with fresh weights.

    With `config.merge == "concatenate"` this is the release's final form: ReLU, convolution and
    batch normalisation in this order; skip connections are concatenated with the layer's output and
    projected by a 1 x 1 convolution, also where there are none. With `"add"` it is the supernet's
    form: convolution, batch normalisation, ReLU; skip connections are added to the output, and the
    sum is normalised.

    Kept tensors that no later layer reads are not reduced (the release reduces them for nothing).

    Args:
      architecture: any macro architecture.
      config: width, form and dropout.
      input_shape: height, width and channels of a picture.
      num_classes: number of classes.
      portable: only stock Keras layers, so that a saved model loads without this package; False:
        the same network with this package's faster layers and resumable dropout, for training.
      seed: of the initial weights (He-normal) and of dropout.

    Returns:
      A functional model from normalised float32 pictures `[batch, height, width, channels]` to
      logits `[batch, num_classes]`.

    Raises:
      ConfigurationError: the sizes do not fit together.
    """
    check_input_shape(input_shape)
    inputs = keras.Input(tuple(input_shape), name="images")
    builder = NetworkBuilder(portable=portable, seed=seed)
    outputs = add_macro_network(builder, inputs, architecture, config, num_classes)
    return keras.Model(inputs, outputs, name="macro_network")


FORM = NetworkForm(build_macro_network)
