"""Pictures as people have them, through every command as a user types it.

What the network sees is worked out here once more with Pillow alone.
"""

import csv
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from enas_tf.cli import evaluate
from enas_tf.data.images.loading import load_images
from enas_tf.settings.data import DataConfig

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

CLASSES = ("ant", "bee")
SIZE = (18, 14)
BACKGROUND = (32, 64, 96)
FLAGS = ("--image_size=18,14", "--resize=pad", "--background=#204060")
SEARCH = (
    *("--space=macro", "--preset=smoke", "--num_layers=3", "--filters=4", "--batch_size=8"),
    *("--epochs=2", "--controller_updates_per_epoch=1", "--derive_num_candidates=2"),
)
RETRAIN = ("--filters=4", "--epochs=2", "--batch_size=8", "--use_validation")
ORIENTATION = 0x0112
# With TensorFlow alone: what a SavedModel says of encoded files, and of their pixels.
SERVE = """
import json, pathlib, sys
import numpy as np
import tensorflow as tf

signatures = tf.saved_model.load(sys.argv[1]).signatures
files = [pathlib.Path(name).read_bytes() for name in json.load(sys.stdin)]
encoded = signatures["serving_images"](images=tf.constant(files))["probabilities"]
pixels = signatures["serving_default"](images=tf.constant(np.load(sys.argv[2])))["probabilities"]
assert "enas_tf" not in sys.modules
print(json.dumps([encoded.numpy().tolist(), pixels.numpy().tolist()]))
"""


