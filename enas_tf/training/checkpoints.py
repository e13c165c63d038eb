"""Checkpoints of a run: TensorFlow's objects, and plain Python values next to them."""

import collections
import contextlib
import json
import logging
import math
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import keras
import tensorflow as tf

from enas_tf.errors import RunDirectoryError
from enas_tf.files.places import check_place, shown
from enas_tf.files.writing import reason, to_json_text
from enas_tf.runs.differences import differences
from enas_tf.runs.prolonging import without_epochs
from enas_tf.training.checkpoint_files import NAME, CheckpointFiles

logger = logging.getLogger(__name__)

_PLAIN_STATE = "plain_state"
_ATTRIBUTE = "/.ATTRIBUTES/"
_VARIABLE = f"{_ATTRIBUTE}VARIABLE_VALUE"
_PLAIN = f"{_PLAIN_STATE}{_ATTRIBUTE}py_state"
# What TensorFlow writes of the objects themselves.
_OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"
# What reading a damaged file raises; the second one, if the data end too early; the third one, if
# it is no file.
_DAMAGE = (tf.errors.OpError, IndexError, OSError)


class PlainState(tf.train.experimental.PythonState):
    """A dictionary that JSON can hold, saved and restored with a `tf.train.Checkpoint`.

    Attributes:
      values: the dictionary.
    """

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, Any] = {}

    def serialize(self) -> str:
        """Returns the dictionary as text."""
        return json.dumps(self.values)

    def deserialize(self, string_value: bytes | str) -> None:
        """Replaces the dictionary."""
        self.values = json.loads(string_value)


def first_component(variable: tf.Variable) -> tf.Variable:
    """Returns the variable itself, or if every replica has one for itself, that of the first one.

    To read such a variable as a whole, all machines would have to take part.
    """
    if variable.synchronization != tf.VariableSynchronization.ON_READ:
        return variable
    strategy = getattr(variable, "distribute_strategy", None)
    return strategy.experimental_local_results(variable)[0] if strategy else variable


class KerasVariables(tf.Module):
    """Every weight of a Keras layer, model or optimizer, for a `tf.train.Checkpoint`.

    Of weights that every replica has for itself, those of the first replica.

    A checkpoint of the Keras object itself silently leaves out layers that are kept in lists or
    dictionaries. States of Keras's own random generators are not among the weights.

    Args:
      owner: has the weights; all of them must have been made.
    """

    def __init__(self, owner: keras.layers.Layer | keras.optimizers.Optimizer) -> None:
        super().__init__()
        is_layer = isinstance(owner, keras.layers.Layer)
        weights = owner.weights if is_layer else owner.variables
        self.weights = [first_component(weight.value) for weight in weights]


class _SavedState(PlainState):
    """The user's plain values, and next to them what `Checkpoints` keeps for itself.

    Attributes:
      about: `configuration`, and `best` with its `number` and `score`; both may be None.
    """

    _KEY = "checkpoints"

    def __init__(self) -> None:
        super().__init__()
        self.about: dict[str, Any] = {}

    def serialize(self) -> str:
        """Returns both as text."""
        return json.dumps({**self.values, self._KEY: self.about})

    def deserialize(self, string_value: bytes | str) -> None:
        """Replaces both."""
        super().deserialize(string_value)
        self.about = self.values.pop(self._KEY, {})


