"""The run directory of a training on several machines."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from enas_tf.runs.directory import RunDirectory
from enas_tf.training.machines.agreement import Machines


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
        yield stack.enter_context(opened[0])
