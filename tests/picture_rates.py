"""How many pictures a second and core come out of the input pipeline, and go into training steps.

    python -m tests.picture_rates [--pictures=20000]

Prints a table for arrays of 32 x 32 pixels in memory, a map of a file of 224 x 224 pixels, and JPEG
files of 500 x 375 pixels that are brought to 224 x 224. What is counted is the time of processors,
of all threads together: the work of the pipeline for each picture, read, cropped, mirrored and
normalised, whatever else the machine does. Files were written just before, so disks do not count.

The last rows are what training steps take of such pictures, of one batch that is there already:
those of the smallest search of whole networks there is (macro, preset smoke). A pipeline that makes
more pictures than that is not what a search waits for.
"""

import argparse
import itertools
import pathlib
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from enas_tf.data.images.files import PictureSettings
from enas_tf.data.images.pictures import FilePictures, Pictures, as_pictures
from enas_tf.data.images.preprocessing import Augmentation, Normalization

BATCH_SIZE = 128
# Batches that start the threads.
WARM_UP = 4
FILES = 512
STEPS = 20


class Rate(NamedTuple):
    """What was measured of one source."""

    source: str
    pictures: int
    seconds: float


class _Counted(Pictures):
    """Counts the pictures that are fetched."""

    def __init__(self, pictures: Pictures) -> None:
        super().__init__(len(pictures), pictures.shape[1:])
        self._pictures = pictures
        self.count = 0

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        self.count += len(indices)
        return self._pictures.fetch(indices)


def measured(source: str, images: Any, num_pictures: int) -> Rate:
    """Returns what it takes to make training batches of so many pictures."""
    from enas_tf.data.images.streams import training_batches

    pictures = _Counted(as_pictures(images))
    channels = np.ones(3, np.float32)
    side = min(images.shape[1:3])
    batches = iter(
        training_batches(
            pictures,
            np.zeros(len(images), np.int32),
            normalization=Normalization(127 * channels, 64 * channels),
            batch_size=min(BATCH_SIZE, len(images)),
            seed=0,
            augmentation=Augmentation(crop_padding=side // 8, flip=True),
        )
    )
    for _ in range(WARM_UP):
        next(batches)
    before, start = pictures.count, time.process_time()
    while pictures.count - before < num_pictures:
        next(batches)
    # Some are being made at both ends.
    return Rate(source, pictures.count - before, time.process_time() - start)


def rates(folder: pathlib.Path, num_pictures: int) -> list[Rate]:
    """Returns what was measured of all sources.

    Args:
      folder: an empty one, for the map and the files.
      num_pictures: of 32 x 32 pixels; of the others so many fewer as they are more work.
    """
    random = np.random.default_rng(0)
    arrays = random.integers(0, 256, (10_000, 32, 32, 3), np.uint8)
    large = np.lib.format.open_memmap(folder / "x.npy", "w+", np.uint8, (2_000, 224, 224, 3))
    for start in range(0, len(large), 200):
        large[start : start + 200] = random.integers(0, 256, large[:200].shape, np.uint8)
    large.flush()
    files = [folder / f"{number}.jpg" for number in range(FILES)]
    for file in files:
        # Smooth and with some noise, as photographs are.
        small = Image.fromarray(random.integers(0, 256, (12, 16, 3), np.uint8))
        pixels = np.asarray(small.resize((500, 375), Image.Resampling.BICUBIC), np.int16)
        noisy = np.clip(pixels + random.integers(-12, 13, pixels.shape), 0, 255)
        Image.fromarray(noisy.astype(np.uint8)).save(file, quality=90)
    settings = PictureSettings(height=224, width=224)
    return [
        measured("arrays, 32 x 32", arrays, num_pictures),
        measured("map of a file, 224 x 224", np.load(folder / "x.npy", "r"), num_pictures // 5),
        measured(
            "JPEG files, 500 x 375 to 224 x 224", FilePictures(files, settings), num_pictures // 10
        ),
    ]


def trained(size: int) -> Rate:
    """Returns what it takes to train on pictures that are there already.

    Args:
      size: height and width of the pictures.
    """
    import enas_tf
    from enas_tf.searching.shared_weights import SharedWeights

    preset = enas_tf.search_presets("macro")["smoke"]
    config = preset.search.replace(samples_per_step=1)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (BATCH_SIZE, size, size, 3), np.uint8)
    labels = np.arange(BATCH_SIZE) % 10
    data = enas_tf.ImageData.from_arrays(images, labels, images, labels)
    space = preset.space.for_data(data)
    batch_size = config.shared_weights.batch_size
    streams = data.search_streams(batch_size=batch_size, reward_batch_size=batch_size, seed=0)
    weights = SharedWeights(space, config, streams.steps_per_epoch)
    batch = next(weights.training_batches(lambda share: streams.training(0, share)))
    decisions = [space.encode([space.random_architecture(seed)]) for seed in range(STEPS)]
    for _ in range(2):
        # The first time, functions are traced.
        start = time.process_time()
        for one in decisions:
            weights.train(batch, one, 1).loss.numpy()
    return Rate(f"training step, {size} x {size}", STEPS * batch_size, time.process_time() - start)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser("tests.picture_rates", description=__doc__)
    parser.add_argument("--pictures", type=int, default=20_000, help="of 32 x 32 pixels")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="picture_rates_") as folder:
        print("| source | pictures a second and core |\n|---|---|")
        for rate in itertools.chain(
            rates(pathlib.Path(folder), options.pictures), map(trained, (32, 224))
        ):
            print(f"| {rate.source} | {rate.pictures / rate.seconds:,.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