class Checkpoints:
    """The newest checkpoints of a run and the best one, in a folder.

    A checkpoint is written elsewhere, brought to the disk, and moved to its place, the index last:
    one whose index is there is whole, whatever ended the process. None is ever written over.

    ```python
    checkpoints = Checkpoints(folder, configuration, network=network, optimizer=optimizer)
    checkpoints.restore()
    checkpoints.state.values = {"epoch": 3}
    checkpoints.save(3, score=0.9)
    ```

    Args:
      folder: of the checkpoints; made when the first one is saved.
      configuration: of the run, as JSON can hold it; a checkpoint of another one is not restored.
        None: not compared.
      keep: how many of the newest checkpoints are kept, besides the best one.
      **objects: what to save, by name. All variables must have been made.

    Attributes:
      state: plain values that are saved too. Their key `checkpoints` is taken.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        configuration: Mapping[str, Any] | None = None,
        *,
        keep: int = 3,
        **objects: Any,
    ) -> None:
        self._files = CheckpointFiles(pathlib.Path(folder))
        # As it will be read again: JSON has no tuples.
        self._configuration = configuration and json.loads(to_json_text(configuration))
        self._keep = keep
        # Numbers of those that turned out to be damaged; the next save removes their files.
        self._damaged: set[int] = set()
        self.state = _SavedState()
        kinds = (keras.layers.Layer, keras.optimizers.Optimizer)
        tracked = {
            name: KerasVariables(value) if isinstance(value, kinds) else value
            for name, value in objects.items()
        }
        self._checkpoint = tf.train.Checkpoint(**{_PLAIN_STATE: self.state}, **tracked)
        # What the first save wrote of the objects, and their variables by name.
        self._objects: bytes | None = None
        self._named: dict[str, tf.Variable] = {}

    @property
    def variables(self) -> list[tf.Variable]:
        """All variables that are saved, once each, in the order of their names there."""
        named = sorted(_named_variables(self._checkpoint).items())
        return list({id(variable): variable for _, variable in named}.values())

    @property
    def newest(self) -> int:
        """The greatest number of a checkpoint that is there, whole or not; 0 if there is none."""
        return max(self._files.newest, 0)

    @property
    def best(self) -> dict[str, Any] | None:
        """The `number` and the `score` of the best checkpoint as of the last save or restore."""
        return self.state.about.get("best")

    def restore(self, which: Literal["latest", "best"] = "latest") -> bool:
        """Restores a checkpoint; a damaged one is passed over for the one before, with a warning.

        Args:
          which: the newest one, or the one that was saved with the highest score. If no score was
            ever given, the newest one is the best.

        Returns:
          Whether there was one; False if none was ever saved.

        Raises:
          RunDirectoryError: all of them are damaged, or the one to be restored belongs to another
            configuration or to other variables, of which none was changed then.
        """
        numbers = self._files.indexed()
        if which == "best":
            best = self._best_of(numbers)
            numbers.sort(key=lambda number: number != best)
        damage: dict[int, str] = {}
        for number in numbers:
            try:
                self._restore(number)
            except tf.errors.ResourceExhaustedError:
                # Memory is short; the checkpoint is not to blame.
                raise
            except _DAMAGE as error:
                damage[number] = reason(error)
                continue
            for damaged, what in damage.items():
                path, instead = self._shown(damaged), self._files.prefix(number).name
                message = "The checkpoint %s is damaged (%s); %s is restored instead."
                logger.warning(message, path, what, instead)
            self._damaged.update(damage)
            return True
        if damage:
            number, what = next(iter(damage.items()))
            raise RunDirectoryError(
                f"The checkpoint {self._shown(number)} is damaged ({what}), and there is no "
                "other one to go on from; use --overwrite to start anew."
            )
        return False

    def save(self, number: int, score: float | None = None) -> None:
        """Saves everything, and then removes what is neither among the newest nor the best.

        Args:
          number: for the files' name, for example the number of steps done. The next free number
            is taken if there is a checkpoint of this or of a greater number.
          score: how good it is; the highest score is the best. None: never the best.

        Raises:
          RunDirectoryError: the folder cannot be written, for example because the disk is full.
            The checkpoints that were there stay, and nothing of the failed one.
        """
        with self._writing():
            number = max(number, self._files.newest + 1)
            before = self.state.about
            self.state.about = {
                "configuration": self._configuration,
                "best": self._best_with(number, score),
            }
            try:
                self._files.add(number, self._write)
            except BaseException:
                self.state.about = before
                raise
            kept = {*self._good()[-self._keep :]}
            self._files.keep(kept | {self.best["number"]} if self.best else kept)

    def _write(self, prefix: str) -> None:
        """Writes the files of a checkpoint.

        TensorFlow looks through all objects at every save, which takes longer than writing them.
        They stay the same; so the first save does that, and the others write what it wrote of the
        objects and the values of today.

        Args:
          prefix: of the files' names.
        """
        if self._objects is None:
            self._checkpoint.write(prefix)
            self._objects = tf.train.load_checkpoint(prefix).get_tensor(_OBJECTS)
            self._named = _named_variables(self._checkpoint)
            return
        tensors = {f"{name}{_VARIABLE}": variable for name, variable in self._named.items()}
        tensors |= {_PLAIN: self.state.serialize(), _OBJECTS: self._objects}
        with tf.device("CPU:0"):
            tf.raw_ops.SaveV2(
                prefix=prefix,
                tensor_names=list(tensors),
                shape_and_slices=[""] * len(tensors),
                tensors=list(map(tf.convert_to_tensor, tensors.values())),
            )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Turns errors of the file system into one line that says what is still good."""
        check_place(self._files.folder)
        try:
            yield
        except (tf.errors.OpError, OSError) as error:
            good = self._good()
            kept = (
                f"the last saved one, {NAME}{good[-1]}, stays good, and the same command goes on "
                "from it"
                if good
                else "none has been saved before"
            )
            raise RunDirectoryError(
                f"Cannot save a checkpoint in {shown(self._files.folder)}: {reason(error)}; {kept}."
            ) from error

    def _shown(self, number: int) -> pathlib.Path:
        return shown(self._files.prefix(number))

    def _good(self) -> list[int]:
        """Returns the numbers of the checkpoints that are not known to be damaged."""
        return [number for number in self._files.whole() if number not in self._damaged]

    def _best_with(self, number: int, score: float | None) -> dict[str, Any] | None:
        """Returns the best one once there is a checkpoint of this number and this score."""
        best = self.best if self.best and self.best["number"] in self._good() else None
        if score is None or not math.isfinite(score) or (best and score <= best["score"]):
            return best
        return {"number": number, "score": float(score)}

    def _best_of(self, numbers: Iterable[int]) -> int | None:
        """Returns the number of the best one as the first checkpoint that can be read tells it."""
        for number in numbers:
            with contextlib.suppress(*_DAMAGE):
                about = _about(self._reader(number))
                best = about.get("best") or {}
                return best.get("number")
        return None

    def _restore(self, number: int) -> None:
        path, reader = self._shown(number), self._reader(number)
        self._check_configuration(path, _about(reader).get("configuration"))
        _check_variables(path, reader, _named_variables(self._checkpoint))
        # Not `restore`, which counts saves in a variable of its own.
        self._checkpoint.read(str(self._files.prefix(number))).assert_consumed()

    def _reader(self, number: int) -> Any:
        self._files.check_regular(number)
        return tf.train.load_checkpoint(str(self._files.prefix(number)))

    def _check_configuration(self, path: pathlib.Path, there: Mapping[str, Any] | None) -> None:
        if self._configuration is None or there is None:
            return
        # Whether a run may have more epochs was found out before.
        different = differences(without_epochs(there), without_epochs(self._configuration))
        if different:
            raise RunDirectoryError(
                f"The checkpoint {path} belongs to another configuration ({different}). Use the "
                "same settings to go on, another output_dir, or --overwrite to start anew."
            )


