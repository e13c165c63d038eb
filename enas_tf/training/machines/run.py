"""The run directory of a training on several machines."""

import contextlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from enas_tf.runs.contents import DATA
from enas_tf.runs.directory import RunDirectory
from enas_tf.training.hardware import described
from enas_tf.training.machines.agreement import Machines

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def open_run(
    output_dir: str | os.PathLike[str],
    configuration: Mapping[str, Any],
    machines: Machines,
    *,
    overwrite: bool = False,
    origin: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Iterator[RunDirectory]:
    """Opens the run directory on the chief, and on other machines one that is deleted at the end.

    Args:
      output_dir: folder of the run; only the chief touches it.
      configuration: see `RunDirectory.open`.
      machines: the machines.
      overwrite: see `RunDirectory.open`.
      origin: see `RunDirectory.open`.
      defaults: see `RunDirectory.open`.

    Raises:
      ConfigurationError: the machines were given different configurations.
      RunDirectoryError: as for `RunDirectory.open`, on all machines.
    """
    machines.check_same(configuration)
    opened: list[RunDirectory] = []
    machines.decide(
        lambda: opened.append(
            RunDirectory.open(
                output_dir, configuration, overwrite=overwrite, origin=origin, defaults=defaults
            )
        )
    )
    with contextlib.ExitStack() as stack:
        if not opened:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="enas_machine_"))
            opened.append(RunDirectory.open(scratch, configuration))
        run = stack.enter_context(opened[0])
        _log.info("Runs on %s.", described(machines.distribution))
        yield run


def data_of_run(data: Any, part: str, run: RunDirectory, machines: Machines) -> Any:
    """Returns data with what the run found out about them as it began.

    Args:
      data: pictures or text.
      part: that is trained on.
      run: writes it down, on the chief.
      machines: the machines.
    """

    def first(function: Callable[[], Any]) -> Any:
        if not run.file(DATA).exists():
            run.write_json(DATA, function())
        return run.read_json(DATA)

    return data.begun(part, lambda function: machines.decide(lambda: first(function)))
