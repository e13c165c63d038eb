"""The run directory: where a search or a retraining keeps what it makes, and resumes from.

```
config.json             the whole configuration and the versions that wrote it
metrics.jsonl           one JSON object a line for every event of the training
architectures.jsonl     one JSON object a line for every sampled architecture
mixtures.jsonl          one JSON object a line for the mixture after each epoch (search by gradient)
evaluations.jsonl       one JSON object a line for every architecture that was trained alone
latencies.json          milliseconds of layers, where they count
best_architecture.json  best_architecture.svg  results.json  model.keras  saved_model/
report.html             what enas-report wrote
study.json  study.html  searches/  trainings/  scores/  of a study
checkpoints/  tensorboard/  log.txt
```
"""

import contextlib
import json
import logging
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from typing_extensions import Self

from enas_tf.errors import DataError, RunDirectoryError
from enas_tf.files import places
from enas_tf.files.lock import lock_folder
from enas_tf.files.places import absolute, user_path
from enas_tf.files.reading import read_bytes
from enas_tf.files.writing import (
    JsonLines,
    LogFile,
    attempting,
    to_bytes,
    to_json_text,
    write_text,
    writing,
)
from enas_tf.runs.contents import (
    ARCHITECTURES,
    CHECKPOINTS,
    CONFIG,
    LOG,
    METRICS,
    MIXTURES,
    TENSORBOARD,
    delete,
    has_work,
    sweep,
)
from enas_tf.runs.prolonging import is_longer
from enas_tf.runs.same_run import check_command, check_same, completed
from enas_tf.runs.versions import changed_versions, versions

logger = logging.getLogger(__name__)

FORMAT_VERSION = 1
# In the origin of a run: tells the files of the data from others.
FILES = "files"