def _about(reader: Any) -> dict[str, Any]:
    """Returns what `Checkpoints` keeps for itself; nothing if something else wrote it."""
    if not reader.has_tensor(_PLAIN):
        return {}
    state = _SavedState()
    state.deserialize(reader.get_tensor(_PLAIN))
    return state.about


def _named_variables(root: Any) -> dict[str, tf.Variable]:
    """Returns all variables below an object by the names that TensorFlow's checkpoints give them.

    Of several ways to a variable the shortest one names it, and of these the first one.
    """
    view = tf.train.TrackableView(root)
    named = {}
    seen = {id(root)}
    queue = collections.deque([("", root)])
    while queue:
        path, parent = queue.popleft()
        for name, child in view.children(parent).items():
            if id(child) not in seen:
                seen.add(id(child))
                # As TensorFlow escapes what has a meaning in names.
                child_path = path + name.replace(".", "..").replace("/", ".S")
                if isinstance(child, keras.Variable):
                    named[child_path] = child.value
                elif isinstance(child, tf.Variable):
                    named[child_path] = child
                queue.append((f"{child_path}/", child))
    return named


def _check_variables(path: pathlib.Path, reader: Any, variables: Mapping[str, tf.Variable]) -> None:
    """Raises `RunDirectoryError` that names the first variable that a checkpoint has otherwise."""
    shapes, types = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    there = {
        key.removesuffix(_VARIABLE): (tf.as_dtype(types[key]), tf.TensorShape(shapes[key]))
        for key in shapes
        if key.endswith(_VARIABLE)
    }
    now = {name: (variable.dtype, variable.shape) for name, variable in variables.items()}
    for name in sorted({*there, *now}):
        old, new = there.get(name), now.get(name)
        if not (old and new and old[0] == new[0] and old[1].is_compatible_with(new[1])):
            raise RunDirectoryError(
                f"The checkpoint {path} was saved by something else: {name} is {_show(old)} there "
                f"and {_show(new)} now. Give another output_dir, or --overwrite to start anew."
            )


def _show(kind: tuple[tf.DType, tf.TensorShape] | None) -> str:
    return f"{kind[0].name}{kind[1]}" if kind else "absent"
