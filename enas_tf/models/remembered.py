"""What a classifier remembers of its training, for itself and in its `.keras` file.

The attributes `label_names`, `picture_settings` and `versions` are all that a program sees; but no
attribute is in a `.keras` file. What Keras keeps, whoever loads, trains and saves the model again,
are the arguments of its layers. So what is remembered goes, as JSON, into the initial value of the
bias which the last layer does not have. A new last layer, for other classes, takes the old names
away with the old one.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from enas_tf.data.images.files import PictureSettings
from enas_tf.errors import ConfigurationError

_LABEL_NAMES = "label_names"
_PICTURE_SETTINGS = "picture_settings"
_VERSIONS = "versions"
# What pictures in files can be brought to.
_CHANNELS = (1, 3)


def attach_label_names(model: keras.Model, names: Sequence[str]) -> None:
    """Gives a classifier the names of its classes.

    Args:
      model: a classifier.
      names: of its classes.
    """
    _attach(model, _LABEL_NAMES, tuple(names), list(names))


def label_names_of(model: keras.Model) -> tuple[str, ...] | None:
    """Returns the names of a classifier's classes, None if it has none."""
    names = getattr(model, _LABEL_NAMES, None)
    if names is None:
        names = _document(model).get(_LABEL_NAMES)
    return tuple(map(str, names)) if isinstance(names, list | tuple) else None


def attach_picture_settings(model: keras.Model, settings: PictureSettings | None) -> None:
    """Tells a classifier how the pictures of its training were brought to its size.

    Args:
      model: a classifier.
      settings: of the training data; None: they are not known, and nothing is changed.
    """
    if settings is not None:
        _attach(model, _PICTURE_SETTINGS, settings, settings.to_json())


def picture_settings_of(model: keras.Model) -> PictureSettings | None:
    """Returns how pictures in files are brought to what a classifier takes.

    Args:
      model: a classifier; of one that does not know it, pictures are cropped.

    Returns:
      Settings of the model's size; None: it takes pictures that are neither grey nor RGB.
    """
    height, width, channels = model.input_shape[1:]
    if channels not in _CHANNELS:
        return None
    settings = getattr(model, _PICTURE_SETTINGS, None)
    if settings is None:
        settings = settings_of_json(_document(model).get(_PICTURE_SETTINGS))
    if settings is None or settings.shape != (height, width, channels):
        return PictureSettings(height=height, width=width, channels=channels)
    return settings


def settings_of_json(values: Any) -> PictureSettings | None:
    """Returns the settings that `to_json` wrote, None if these are not such."""
    try:
        return PictureSettings.from_json(values) if isinstance(values, dict) else None
    except ConfigurationError:
        # Of a later version. A model without them works.
        return None


def attach_versions(model: keras.Model, versions: Mapping[str, str]) -> None:
    """Tells a classifier what it was trained with.

    Args:
      model: a classifier.
      versions: by the name of the program, for example `keras`.
    """
    _attach(model, _VERSIONS, dict(versions), dict(versions))


def versions_of(model: keras.Model) -> dict[str, str] | None:
    """Returns the versions of what a classifier was trained with, None if it does not know."""
    versions = getattr(model, _VERSIONS, None) or _document(model).get(_VERSIONS)
    return dict(versions) if isinstance(versions, Mapping) and versions else None


def recall(model: keras.Model) -> None:
    """Makes attributes of what the `.keras` file of a classifier remembers."""
    # Names are given by `enas_tf.models.classifier_export`, which knows more places of them.
    model.picture_settings = picture_settings_of(model)
    model.versions = versions_of(model)


def has_place_for_names(model: keras.Model) -> bool:
    """Returns whether a `.keras` file of a classifier can have the names of its classes."""
    layer = _last_layer(model)
    return isinstance(layer, keras.layers.Dense) and not layer.use_bias


def _attach(model: keras.Model, name: str, value: Any, as_json: Any) -> None:
    setattr(model, name, value)
    if has_place_for_names(model):
        text = json.dumps({**_document(model), name: as_json}, ensure_ascii=False)
        _last_layer(model).bias_initializer = keras.initializers.Constant(text)


def _document(model: keras.Model) -> dict[str, Any]:
    """Returns what is remembered in the arguments of the last layer."""
    initializer = getattr(_last_layer(model), "bias_initializer", None)
    try:
        document = json.loads(initializer.value)
    except (AttributeError, TypeError, ValueError, RecursionError):
        # It is an initial value, or there is none.
        return {}
    return document if isinstance(document, dict) else {}


def _last_layer(model: keras.Model) -> keras.layers.Layer:
    """Returns the layer that makes a model's outputs, however deep it is nested."""
    while isinstance(model, keras.Model) and model.layers:
        model = model.layers[-1]
    return model
