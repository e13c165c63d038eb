"""Several machines of one training, played by processes of this one on the loopback interface."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from typing_extensions import Self


class End(NamedTuple):
    """How a process ended."""

    code: int
    output: str
    errors: str


def free_ports(count: int) -> list[int]:
    """Returns ports that nobody listens on at the moment."""
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [server.getsockname()[1] for server in servers]


def addresses(count: int) -> list[str]:
    """Returns addresses `host:port` of as many machines."""
    return [f"127.0.0.1:{port}" for port in free_ports(count)]


def tf_config(machines: Sequence[str], index: int) -> str:
    """Returns the value of `TF_CONFIG` of one of some machines."""
    return json.dumps(
        {"cluster": {"worker": list(machines)}, "task": {"type": "worker", "index": index}}
    )


class Machines:
    """Python processes that train together; none of them outlives the `with` block.

    Args:
      folder: for their outputs.
      *arguments: of the Python interpreter, for each of the processes.
    """

    def __init__(self, folder: pathlib.Path, *arguments: Sequence[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._arguments = arguments
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        machines = addresses(len(self._arguments))
        # This process has chosen it for itself.
        inherited = {**os.environ}
        inherited.pop("TF_CPP_MIN_LOG_LEVEL", None)
        # One that is killed leaves its temporary files.
        inherited["TMPDIR"] = str(self._folder)
        for index, arguments in enumerate(self._arguments):
            environment = {**inherited, "TF_CONFIG": tf_config(machines, index)}
            with (
                self._path(index, "output").open("wb") as output,
                self._path(index, "errors").open("wb") as errors,
            ):
                command = [sys.executable, *map(str, arguments)]
                self.processes.append(
                    subprocess.Popen(command, stdout=output, stderr=errors, env=environment)
                )
        return self

    def __exit__(self, *exception: object) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def _path(self, index: int, name: str) -> pathlib.Path:
        return self._folder / f"{name}{index}.txt"

    def ends(self, timeout: float) -> list[End]:
        """Waits for all processes and returns how they ended.

        Args:
          timeout: seconds; one that still runs then is killed (-9).
        """
        deadline = time.monotonic() + timeout
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
        return [
            End(
                process.returncode,
                self._path(index, "output").read_text(),
                self._path(index, "errors").read_text(),
            )
            for index, process in enumerate(self.processes)
        ]

    def wait_for_lines(self, log: pathlib.Path, count: int, timeout: float) -> None:
        """Returns as soon as a file has so many lines, or a process has ended.

        Raises:
          TimeoutError: neither happened.
        """
        for _ in _polls(timeout):
            lines = log.read_bytes().count(b"\n") if log.exists() else 0
            if lines >= count or any(process.poll() is not None for process in self.processes):
                return
        raise TimeoutError(f"{log} has fewer than {count} lines after {timeout:g} s.")


def _polls(timeout: float) -> Iterator[None]:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        yield
        time.sleep(0.02)


def run_machines(
    folder: pathlib.Path, *arguments: Sequence[str], timeout: float = 120.0
) -> list[End]:
    """Runs a Python process for each of the arguments, and returns how they ended."""
    with Machines(folder, *arguments) as machines:
        return machines.ends(timeout)
