"""From pictures of one's own to a served network, in one minute on two cores.

```sh
python -m enas_tf.examples.own_data
```

Interrupt it and start it again: it goes on where it was. What it makes is in `runs/own_data`.
"""

import json
import pathlib
import subprocess
import sys

import keras
import numpy as np

import enas_tf

CLASSES = ("disc", "square", "cross")

# Runs in a process of its own, with TensorFlow alone, as in a server: without enas_tf.
PREDICT = """
import json, pathlib, sys
import numpy as np, tensorflow as tf

folder, pictures = pathlib.Path(sys.argv[1]), np.load(sys.argv[2])
model = tf.saved_model.load(str(folder))
answers = model.signatures["serving_default"](images=tf.constant(pictures))
names = (folder / "assets" / "label_names.txt").read_text().splitlines()
assert "enas_tf" not in sys.modules
print(json.dumps([names[number] for number in answers["classes"].numpy()]))
"""


def draw_pictures(count, seed, side=16):
    """Draws noisy discs, squares and crosses of random sizes at random places.

    Args:
      count: number of pictures.
      seed: of everything random.
      side: height and width in pixels.

    Returns:
      Pictures, uint8 `[count, side, side, 3]`, and labels, integers `[count]` from 0 to 2.
    """
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, len(CLASSES), count)
    rows, columns = np.mgrid[:side, :side]
    pictures = generator.integers(0, 80, (count, side, side, 3))
    for picture, label in zip(pictures, labels, strict=True):
        radius = generator.uniform(0.2, 0.35) * side
        middle = generator.uniform(radius, side - radius, 2)
        down, right = abs(rows - middle[0]), abs(columns - middle[1])
        inside = (
            np.hypot(down, right) < radius,
            np.maximum(down, right) < 0.85 * radius,
            (np.minimum(down, right) < 0.3 * radius) & (np.maximum(down, right) < radius),
        )[label]
        picture[inside] += generator.integers(60, 176, 3)
    return pictures.astype(np.uint8), labels


def load_data(num_pictures):
    """Makes a dataset of arrays; `ImageData.from_datasets` takes `tf.data` datasets likewise."""
    x_train, y_train = draw_pictures(num_pictures, seed=1)
    x_test, y_test = draw_pictures(num_pictures // 2, seed=2)
    return enas_tf.ImageData.from_arrays(
        x_train,
        y_train,
        x_test,
        y_test,
        label_names=CLASSES,
        # A fifth of the training pictures says how good an architecture is. Crosses stay crosses
        # when they are mirrored.
        config=enas_tf.DataConfig(validation_size=num_pictures // 5, flip=True),
    )


class EnoughIsEnough:
    """Ends a search when the score has not risen for some epochs; any function does."""

    def __init__(self, patience):
        self.patience = patience
        self.scores = []

    def __call__(self, metrics):
        """Takes the metrics of an epoch; an answer of True ends the search."""
        self.scores.append(metrics["shared_weights_validation_accuracy"])
        best = self.scores.index(max(self.scores))
        return len(self.scores) - 1 - best >= self.patience


def search(data, folder, num_layers, epochs):
    """Searches a small network for the data."""
    # What the data decide, the shape of a picture and the number of classes, `for_data` fills in.
    space = enas_tf.MacroSpace(num_layers=num_layers, filters=8, num_operations=4).for_data(data)
    # Presets are values; `replace` changes some settings, and a misspelt name is an error.
    smoke = enas_tf.search_presets("macro")["smoke"].search
    config = smoke.replace(
        shared_weights=smoke.shared_weights.replace(epochs=epochs, batch_size=32),
        policy=smoke.policy.replace(updates_per_epoch=5),
        derive=smoke.derive.replace(num_candidates=5),
    )
    return enas_tf.search(space, data, config, folder, on_epoch_end=EnoughIsEnough(patience=3))


def train(architecture, data, folder, epochs):
    """Trains the network that was found from scratch, on all training pictures."""
    smoke = enas_tf.retrain_presets("macro")["smoke"]
    return enas_tf.retrain(
        architecture,
        data,
        smoke.retrain.replace(training=smoke.retrain.training.replace(epochs=epochs)),
        enas_tf.MacroNetworkConfig(filters=12),
        folder,
    )


def predict_without_enas_tf(saved_model, pictures, folder):
    """Loads the exported model in a process of its own, with TensorFlow alone.

    Args:
      saved_model: folder of the version, as `enas_tf.export` returns it.
      pictures: uint8 `[batch, height, width, channels]`, as they are: the model normalises them.
      folder: for the pictures.

    Returns:
      The names of their classes.
    """
    np.save(folder / "pictures.npy", pictures)
    command = [sys.executable, "-c", PREDICT, saved_model, folder / "pictures.npy"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(output)


def main(
    folder="runs/own_data", *, num_pictures=1000, num_layers=3, search_epochs=8, final_epochs=10
):
    """Runs all of it.

    Args:
      folder: of all that is made.
      num_pictures: for training.
      num_layers: of the searched network.
      search_epochs: at most.
      final_epochs: of the final training.

    Returns:
      The test accuracy of the network that was found.
    """
    folder = pathlib.Path(folder)
    data = load_data(num_pictures)
    print(f"{len(data.y_train)} pictures of {data.input_shape}, {data.num_classes} classes")

    result = search(data, folder / "search", num_layers, search_epochs)
    # A result is a value: the best architecture, all that were ranked, and the run's own log.
    print(f"found {result.architecture.to_release_string()!r}")
    print(f"{result.score_kind} of the best candidates")
    for candidate in result.candidates[:3]:
        print(f"  {candidate.score:.3f}  {candidate.architecture.to_release_string()}")
    losses = [event["loss"] for event in result.run.metrics.read() if "loss" in event]
    print(f"losses in the log: from {losses[0]:.2f} to {losses[-1]:.2f}")

    model = train(result.architecture, data, folder / "final", final_epochs)
    accuracy = enas_tf.evaluate(model, data).accuracy
    print(f"test accuracy {accuracy:.3f}, {model.count_params():,} weights")

    # The folder of a SavedModel, as TensorFlow Serving wants it. `model.keras` is there already,
    # and loads with Keras alone.
    saved_model = enas_tf.export(model, folder / "served", overwrite=True)
    pictures = data.x_test[:8]
    names = predict_without_enas_tf(saved_model, pictures, folder)
    print("TensorFlow alone sees:", ", ".join(names))
    reloaded = keras.models.load_model(folder / "final" / "model.keras")
    logits = reloaded.predict(pictures, verbose=0)
    print("Keras alone sees:     ", ", ".join(CLASSES[number] for number in logits.argmax(axis=1)))
    print("They are:             ", ", ".join(CLASSES[number] for number in data.y_test[:8]))
    return accuracy


if __name__ == "__main__":
    main()
