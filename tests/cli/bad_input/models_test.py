"""Trained models that are missing, damaged, or of another kind than a command needs."""

import json
import shutil
import zipfile

from tests.cli.bad_input.refusals import LONG, cases, split, write_common, write_npz

WORDS = ("<unk>", "<eos>", *"abcdefgh")


def save_classifier(path, shape, *layers):
    import keras

    inputs = keras.Input(shape)
    outputs = inputs
    for layer in (*layers, keras.layers.Flatten(), keras.layers.Dense(2)):
        outputs = layer(outputs)
    model = keras.Model(inputs, outputs)
    path.parent.mkdir(exist_ok=True)
    model.save(path)
    return model


def write_damaged(path, folder):
    """Writes a model file that is cut off, and one whose middle is damaged."""
    content = path.read_bytes()
    half = len(content) // 2
    folder.mkdir(exist_ok=True)
    (folder / "cut_off.keras").write_bytes(content[:half])
    (folder / "damaged.keras").write_bytes(content[:half] + 50 * b"x" + content[half + 50 :])


def write_classifiers(world):
    import keras

    from enas_tf.models.export import export

    model = save_classifier(world / "model" / "model.keras", (6, 6, 1))
    save_classifier(world / "vector.keras", (3,))
    save_classifier(world / "function.keras", (6, 6, 1), keras.layers.Lambda(lambda x: x))
    write_damaged(world / "model" / "model.keras", world)
    export(model, world / "served")
    shutil.copytree(world / "served", world / "served_damaged")
    (world / "served_damaged" / "1" / "saved_model.pb").write_bytes(b"hello")


def write_language_models(world):
    from enas_tf.data.texts.vocabulary import Vocabulary
    from enas_tf.models.export import export
    from enas_tf.spaces.rnn.architecture import LstmBaseline
    from enas_tf.spaces.rnn.config import RnnNetworkConfig
    from enas_tf.spaces.rnn.network import build_rnn_network

    model = build_rnn_network(
        LstmBaseline(),
        RnnNetworkConfig(hidden_size=4),
        vocabulary_size=len(WORDS),
        vocabulary=Vocabulary(WORDS),
    )
    folder = world / "language"
    folder.mkdir()
    model.save(folder / "model.keras")
    export(model, folder / "saved_model")
    write_damaged(folder / "model.keras", folder)
    write_keras_configurations(folder)
    write_saved_models(folder)
    model.vocabulary = None
    model.save(folder / "numbers.keras")
    export(model, folder / "numbers")


def write_keras_configurations(folder):
    """Writes the model file with other configurations."""
    with zipfile.ZipFile(folder / "model.keras") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(files["config.json"])
    changes = {
        "architecture": {"architecture": {"nodes": []}},
        "words": {"vocabulary": {"tokenization": "blanks", "words": ["a", "a"]}},
        "size": {"vocabulary_size": 7},
        "width": {"config": {"hidden_size": 0}},
        "nothing": None,
    }
    for name, change in changes.items():
        arguments = {} if change is None else {**config["config"], **change}
        files["config.json"] = json.dumps({**config, "config": arguments}).encode()
        with zipfile.ZipFile(folder / f"{name}.keras", "w") as archive:
            for file, content in files.items():
                archive.writestr(file, content)


def write_saved_models(folder):
    """Writes the SavedModel with other assets."""
    description = {"vocabulary_size": len(WORDS), "state_size": 8, "tokenization": "blanks"}
    assets = {
        "no_json": ("language_model.json", "{"),
        "no_keys": ("language_model.json", "{}"),
        "text_size": ("language_model.json", json.dumps({**description, "state_size": "a"})),
        "state_size": ("language_model.json", json.dumps({**description, "state_size": 9})),
        "no_unknown": ("vocabulary.txt", "a\nb\n"),
        "few_words": ("vocabulary.txt", "<unk>\n<eos>\na\n"),
        "no_words": ("vocabulary.txt", None),
        "no_graph": ("../saved_model.pb", "hello"),
    }
    for name, (file, text) in assets.items():
        shutil.copytree(folder / "saved_model" / "1", folder / name)
        if text is None:
            (folder / name / "assets" / file).unlink()
        else:
            (folder / name / "assets" / file).write_text(text)


