"""Finding and writing architectures: run directories, files, release strings, published names.

Nothing here imports TensorFlow.
"""

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from enas_tf.errors import ArchitectureError
from enas_tf.files.reading import read_bytes
from enas_tf.spaces.base import FORMAT_VERSION, Architecture, naming
from enas_tf.spaces.entry import SpaceEntry
from enas_tf.spaces.registry import get_space, space_names

# The files of a run directory that hold its architecture: a search's, a retraining's.
FILES_OF_A_RUN = ("best_architecture.json", "architecture.json")
_KEYS = ("space", "format_version", "architecture")


def space_of_architecture(text: str | None) -> str | None:
    """Returns the space that a run directory, an architecture file or a published name is of.

    Args:
      text: see `load_architecture`. Whatever is wrong with it, reading the architecture will say.

    Returns:
      The name of the space as it is stated; None if none is.
    """
    if not text:
        return None
    path = pathlib.Path(os.path.expanduser(text))
    try:
        document = _document(_file_of_run(path) if os.path.isdir(path) else path)
    except ArchitectureError:
        return next((space for space in space_names() if text in get_space(space).published), None)
    space = document.get("space") if isinstance(document, dict) else None
    return space if isinstance(space, str) else None


def load_architecture(text: str | os.PathLike[str], space_name: str) -> Architecture:
    """Returns the architecture that a text names.

    Args:
      text: a run directory, a JSON file, the name of a published architecture, or the integers of
        the release separated by blanks; what exists on disk goes first.
      space_name: of the space that the architecture must belong to, for example `"macro"`.

    Returns:
      The typed architecture, for example a `MacroArchitecture`.

    Raises:
      ArchitectureError: the text is none of these, or the file is missing, malformed, of a newer
        format or of another space.
      ConfigurationError: there is no such space.
    """
    entry = get_space(space_name)
    text = os.fspath(text).strip()
    if not text:
        raise ArchitectureError(f"The architecture is empty; expected {_expected(entry)}.")
    # os.path answers no to a text that is too long for a path; pathlib would raise.
    path = pathlib.Path(os.path.expanduser(text))
    if os.path.isdir(path):
        path = _file_of_run(path)
    if os.path.exists(path) or str(path).endswith(".json"):
        return architecture_from_document(_document(path), space_name, str(path))
    if text in entry.published:
        return entry.published[text]
    if _is_release_string(text, entry):
        return entry.from_release_string(text)
    raise ArchitectureError(
        f"No architecture is known as {text!r:.80}: no such folder or file, and no published "
        f"architecture of the {space_name} space. Expected {_expected(entry)}."
    )


def architecture_document(
    architecture: Architecture,
    *,
    score: float | None = None,
    score_kind: str | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """Returns what `best_architecture.json` holds, as a dictionary that JSON can hold.

    Args:
      architecture: any architecture.
      score: how good it was found to be, if known.
      score_kind: what the score is, for example `"shared_weights_validation_accuracy"`.
      **extra: further entries of the document.
    """
    document: dict[str, Any] = {
        "space": architecture.space_name,
        "format_version": FORMAT_VERSION,
        "architecture": architecture.to_json(),
        "release_string": architecture.to_release_string(),
    }
    if score is not None:
        document["score"] = float(score)
        document["score_kind"] = score_kind
    return {**document, **extra}


def architecture_from_document(
    document: Mapping[str, Any], space_name: str, source: str = "The document"
) -> Architecture:
    """Returns the architecture in what `architecture_document` returned.

    Args:
      document: the document, or only what `Architecture.to_json` returned.
      space_name: of the space that the architecture must belong to.
      source: names the document in the message of an error, for example its path.

    Raises:
      ArchitectureError: the document is malformed, of a newer format or of another space.
    """
    entry = get_space(space_name)
    if not isinstance(document, Mapping):
        raise ArchitectureError(f"{source} holds no JSON object.")
    if any(key in document for key in _KEYS):
        _check_document(document, space_name, source)
        document = document["architecture"]
    with naming(source):
        return entry.from_json(document)


def _check_document(document: Mapping[str, Any], space_name: str, source: str) -> None:
    missing = [key for key in _KEYS if key not in document]
    if missing:
        raise ArchitectureError(f"{source} has no entry {missing[0]!r}; expected {_KEYS}.")
    version = document["format_version"]
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ArchitectureError(
            f"{source}: `format_version` must be a positive integer. Received: {version!r}."
        )
    if version > FORMAT_VERSION:
        raise ArchitectureError(
            f"{source} has format version {version}, newer than {FORMAT_VERSION}, the newest that "
            "this version of enas_tf reads; install a newer enas_tf."
        )
    if document["space"] != space_name:
        raise ArchitectureError(
            f"{source} holds an architecture of the space {document['space']!r}, not of "
            f"{space_name!r}; give --space={document['space']}."
        )


def _is_release_string(text: str, entry: SpaceEntry) -> bool:
    """Whether a text is made of integers, perhaps with names of operations among them."""
    if not text.strip("0123456789 |,\t\n-"):
        return True
    words = set(text.replace("|", " ").replace(",", " ").split())
    names = {word for word in words if word.isidentifier()}
    if not all(word.lstrip("-").isdecimal() for word in words - names):
        return False
    known = {*entry.operations.own(), *(one.label for one in entry.operations)}
    # One that is not known, among integers, is told as an operation.
    return names <= known or names < words


def _expected(entry: SpaceEntry) -> str:
    return (
        "a run directory, a .json file, the release's integers, or one of "
        f"{', '.join(sorted(entry.published))}"
    )


def _file_of_run(path: pathlib.Path) -> pathlib.Path:
    for name in FILES_OF_A_RUN:
        if os.path.exists(path / name):
            return path / name
    raise ArchitectureError(
        f"The folder {path} has no {FILES_OF_A_RUN[0]}; expected the output_dir of a finished "
        "search (enas-derive writes the file for an unfinished one)."
    )


def _document(path: pathlib.Path) -> Any:
    try:
        return json.loads(read_bytes(path).decode("utf-8"))
    except FileNotFoundError as error:
        raise ArchitectureError(f"The file {path} does not exist.") from error
    except OSError as error:
        raise ArchitectureError(f"Cannot read {path}: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise ArchitectureError(f"{path} is not valid JSON: {error}.") from error
