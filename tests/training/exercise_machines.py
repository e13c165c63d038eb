"""Two processes that exercise everything machines agree on; each prints what it saw as JSON.

Run by `agreement_test.py`: `python -m tests.training.exercise_machines FOLDER`.
"""

import json
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import enas_tf  # noqa: F401  (sets TensorFlow's switches before TensorFlow is imported)

# isort: split
import keras
import tensorflow as tf

from enas_tf.errors import (
    ArchitectureError,
    ConfigurationError,
    DataError,
    EnasError,
    NumericalError,
    RunDirectoryError,
)
from enas_tf.layers.batch_normalization import FusedBatchNormalization
from enas_tf.runs.directory import RunDirectory
from enas_tf.searching.strategies import build_strategy
from enas_tf.searching.strategies.of_chief import ChiefsStrategy
from enas_tf.training.checkpoints import Checkpoints
from enas_tf.training.devices import strategy_of_devices
from enas_tf.training.interruption import DeferredSignals
from enas_tf.training.machines.agreement import Machines
from enas_tf.training.machines.checkpoints import ChiefsCheckpoints
from enas_tf.training.machines.run import open_run
from enas_tf.training.moving_statistics import MeanMovingStatistics
from enas_tf.training.pauses import Pauses
from enas_tf.training.sums import run_and_sum
from tests.searching.made_up_data import CONFIG, SPACE

ERRORS = (
    EnasError,
    ArchitectureError,
    ConfigurationError,
    DataError,
    NumericalError,
    RunDirectoryError,
)
# Numbers whose bits a sum could change.
ODD_FLOATS = [-0.0, 1.5, 1e-45, -np.inf, np.nan]


def said(function: Callable[[], Any]) -> list[str] | None:
    """Returns the kind and the message of the error that a function raises."""
    try:
        function()
    except EnasError as error:
        return [type(error).__name__, str(error)]
    return None


def bits(arrays: Sequence[Any]) -> list[Any]:
    """Returns types, shapes and bits of arrays."""
    arrays = [np.asarray(array) for array in arrays]
    return [[array.dtype.name, list(array.shape), array.tobytes().hex()] for array in arrays]


def arrays_of(machines: Machines) -> list[np.ndarray]:
    """Returns arrays of many types, on every machine others."""
    own = 100 * machines.index
    return [
        np.arange(6, dtype=np.int32).reshape(2, 3) + own,
        np.array([2**62, -(2**62)]) - own,
        np.array(ODD_FLOATS, np.float32) + np.float32(own),
        np.array([0.1, -0.0]) - own,
        np.array([True, False]) ^ bool(own),
        np.array(own + 7),
        np.zeros([0, 3], np.float32),
    ]


def deciding(machines: Machines) -> dict[str, Any]:
    """Returns what `decide` returns and raises; only the chief's answers count."""
    called = []

    def answer() -> dict[str, Any]:
        called.append(True)
        return {"text": "größer\n", "numbers": [1, 0.1, None, True], "index": machines.index}

    def failing(kind: type[EnasError]) -> Callable[[], None]:
        def fail() -> None:
            raise kind(f"of machine {machines.index}")

        return fail

    return {
        "answer": machines.decide(answer),
        "called": len(called),
        "long": len(machines.decide(lambda: "x" * (10_000 - 5_000 * machines.index))),
        "nothing": machines.decide(lambda: None),
        "errors": [said(lambda kind=kind: machines.decide(failing(kind))) for kind in ERRORS],
    }


def variables_of_chief(machines: Machines, strategy: tf.distribute.Strategy) -> list[Any]:
    """Returns variables of several types, after they got the chief's values."""
    with strategy.scope():
        variables = [
            *(tf.Variable(array) for array in arrays_of(machines)[:5]),
            tf.Variable([1.5 + machines.index], synchronization=tf.VariableSynchronization.ON_READ),
        ]
    variables[-1] = strategy.experimental_local_results(variables[-1])[0]
    for variable, value in zip(variables, arrays_of(machines)[:5]):
        variable.assign(value)
    machines.assign_of_chief(variables)
    return bits([variable.numpy() for variable in variables])


def comparing(machines: Machines) -> dict[str, Any]:
    """Returns what `check_same` says."""
    own = machines.index
    same = {"search": {"seed": 3, "strategy": "random"}}
    return {
        "same": said(lambda: machines.check_same(same)),
        "order": said(lambda: machines.check_same(dict(sorted(same.items(), reverse=bool(own))))),
        "other": said(lambda: machines.check_same({"search": {"seed": 3 + own}})),
        "longer": said(lambda: machines.check_same({"search": {"name": "a" * (1 + 30 * own)}})),
    }


def opening(machines: Machines, folder: pathlib.Path) -> dict[str, Any]:
    """Returns what becomes of run directories."""
    own, runs = machines.index, folder / f"runs_of_{machines.index}"
    with open_run(runs / "same", {"seed": 1}, machines) as run:
        run.metrics.append({"step": own})
        path = run.path
        log = run.metrics.read()
    RunDirectory.open(runs / "done", {"seed": 1}).metrics.append({"step": 1})
    (runs / "full").mkdir()
    (runs / "full" / "novel.txt").write_text("once")

    def enter(name: str, configuration: dict[str, Any], **options: Any) -> list[str] | None:
        def open_it() -> None:
            with open_run(runs / name, configuration, machines, **options):
                pass

        return said(open_it)

    return {
        "log": log,
        "is_own": path == runs / "same",
        "is_there": path.exists(),
        "differ": enter("differ", {"seed": own}),
        "not_a_run": enter("full", {"seed": 1}),
        "another_run": enter("done", {"seed": 2}),
        "overwritten": enter("done", {"seed": 2}, overwrite=True),
        "files": sorted(str(file.relative_to(runs)) for file in runs.rglob("*") if file.is_file()),
    }


