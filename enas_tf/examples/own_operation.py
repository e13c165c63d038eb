"""An operation of one's own, a dilated convolution, from a search to a served network.

```sh
python -m enas_tf.examples.own_operation
```

What it makes is in `runs/own_operation`. Commands know the operation by the flag
`--operations_module=enas_tf.examples.own_operation`.
"""

import pathlib

import keras
import tensorflow as tf

import enas_tf
from enas_tf.reporting.drawing import write_drawing


# Under the name that it is registered by, Keras finds the class when it reads a `.keras` file.
@keras.saving.register_keras_serializable(package="own_operation")
class DilatedConvolution(keras.layers.Layer):
    """A 3 x 3 convolution of every second pixel.

    Args:
      filters: channels of the output.
      strides: with 2, the output has every second pixel of every second row.
      **kwargs: of every Keras layer.
    """

    def __init__(self, filters, strides=1, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.strides = strides

    def build(self, input_shape):
        """Makes the kernel."""
        shape = (3, 3, input_shape[-1], self.filters)
        self.kernel = self.add_weight(shape, "he_normal", name="kernel")

    def call(self, inputs):
        """Returns pictures, `[batch, height / strides, width / strides, filters]`."""
        if self.strides == 2:
            # What it reads and what it keeps are every second pixel, the same ones.
            return keras.ops.conv(inputs[:, ::2, ::2], self.kernel, padding="same")
        return keras.ops.conv(inputs, self.kernel, padding="same", dilation_rate=2)

    def get_config(self):
        """Returns what a `.keras` file has to know."""
        return {**super().get_config(), "filters": self.filters, "strides": self.strides}


# A function of the filters and the stride, which makes a new layer at each call.
ATROUS = enas_tf.register_operation("atrous_3x3", DilatedConvolution)


def search(data, folder, space, epochs):
    """Searches networks in which the operation competes with others."""
    smoke = enas_tf.search_presets(space.name)["smoke"].search
    config = smoke.replace(
        warm_up=0.0,
        shared_weights=smoke.shared_weights.replace(epochs=epochs),
        policy=smoke.policy.replace(samples_per_update=2, updates_per_epoch=2),
        derive=smoke.derive.replace(num_candidates=3),
    )
    return enas_tf.search(space.for_data(data), data, config, folder)


def with_operation(architecture):
    """Returns a macro architecture whose first layer has the operation, whatever was found."""
    first, *others = architecture.layers
    first = type(first)(ATROUS, first.skip_connections)
    return enas_tf.MacroArchitecture((first, *others))


def main(folder="runs/own_operation", *, num_layers=3, epochs=4):
    """Runs all of it.

    Args:
      folder: of all that is made.
      num_layers: of the searched network.
      epochs: of the search, and of the final training.

    Returns:
      The probabilities of a few pictures by the trained model, the file that Keras reads, the
      SavedModel and the TFLite file.
    """
    folder = pathlib.Path(folder)
    data = enas_tf.load_images("digits")
    # Names of the space's operations may be shortened; one's own is named, or given as it is.
    operations = ("separable_3x3", "max_pooling", "identity", ATROUS)
    space = enas_tf.MacroSpace(num_layers=num_layers, filters=8, operations=operations)
    result = search(data, folder / "search", space, epochs)
    print(f"found {result.architecture.to_release_string()!r}")
    costs = space.for_data(data).costs(result.architecture)
    print(f"which costs {costs}")

    smoke = enas_tf.retrain_presets("macro")["smoke"]
    training = smoke.retrain.training.replace(epochs=epochs)
    architecture = with_operation(result.architecture)
    drawing = write_drawing(architecture, folder / "final.svg", input_shape=data.input_shape)
    print(f"drawn in {drawing}")
    model = enas_tf.retrain(
        architecture,
        data,
        smoke.retrain.replace(training=training),
        enas_tf.MacroNetworkConfig(filters=8),
        folder / "final",
    )
    print(f"test accuracy {enas_tf.evaluate(model, data).accuracy:.3f}")

    pictures = data.x_test[:8]
    reloaded = keras.models.load_model(folder / "final" / "model.keras")
    served = enas_tf.export(model, folder / "served", overwrite=True)
    saved_model = tf.saved_model.load(str(served))
    answer = saved_model.signatures["serving_default"](images=tf.constant(pictures))
    lite = enas_tf.export(model, folder / "model.tflite", format="tflite", overwrite=True)
    return {
        "model": tf.nn.softmax(model(pictures)).numpy(),
        "keras": tf.nn.softmax(reloaded(pictures)).numpy(),
        "saved_model": answer["probabilities"].numpy(),
        "tflite": _run_tflite(lite, pictures),
    }


def _run_tflite(path, pictures):
    interpreter = tf.lite.Interpreter(str(path))
    runner = interpreter.get_signature_runner("serving_default")
    return runner(images=pictures)["probabilities"]


if __name__ == "__main__":
    main()