def write_world(world):
    write_common(world)
    write_npz(world / "three_classes.npz", classes=3)
    write_npz(world / "rgb.npz", shape=(6, 6, 3))
    (world / "bad.keras").write_text("hello")
    write_classifiers(world)
    write_language_models(world)


EARLY = [
    ("evaluate", "", "`--model` is required"),
    ("evaluate", "--model=bad.keras", "`--dataset` is required"),
    ("evaluate", "--model=x --dataset=good.npz --batch_size=0", "`--batch_size` must be at least"),
    ("evaluate", "--model=none --dataset=good.npz", "none does not exist"),
    ("evaluate", f"--model={LONG} --dataset=good.npz", "does not exist"),
    ("evaluate", "--model=bad.keras --dataset=good.npz", "is not a Keras model file"),
    ("evaluate", "--model=empty_folder --dataset=good.npz", "holds neither model.keras nor a"),
    ("evaluate", "--model=model --dataset=pydoc", "which is a text, for language models"),
    ("evaluate", "--model=model --dataset=good.txt", "which is none of them"),
    ("evaluate", "--model=model --dataset=good.npz --max_test_tokens=9", "is a classifier"),
    ("evaluate", "--model=language --dataset=digits", "`dataset` must be a text"),
    ("evaluate", "--model=language --dataset=cifar10", "`dataset` must be a text"),
    ("evaluate", "--model=language --dataset=good.npz", "is no text file"),
    ("evaluate", "--model=language --dataset=empty_folder", "has no train file"),
    ("evaluate", "--model=language --dataset=ptb", "Penn Treebank is not part of this package"),
    ("evaluate", "--model=language --dataset=text.txt", "It has 1 word;"),
    ("evaluate", "--model=language --dataset=good.txt --batch_size=3", "is a language model"),
    ("evaluate", "--model=language --dataset=good.txt --max_test_examples=3", "is a language"),
    ("evaluate", "--model=language --dataset=good.txt --max_test_tokens=1", "must be at least 2"),
    ("predict", "--model=bad.keras good.npz", "is not a Keras model file"),
    ("predict", "--model=language good.npz", "language is a language model; enas-generate"),
    ("predict", "--model=model none.png", "none.png does not exist"),
    ("predict", f"--model=model {LONG}", "does not exist"),
    ("predict", "--model=model empty_folder", "empty_folder holds no pictures (.bmp .gif"),
    ("predict", "--model=model good.npz --output=none/a.csv", "must be a file in a folder that"),
    ("predict", "--model=model --pictures=", "`--pictures` must be a text that is not empty"),
    ("export", "", "`--run` is required"),
    ("export", "--run=bad.keras --format=torch", "`--format` must be one of"),
    ("export", "--run=none", "none does not exist"),
    ("export", "--run=text.txt", "is not a Keras model file"),
    ("export", "--run=thesis", "holds neither model.keras nor a SavedModel"),
    ("export", "--run=language", "saved_model/1 exists already"),
    ("generate", "", "`--model` is required"),
    ("generate", "--model=none", "none does not exist"),
    ("generate", "--model=thesis", "holds neither model.keras nor a SavedModel"),
    ("generate", "--model=text.txt", "is not a Keras model file"),
    ("generate", "--model=good.npz", "is no language model"),
    ("generate", "--model=model", "is no language model"),
    ("generate", "--model=served", "is no language model"),
    ("generate", "--model=language/cut_off.keras", "is not a Keras model file"),
    ("generate", "--model=language --text=", "`--text` must be a text that is not empty"),
    ("generate", "--model=language --text=a\0b", "without NUL characters"),
    ("generate", "--model=language --txt=a", "Unknown command line flag 'txt'"),
    ("generate", "--model=language hello", "Unexpected argument 'hello'"),
    ("generate", "--model=language --num_words=x", "`--num_words` must be an integer"),
    ("generate", "--model=language --temperature=nan", "must be a finite number"),
    ("generate", "--model=language --temperature=-1", "`--temperature` must be at least"),
    ("generate", "--model=language --top_k=0", "`--top_k` must be at least 1"),
    ("generate", "--model=language --seed=-1", "`--seed` must be at least 0"),
]