class RunDirectory:
    """The folder of one search or retraining.

    ```python
    with RunDirectory.open("runs/first", {"search": config.to_json()}) as run:
        run.metrics.append({"phase": "shared_weights", "step": 1, "loss": 2.3})
        run.write_json("best_architecture.json", {...})
    ```

    Inside the `with` block messages of the logger `enas_tf` also go to `log.txt`.

    A folder that is open is read and written by a way that stays with it (`enas_tf.files.places`),
    and before anything is written it is made sure that it still has its name: a run that was
    renamed, deleted or replaced ends with a `RunDirectoryError`, and touches nothing that took its
    place.

    Attributes:
      path: the folder, as the user named it.
      metrics: `metrics.jsonl`.
      architectures: `architectures.jsonl`.
      mixtures: `mixtures.jsonl`.
    """

    def __init__(self, path: str | os.PathLike[str]):
        """Names the folder without touching it; see `open` and `existing`.

        Args:
          path: of the folder.
        """
        self.path = user_path(path)
        self._handler: logging.Handler | None = None
        self._files: str | None = None
        self._reach(absolute(self.path))

    def __repr__(self) -> str:
        return f"RunDirectory({str(self.path)!r})"

    def _reach(self, way: pathlib.Path) -> None:
        self._way = way
        self.metrics = JsonLines(self.file(METRICS))
        self.architectures = JsonLines(self.file(ARCHITECTURES))
        self.mixtures = JsonLines(self.file(MIXTURES))

    @property
    def _logs(self) -> tuple[JsonLines, ...]:
        """The logs that go back with a checkpoint."""
        return self.metrics, self.architectures, self.mixtures

    def file(self, name: str) -> pathlib.Path:
        """Returns by which path a file or folder of the run is read and written."""
        return self._way / name

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        configuration: Mapping[str, Any],
        *,
        overwrite: bool = False,
        origin: Mapping[str, Any] | None = None,
        with_others: bool = False,
        defaults: Mapping[str, Any] | None = None,
    ) -> Self:
        """Makes the folder of a new run, or goes on in the folder of the same run.

        A run that ended before it had made anything, for example because it ran out of memory,
        does not bind the next one: that may have another configuration.

        Args:
          path: of the folder; its parents are made too.
          configuration: everything that decides what the run does, as JSON can hold it.
          overwrite: start anew: delete the files of the run that is there, and only those. A run
            of another command stays.
          origin: where the configuration comes from, for example its preset. It is written down
            for the commands that go on from the run, but decides nothing: the same run may be
            gone on with from elsewhere. `FILES` in it tells the files of the data; a run that goes
            on with other ones says so.
          with_others: other processes may have the folder open too, which is not locked then.
          defaults: what settings are that the run does not know yet, as an older version began it;
            in the form of the configuration.

        Raises:
          RunDirectoryError: the folder holds something else than a run, a run of another
            configuration (unless `overwrite`, or it only has more epochs and none of those that
            were done would be another), is in use by another process, or cannot be written.
        """
        run = cls(path)
        configuration = json.loads(to_json_text(configuration))
        cls.check(path)
        with attempting("make the folder", run.path):
            run.path.mkdir(parents=True, exist_ok=True)
        if with_others:
            run._reach(places.hold(run.path).way)
        else:
            run._reach(lock_folder(run.path))
            sweep(run._way)
        if os.path.lexists(run.file(CONFIG)):
            there = completed(run.configuration, json.loads(to_json_text(defaults or {})))
            check_command(run.path, there, configuration)
            if not overwrite and (there == configuration or has_work(run._way)):
                check_same(run.path, there, configuration)
                if is_longer(there, configuration):
                    run._prolong(configuration)
                run._files = (origin or {}).get(FILES)
                return run
            delete(run._way, run.path)
        run.write_json(
            CONFIG,
            {
                "format_version": FORMAT_VERSION,
                "versions": versions(),
                "configuration": configuration,
                "origin": dict(origin or {}),
            },
        )
        return run

    def _prolong(self, configuration: Mapping[str, Any]) -> None:
        """Lets the run have a configuration with more epochs from now on."""
        self.write_json(CONFIG, {**self.read_json(CONFIG), "configuration": configuration})

    @classmethod
    def check(cls, path: str | os.PathLike[str]) -> None:
        """Finds out early whether `open` can make or find a run in a folder; changes nothing.

        Args:
          path: of the folder.

        Raises:
          RunDirectoryError: it is a file, holds something else than a run, or cannot be written.
        """
        folder = absolute(user_path(path))
        there = folder
        while not os.path.lexists(there):
            there = there.parent
        if not there.is_dir():
            raise RunDirectoryError(f"{there} is a file; output_dir must be a folder.")
        if not os.access(there, os.W_OK | os.X_OK):
            raise RunDirectoryError(f"Cannot write into the folder {there}: permission denied.")
        if there != folder:
            return
        with attempting("read the folder", folder):
            entries = [name for name in os.listdir(folder) if not name.startswith(".")]
        if entries and CONFIG not in entries:
            raise RunDirectoryError(
                f"{folder} is not empty and is no run of enas_tf (it has no {CONFIG}); nothing "
                "was changed. Give another output_dir."
            )

    @classmethod
    def existing(cls, path: str | os.PathLike[str], *, lock: bool = True) -> Self:
        """Returns the run in a folder, whatever its configuration.

        Args:
          path: of the folder.
          lock: whether it shall stay with this process, which may then write into it.

        Raises:
          RunDirectoryError: there is no such folder, it holds no run, or another process is
            writing into it and `lock` is asked for.
        """
        run = cls(path)
        # os.path answers no to a text that is too long for a path; pathlib would raise.
        if not os.path.isfile(run.path / CONFIG):
            what = f"has no {CONFIG}" if os.path.isdir(run.path) else "is not a folder"
            raise RunDirectoryError(
                f"{run.path} {what}; expected the output_dir of enas-search or enas-retrain."
            )
        if lock:
            run._reach(lock_folder(run.path))
        return run

    @property
    def configuration(self) -> dict[str, Any]:
        """The configuration that the run was made with."""
        configuration = self.read_json(CONFIG).get("configuration")
        if not isinstance(configuration, dict):
            raise RunDirectoryError(f"{self.path / CONFIG} was not written by enas_tf.")
        return configuration

    @property
    def origin(self) -> dict[str, Any]:
        """Where the configuration comes from, as far as it was written down."""
        origin = self.read_json(CONFIG).get("origin")
        return origin if isinstance(origin, dict) else {}

    @property
    def checkpoints(self) -> pathlib.Path:
        """Folder of the checkpoints."""
        return self.file(CHECKPOINTS)

    @property
    def has_checkpoint(self) -> bool:
        """Whether a checkpoint has been saved, which a run can go on from."""
        return any(self.checkpoints.glob("*.index"))

    @property
    def tensorboard(self) -> pathlib.Path:
        """Folder of TensorBoard's event files."""
        return self.file(TENSORBOARD)

    def write_json(self, name: str, value: Any) -> pathlib.Path:
        """Writes a file that is, at every moment, either the old one or the whole new one.

        Args:
          name: of the file in the run directory.
          value: as in `JsonLines.append`.

        Returns:
          The path of the file.
        """
        return self.write_text(name, to_json_text(value, indent=2) + "\n")

    def write_text(self, name: str, text: str) -> pathlib.Path:
        """Writes a text file as `write_json` does, for example a drawing.

        A file that holds the text already stays untouched.
        """
        path = self.file(name)
        with contextlib.suppress(OSError):
            if read_bytes(path) == to_bytes(text):
                return self.path / name
        write_text(path, text)
        return self.path / name

    def keep_asset(self, name: str, text: str) -> None:
        """Writes a text file that belongs to the data, once.

        Args:
          name: of the file.
          text: what the data say now.

        Raises:
          DataError: the run was begun with other data.
        """
        with attempting("read", self.path / name):
            try:
                kept = read_bytes(self.file(name))
            except FileNotFoundError:
                self.write_text(name, text)
                return
        if kept != to_bytes(text):
            raise DataError(
                f"The dataset has changed since the run in {self.path} began: its {name} would be "
                "another one. Give the dataset of that time, or --overwrite to start anew."
            )

    def read_json(self, name: str) -> dict[str, Any]:
        """Returns the object in a file of the run directory.

        Raises:
          RunDirectoryError: there is no such file, or it holds no JSON object.
        """
        path = self.path / name
        with attempting("read", path):
            try:
                value = json.loads(read_bytes(self.file(name)).decode("utf-8"))
            except FileNotFoundError as error:
                raise RunDirectoryError(f"{self.path} has no {name}.") from error
            except (ValueError, RecursionError) as error:
                raise RunDirectoryError(f"{path} is not valid JSON: {error}.") from error
        if not isinstance(value, dict):
            raise RunDirectoryError(f"{path} holds no JSON object.")
        return value

    def position(self) -> dict[str, int]:
        """Returns how far the logs have been written, to be kept in a checkpoint.

        Until there they are on the disk, so that not even a power cut takes lines that the
        checkpoint relies on.
        """
        for log in self._logs:
            log.sync()
        return {log.path.name: log.size for log in self._logs}

    def rewind(self, position: Mapping[str, int]) -> None:
        """Forgets what was logged after a position, so that a resumed run repeats no line.

        Args:
          position: what `position` returned; `{}` is the beginning.
        """
        for log in self._logs:
            log.truncate(position.get(log.path.name, 0))

    def __enter__(self) -> Self:
        if self._handler is None:
            path = self.file(LOG)
            with writing(path):
                self._handler = LogFile(path)
            form = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
            self._handler.setFormatter(form)
            package = logging.getLogger("enas_tf")
            package.addHandler(self._handler)
            if package.level == logging.NOTSET:
                package.setLevel(logging.INFO)
            self._compare_versions()
            self._compare_files()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the files of the run; it can still be used."""
        for log in self._logs:
            log.close()
        if self._handler is not None:
            logging.getLogger("enas_tf").removeHandler(self._handler)
            self._handler.close()
            self._handler = None

    def _compare_versions(self) -> None:
        """Says that a run goes on with another TensorFlow or Keras than it began with."""
        with contextlib.suppress(RunDirectoryError):
            if different := changed_versions(self.read_json(CONFIG).get("versions")):
                logger.warning(
                    "The run in %s was begun with other versions (%s); it goes on, but may not end "
                    "as it would have, to the last bit.",
                    self.path,
                    different,
                )

    def _compare_files(self) -> None:
        """Says that the files of the data are not those that the run began with."""
        if self._files is not None and self.origin.get(FILES, self._files) != self._files:
            logger.warning(
                "The run in %s was begun with other files: names, sizes or times differ. It goes "
                "on with these; --overwrite starts anew.",
                self.path,
            )