def write_picture(path, number, random):
    """Writes one of eight kinds of pictures, without an ending in `path`."""
    height, width = random.integers(15, 60, 2)
    pixels = random.integers(0, 256, (height, width, 4), np.uint8)
    # Smooth, so that JPEG changes little, and resizing is seen.
    image = Image.fromarray(pixels).resize((width, height), box=(0, 0, 5, 5))
    rgb = image.convert("RGB")
    exif = Image.Exif()
    exif[ORIENTATION] = 1 + number % 8
    save = (
        lambda: rgb.save(f"{path}.JPG", quality=95),
        lambda: image.save(f"{path}.png"),
        lambda: rgb.convert("CMYK").save(f"{path}.jpeg", quality=95),
        lambda: rgb.convert("L").save(f"{path}.png"),
        lambda: rgb.save(f"{path}.jpg", exif=exif, quality=95),
        lambda: image.quantize(8).save(f"{path}.png"),
        lambda: rgb.quantize(8).save(f"{path}.gif", transparency=0),
        lambda: image.convert("LA").save(f"{path}.webp", lossless=True),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    save[number % len(save)]()


def expected(path):
    """Returns the pixels of a file as the issue words it, with Pillow alone."""
    with Image.open(path) as image:
        image = ImageOps.exif_transpose(image)
        if image.has_transparency_data:
            ground = Image.new("RGBA", image.size, (*BACKGROUND, 255))
            image = Image.alpha_composite(ground, image.convert("RGBA"))
        size = SIZE[::-1]
        return np.asarray(ImageOps.pad(image.convert("RGB"), size, 2, color=BACKGROUND))


def run(command, *arguments):
    result = subprocess.run(
        [sys.executable, "-m", f"enas_tf.cli.{command}", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Has `pictures` with a training, a validation and a test part, nested."""
    folder = tmp_path_factory.mktemp("messy")
    random = np.random.default_rng(0)
    for part, count in (("train", 24), ("val", 8), ("test", 8)):
        for name in CLASSES:
            for number in range(count):
                inner = ("", "holiday/2019")[number % 2]
                place = folder / "pictures" / part / name / inner / f"a {number}"
                write_picture(place, number // 2 + 4 * (number % 2), random)
    (folder / "pictures" / "train" / "ant" / "Thumbs.db").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def searched(folder):
    arguments = (f"--dataset={folder / 'pictures'}", *FLAGS)
    return run("search", *SEARCH, *arguments, f"--output_dir={folder / 'run'}")


@pytest.fixture(scope="module")
def model(folder, searched):
    arguments = (f"--architecture={folder / 'run'}", f"--output_dir={folder / 'final'}")
    run("retrain", *arguments, *RETRAIN)
    return folder / "final"


def test_what_is_odd_is_said_once(searched):
    (line,) = [line for line in searched.stderr.splitlines() if "transparent" in line]
    assert "may have transparent pixels, which show #204060" in line


def test_data_sets_have_the_pixels_of_pillow(folder):
    config = DataConfig(
        dataset=str(folder / "pictures"), image_size=SIZE, resize="pad", background="#204060"
    )
    for limit in (0, 100):
        data = load_images(config.replace(memory_limit=limit))
        assert data.input_shape == (*SIZE, 3)
        for part, count in (("train", 48), ("validation", 16), ("test", 16)):
            images, labels = data.part(part)
            own = folder / "pictures" / {"validation": "val"}.get(part, part)
            files = sorted(file for file in own.rglob("a *"))
            pictures = {expected(file).tobytes(): file for file in files}
            assert len(images) == count
            for image, label in zip(np.asarray(images), labels):
                assert CLASSES[label] in pictures[image.tobytes()].parts


def test_evaluation_prediction_and_serving_say_the_same_of_the_same_pixels(folder, model):
    table = folder / "table.csv"
    source = f"--dataset={folder / 'pictures'}"
    run("evaluate", f"--model={model}", source, f"--predictions={table}")
    with open(table, newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    answers = json.loads(
        run(
            *("predict", f"--model={model}", "--format=json", "--top=2"),
            folder / "pictures" / "test",
        ).stdout
    )
    assert sorted(rows) == sorted(answer["file"] for answer in answers)
    for answer in answers:
        row = rows[answer["file"]]
        assert row["predicted"] == answer["label"]
        assert float(row["probability"]) == pytest.approx(answer["probability"], abs=2e-6)
        assert float(row["label_probability"]) == pytest.approx(
            dict(answer["top"])[row["label"]], abs=2e-6
        )
    # Of the formats that the signature takes.
    served = [
        answer
        for answer in answers
        if pathlib.Path(answer["file"]).suffix.lower() in (".png", ".jpg", ".jpeg")
    ]
    names = [answer["file"] for answer in served]
    np.save(folder / "pixels.npy", np.stack([expected(name) for name in names]))
    process = subprocess.run(
        [sys.executable, "-c", SERVE, model / "saved_model" / "1", folder / "pixels.npy"],
        input=json.dumps(names),
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    encoded, pixels = map(np.array, json.loads(process.stdout))
    predicted = np.array([[dict(answer["top"])[name] for name in CLASSES] for answer in served])
    np.testing.assert_allclose(pixels, predicted, atol=2e-6)
    is_cmyk = np.array([name.endswith(".jpeg") for name in names])
    assert is_cmyk.any()
    assert not is_cmyk.all()
    np.testing.assert_allclose(encoded[~is_cmyk], predicted[~is_cmyk], atol=2e-6)
    # TensorFlow makes RGB of CMYK with another rounding.
    np.testing.assert_allclose(encoded[is_cmyk], predicted[is_cmyk], atol=0.02)


@pytest.mark.parametrize(
    ("layout", "counts"),
    [
        # Of 64, a fifth tests; of the rest, a tenth validates.
        ("classes", {"train": 46, "validation": 5, "test": 13}),
        ("train", {"train": 46, "validation": 5, "test": 13}),
        ("train_test", {"train": 58, "validation": 6, "test": 16}),
        ("train_valid", {"train": 38, "validation": 16, "test": 10}),
        ("table", {"train": 48, "validation": 16, "test": 16}),
        ("table_without_parts", {"train": 46, "validation": 5, "test": 13}),
    ],
)
def test_every_division_is_evaluated(folder, model, tmp_path, layout, counts, capsys):
    source = tmp_path / layout
    pictures = folder / "pictures"
    if layout == "train_valid":
        shutil.copytree(pictures / "train", source / "train")
        shutil.copytree(pictures / "val", source / "valid")
    elif layout in ("classes", "train", "train_test"):
        own = source if layout == "classes" else source / "train"
        for part in ("train", "val"):
            for name in CLASSES:
                shutil.copytree(pictures / part / name, own / name / part)
        if layout == "train_test":
            shutil.copytree(pictures / "test", source / "test")
    else:
        source = tmp_path / "table.csv"
        parts = ("train", "val") if layout.endswith("without_parts") else ("train", "val", "test")
        with open(source, "w", newline="") as file:
            table = csv.writer(file)
            columns = len(parts)  # `split` only where there are all three.
            table.writerow(["path", "label", "split"][:columns])
            for part in parts:
                for path in sorted((pictures / part).rglob("a *")):
                    label = path.relative_to(pictures / part).parts[0]
                    table.writerow([path, label, part][:columns])
    for part, count in counts.items():
        arguments = (f"--model={model}", f"--dataset={source}", f"--part={part}", "--json")
        assert evaluate.main(arguments) == 0
        assert json.loads(capsys.readouterr().out)[f"{part}_examples"] == count
