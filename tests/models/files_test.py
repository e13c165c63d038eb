import json
import zipfile

import pytest

from enas_tf.errors import ExportError
from enas_tf.models.files import (
    CLASSIFIER,
    LANGUAGE_MODEL,
    check_target,
    find_model,
    kind_of,
)


@pytest.mark.parametrize(
    ("class_name", "kind"), [("LanguageModel", LANGUAGE_MODEL), ("Functional", CLASSIFIER)]
)
def test_a_keras_file_tells_its_kind(tmp_path, class_name, kind):
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": class_name}))
    assert kind_of(tmp_path) == kind_of(tmp_path / "model.keras") == kind


@pytest.mark.parametrize(
    ("asset", "kind"), [("language_model.json", LANGUAGE_MODEL), ("label_names.txt", CLASSIFIER)]
)
def test_a_saved_model_tells_its_kind(tmp_path, asset, kind):
    (tmp_path / "1" / "assets").mkdir(parents=True)
    (tmp_path / "1" / "saved_model.pb").write_text("")
    (tmp_path / "1" / "assets" / asset).write_text("")
    assert kind_of(tmp_path) == kind_of(tmp_path / "1") == kind


@pytest.mark.parametrize("config", [None, "[]", "{}", "no JSON"])
def test_what_a_damaged_keras_file_is_will_be_told_by_loading_it(tmp_path, config):
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        if config is not None:
            archive.writestr("config.json", config)
    assert kind_of(tmp_path / "model.keras") == CLASSIFIER


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ExportError, match="holds neither"):
        kind_of(tmp_path)


def test_a_version_that_stands_aside_since_an_export_was_killed_comes_back(tmp_path):
    version = tmp_path / "saved_model" / ".enas-export-x" / ".aside" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").touch()
    assert find_model(tmp_path) == tmp_path / "saved_model" / "1"
    assert (tmp_path / "saved_model" / "1" / "saved_model.pb").is_file()


def test_the_path_of_a_model_may_begin_with_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "m" / "1").mkdir(parents=True)
    assert find_model("~/m") == tmp_path / "m" / "1"
    assert check_target("~/m.keras", "keras", overwrite=False) == tmp_path / "m.keras"