def saving(machines: Machines, folder: pathlib.Path) -> dict[str, Any]:
    """Returns what is saved and restored; machines have folders of their own."""
    own, checkpoints = machines.index, folder / f"checkpoints_of_{machines.index}"

    def make(value: float, seed: int = 1) -> tuple[tf.Variable, ChiefsCheckpoints]:
        variable = tf.Variable([value + own], dtype=tf.float64)
        plain = Checkpoints(checkpoints, {"seed": seed}, variable=variable)
        return variable, ChiefsCheckpoints(plain, machines)

    variable, shared = make(0.25)
    found = [shared.restore()]
    for value, score in ((0.25, 0.9), (0.5, 0.1)):
        variable.assign([value + own])
        shared.state.values = {"value": value, "index": own}
        shared.save(score)
    values = []
    for which in ("latest", "best"):
        variable, shared = make(7.0)
        found.append(shared.restore(which))
        values.append([*variable.numpy().tolist(), shared.state.values])
    return {
        "found": found,
        "values": values,
        "files": sorted(path.name for path in checkpoints.glob("*.index")),
        "another": said(lambda: make(7.0, seed=2)[1].restore()),
    }


def proposing(machines: Machines) -> dict[str, Any]:
    """Returns what strategies propose that have another seed on every machine."""
    strings = {}
    for name in ("reinforce", "evolution"):
        config = CONFIG.replace(seed=3 + machines.index)
        strategy = ChiefsStrategy(build_strategy(name, SPACE, config), machines)
        first = strategy.propose(4)
        metrics = strategy.observe(first, [0.1 + 0.2 * machines.index] * 4)
        strategy.skip_proposal()
        favourite = strategy.most_likely()
        proposed = [*first, *strategy.propose(3), *strategy.candidates(2), favourite]
        strings[name] = [[one.to_release_string() for one in proposed], metrics]
    random = ChiefsStrategy(build_strategy("random", SPACE, CONFIG), machines)
    strings["no favourite"] = random.most_likely() is None
    one = SPACE.random_architecture(0)
    strings["not finite"] = said(
        lambda: random.observe([one], [np.nan if not machines.index else 1])
    )
    return strings


def pausing(machines: Machines) -> dict[str, Any]:
    """Returns when the machines pause if only the second one gets a signal."""
    signals, now = DeferredSignals(), [0.0]
    pauses = Pauses(signals, machines, clock=lambda: now[0])
    # Only the chief's clock counts.
    now[0] = 700.0 if machines.is_chief else 0.0
    answers = [pauses.before(step).value for step in (10, 11)]
    pauses.saved()
    if not machines.is_chief:
        signals.number = 15
    answers += [pauses.before(step).value for step in (12, 13, 20)]
    return {"answers": answers, "number": signals.number}


def adding(strategy: tf.distribute.Strategy) -> list[Any]:
    """Returns sums over the machines, and moving statistics that they share."""

    def of_replica() -> tuple[Any, Any]:
        number = tf.distribute.get_replica_context().replica_id_in_sync_group + 1
        return {"whole": number, "real": tf.cast(number, tf.float32) * [0.5, 2.0]}, number

    step = tf.function(lambda: run_and_sum(strategy, of_replica, ())[0], autograph=False)
    sums = {name: value.numpy().tolist() for name, value in step().items()}
    with strategy.scope():
        network = keras.Sequential([FusedBatchNormalization(momentum=0.5)])
        network.build([None, 1, 1, 1])
    moving = MeanMovingStatistics(network, strategy)

    @tf.function(autograph=False)
    def train() -> None:
        def of_replica() -> tuple[Any, Any]:
            number = tf.distribute.get_replica_context().replica_id_in_sync_group
            network(tf.fill([4, 1, 1, 1], tf.cast(number, tf.float32)), training=True)
            return moving.of_replica(), ()

        moving.share(run_and_sum(strategy, of_replica, ())[0])

    train()
    local = [strategy.experimental_local_results(w.value) for w in network.non_trainable_variables]
    return [sums, [value.numpy().tolist() for (value,) in local]]


def main(folder: pathlib.Path) -> None:
    """Prints what this process sees."""
    strategy = strategy_of_devices("cpu:1", 60.0)
    machines = Machines(strategy)
    with machines.together():
        seen = {
            "place": [machines.index, machines.count, machines.is_chief, machines.are_several],
            "of_all": machines.of_all([machines.index + 5, -1]).tolist(),
            "own": bits(arrays_of(machines)),
            "of_chief": bits(machines.of_chief(arrays_of(machines))),
            "decide": deciding(machines),
            "variables": variables_of_chief(machines, strategy),
            "check_same": comparing(machines),
            "open_run": opening(machines, folder),
            "checkpoints": saving(machines, folder),
            "strategies": proposing(machines),
            "pauses": pausing(machines),
            "sums": adding(strategy),
        }
    print(json.dumps(seen))
    sys.stdout.flush()
    if machines.is_chief:
        # The other one notices.
        return
    print(json.dumps(said(lambda: lost(machines))))


def lost(machines: Machines) -> None:
    """Waits for the chief, who has left."""
    with machines.together():
        machines.of_all([0])


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