LATE = [
    *(
        ("evaluate", f"--model={model} --dataset={dataset}.npz", message)
        for model, dataset, message in (
            ("model", "rgb", "takes pictures of 6 x 6 x 1, the dataset rgb.npz has"),
            ("model", "three_classes", "knows 2 classes, the dataset three_classes.npz has 3"),
            ("vector.keras", "good", "from (None, 3) to (None, 2)"),
            ("function.keras", "good", "is not a Keras model file"),
            ("cut_off.keras", "good", "is not a Keras model file"),
            ("damaged.keras", "good", "Bad CRC-32"),
            ("served_damaged", "good", "is not a SavedModel"),
            ("good.npz", "good", "is not a Keras model file"),
        )
    ),
    ("predict", "--model=vector.keras good.npz", "from (None, 3) to (None, 2)"),
    ("predict", "--model=model good.npz", "good.npz is not a readable picture"),
    ("predict", "--model=model good.npz text.txt", "(2 of 2 files are left out)"),
    *(
        ("export", f"--run=model {flags}", message)
        for flags, message in (
            ("--format=keras", "model.keras exists already"),
            ("--format=keras --output=x.h5", "must end in .keras"),
            ("--output=served", "served/1 exists already"),
            ("--format=tflite --output=text.txt", "text.txt exists already"),
            ("--format=tflite --output=thesis --overwrite", "thesis is something else"),
            ("--output=text.txt --overwrite", "Cannot write text.txt/1"),
        )
    ),
    ("evaluate", "--model=language/numbers --dataset=good.txt", "does not know its vocabulary"),
    ("export", "--run=language/saved_model --format=keras --output=b.keras", "cannot become"),
    *(
        ("generate", f"--model=language/{model} --num_words=2", message)
        for model, message in (
            ("numbers", "does not know its vocabulary"),
            ("numbers.keras", "does not know its vocabulary"),
            ("damaged.keras", "Bad CRC-32"),
            ("architecture.keras", "architecture.keras is not a Keras model file (A recurrent"),
            ("words.keras", "words.keras is not a Keras model file (A vocabulary must have every"),
            ("size.keras", "size.keras is not a Keras model file"),
            ("width.keras", "width.keras is not a Keras model file (`hidden_size` must be at"),
            ("nothing.keras", "nothing.keras is not a Keras model file"),
            ("no_json", "is not a SavedModel of a language model"),
            ("no_keys", "is not a SavedModel of a language model"),
            ("text_size", "is not a SavedModel of a language model"),
            ("state_size", "the sizes of its signatures and of its assets differ"),
            ("few_words", "the sizes of its signatures and of its assets differ"),
            ("no_unknown", "must contain <unk>"),
            ("no_words", "No such file"),
            ("no_graph", "is not a SavedModel of a language model"),
        )
    ),
]


@cases(split(EARLY))
def test_wrong_models_and_what_is_asked_of_them(argv, message, refused_early):
    refused_early(argv, message)


@cases(split(LATE))
def test_models_that_must_be_loaded_to_see_it(argv, message, refused):
    refused(argv, message)


def test_onnx_without_its_package(refused, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    refused(("export", "--run=model", "--format=onnx"), "pip install '.[onnx]'")
