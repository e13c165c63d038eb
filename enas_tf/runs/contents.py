"""What a run directory holds: which files and folders, and what may be deleted of them."""

import os
import pathlib
import shutil

from enas_tf.errors import RunDirectoryError
from enas_tf.files.replacing import clear_up
from enas_tf.files.writing import writing

CONFIG = "config.json"
METRICS = "metrics.jsonl"
ARCHITECTURES = "architectures.jsonl"
MIXTURES = "mixtures.jsonl"
BEST_ARCHITECTURE = "best_architecture.json"
EVALUATIONS = "evaluations.jsonl"
LATENCIES = "latencies.json"
DATA = "data.json"
RESULTS = "results.json"
STUDY = "study.json"
LOG = "log.txt"
CHECKPOINTS = "checkpoints"
TENSORBOARD = "tensorboard"
SAVED_MODEL = "saved_model"
# Of a study: the runs that belong to it.
STUDY_FOLDERS = ("searches", "trainings", "scores")

# What `overwrite` may delete; anything else in the folder is not ours.
_FILES = (
    METRICS,
    ARCHITECTURES,
    MIXTURES,
    EVALUATIONS,
    LATENCIES,
    DATA,
    BEST_ARCHITECTURE,
    "best_architecture.svg",
    "architecture.json",
    RESULTS,
    "model.keras",
    "vocabulary.txt",
    "report.html",
    STUDY,
    "study.html",
    LOG,
)
_FOLDERS = (CHECKPOINTS, TENSORBOARD, SAVED_MODEL, *STUDY_FOLDERS)
# What is worth keeping of a run, besides checkpoints. Logs count when something is in them.
_WORK = (
    METRICS,
    EVALUATIONS,
    BEST_ARCHITECTURE,
    RESULTS,
    "model.keras",
    SAVED_MODEL,
    *STUDY_FOLDERS,
)


def has_work(folder: pathlib.Path) -> bool:
    """Whether a run has made anything that it would be a pity to lose."""
    paths = [folder / name for name in _WORK]
    checkpoints = [path.stem for path in (folder / CHECKPOINTS).glob("*.index")]
    # The first one is saved before the first step.
    return checkpoints not in ([], ["ckpt-1"]) or any(
        path.is_dir() or (path.exists() and path.stat().st_size > 0) for path in paths
    )


def sweep(folder: pathlib.Path) -> None:
    """Deletes what a process that was killed while it wrote has left behind."""
    saved_models = folder / SAVED_MODEL
    clear_up(folder)
    clear_up(saved_models)
    with writing(folder):
        # What is not whole yet is called so by `write_bytes`, and was so by version 0.1.0.
        for pattern in (*(f".{name}.*" for name in (CONFIG, *_FILES)), ".model.*.keras"):
            for path in folder.glob(pattern):
                if not _is_folder(path):
                    path.unlink(missing_ok=True)
        for path in filter(_is_folder, saved_models.glob(".export-*")):
            shutil.rmtree(path)


def delete(folder: pathlib.Path, name: pathlib.Path) -> None:
    """Deletes what a run made, if all of it can be deleted; of links, the links.

    Its `config.json` stays until a new one replaces it, so that a folder that was left half deleted
    is still known as ours.

    Args:
      folder: by which the run is reached.
      name: of the folder, for the user.

    Raises:
      RunDirectoryError: a part of it cannot be deleted; nothing was then.
    """
    parts = [part for part in (*_FILES, *_FOLDERS) if os.path.lexists(folder / part)]
    for part in parts:
        if obstacle := _obstacle(folder / part, part in _FOLDERS):
            raise RunDirectoryError(
                f"Cannot start anew in {name}: {obstacle}. Nothing was deleted; move it "
                "away, or give another output_dir."
            )
    with writing(folder):
        for path in (folder / part for part in parts):
            shutil.rmtree(path) if _is_folder(path) else path.unlink()


def _is_folder(path: pathlib.Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _obstacle(path: pathlib.Path, is_folder: bool) -> str:
    """Returns why a part of a run cannot be deleted; nothing if it can."""
    if path.is_symlink() or (path.is_file() and not is_folder):
        return ""
    if not (path.is_dir() and is_folder):
        return f"{path.name} is not a {'folder' if is_folder else 'file'}"
    for folder, _, _ in os.walk(path):
        name = pathlib.Path(folder).relative_to(path.parent)
        if os.path.ismount(folder):
            return f"another file system is mounted at {name}"
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            return f"what is in {name} may not be deleted: permission denied"
    return ""
