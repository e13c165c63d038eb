"""Commands in processes of their own that are killed at chosen moments."""

import contextlib
import dataclasses
import importlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from tests.run_contents import run_contents

SEARCH, RETRAIN = COMMANDS = ("search", "retrain")
TIME, LINE, CHECKPOINT, RESULT = KINDS = ("time", "line", "checkpoint", "result")
# Of a line, of a new checkpoint's first file or of a new result to the kill.
LONGEST_DELAY = {TIME: 0.0, LINE: 0.5, CHECKPOINT: 0.01, RESULT: 0.05}
# What each command writes in the end.
RESULTS = {
    SEARCH: ("best_architecture.json",),
    RETRAIN: ("model.keras", "results.json", "saved_model"),
}
POLL_SECONDS = 0.001


class Process(Protocol):
    """A command that runs; `subprocess.Popen` is one."""

    pid: int

    def poll(self) -> int | None:
        """Returns the exit code if it has ended."""


Launch = Callable[[str, Sequence[str], pathlib.Path], Process]


@dataclasses.dataclass(frozen=True)
class Kill:
    """When a command is killed.

    Attributes:
      command: which one.
      kind: one of `KINDS`.
      share: from 0 to 1: of the lines, the checkpoints or the results of the whole command, or of
        the time that is left. The next one is taken if it has been passed already.
      delay: from 0 to 1: of the longest delay after the line or the file.
    """

    command: str
    kind: str
    share: float
    delay: float


@dataclasses.dataclass
class Course:
    """How a command ran undisturbed.

    Attributes:
      phases: of each line of `metrics.jsonl`.
      lines: seconds from the start until each of the lines was there.
      checkpoints: number of the last one.
      seconds: it took.
    """

    phases: list[str]
    lines: list[float]
    checkpoints: int
    seconds: float

    def left(self, lines: int) -> float:
        """Returns how long a command with so many lines takes to its end if it starts now."""
        if not 0 < lines <= len(self.lines):
            return self.seconds
        return self.lines[0] + self.seconds - self.lines[lines - 1]

    def phase(self, lines: int) -> str:
        """Returns what a command with so many lines is at."""
        return self.phases[lines] if lines < len(self.phases) else "end"


class Run:
    """A search and a retraining in folders of their own.

    Args:
      folder: of both.
      arguments: of each command, without folders.
      launch: starts a command, with its arguments and the file of its output.
    """

    def __init__(
        self, folder: pathlib.Path, arguments: dict[str, Sequence[str]], launch: Launch
    ) -> None:
        self.folders = {command: folder / command for command in COMMANDS}
        self._arguments = arguments
        self._launch = launch
        self._started = 0.0

    def start(self, command: str) -> Process:
        """Starts a command in a session of its own."""
        arguments = [*self._arguments[command], f"--output_dir={self.folders[command]}"]
        if command == RETRAIN:
            arguments.append(f"--architecture={self.folders[SEARCH]}")
        output = self.folders[command].with_suffix(".txt")
        output.parent.mkdir(parents=True, exist_ok=True)
        self._started = time.time()
        return self._launch(command, arguments, output)

    @property
    def seconds(self) -> float:
        """Since the last start."""
        return time.time() - self._started

    def finish(self, command: str, when_line: Callable[[], None] = lambda: None) -> None:
        """Runs a command to its end.

        Args:
          command: which one.
          when_line: called for every line of `metrics.jsonl` as soon as it is there.
        """
        process, known = self.start(command), 0
        with _killed_at_the_end(process):
            while process.poll() is None:
                for _ in range(known, self.num_lines(command)):
                    known += 1
                    when_line()
                time.sleep(POLL_SECONDS)
        self._check(command, process)

    def _check(self, command: str, process: Process) -> None:
        if process.poll() != 0:
            output = self.folders[command].with_suffix(".txt").read_text(errors="replace")
            raise RuntimeError(f"{command} ended with {process.poll()}:\n{output[-3000:]}")

    def course(self, command: str) -> Course:
        """Runs a command to its end and returns how it went."""
        times: list[float] = []
        self.finish(command, lambda: times.append(self.seconds))
        text = (self.folders[command] / "metrics.jsonl").read_text()
        phases = [json.loads(line)["phase"] for line in text.splitlines()]
        times += [self.seconds] * (len(phases) - len(times))
        return Course(phases, times, self._newest_checkpoint(command), self.seconds)

    def kill(self, kill: Kill, course: Course) -> str | None:
        """Starts a command and kills it.

        Args:
          kill: which command, and when.
          course: how it runs undisturbed.

        Returns:
          Where the kill hit, or None if the command ended before.
        """
        command = kill.command
        kind, condition = self._condition(kill, course)
        process = self.start(command)
        with _killed_at_the_end(process):
            while process.poll() is None and not condition():
                time.sleep(POLL_SECONDS)
            time.sleep(kill.delay * LONGEST_DELAY[kind])
            if process.poll() is not None:
                self._check(command, process)
                return None
        return f"{kind:<10}  killed after {self.seconds:5.1f} s  {self._place(command, course)}"

    def _condition(self, kill: Kill, course: Course) -> tuple[str, Callable[[], bool]]:
        """Returns what kind of moment it is, and what becomes true then."""
        command, results = kill.command, RESULTS[kill.command]
        counted = {
            LINE: (self.num_lines, len(course.lines)),
            CHECKPOINT: (self._newest_checkpoint, course.checkpoints),
        }
        if kill.kind in counted:
            count, total = counted[kill.kind]
            target = max(int(kill.share * total), count(command)) + 1
            if target <= total:
                return kill.kind, lambda: count(command) >= target
        # A search does not derive twice.
        elif kill.kind == RESULT and (command == RETRAIN or not self._modified(command, *results)):
            result = results[int(kill.share * len(results))]
            before = self._modified(command, result)
            return kill.kind, lambda: self._modified(command, result) != before
        seconds = kill.share * course.left(self.num_lines(command))
        return TIME, lambda: self.seconds >= seconds

    def num_lines(self, command: str) -> int:
        """Number of whole lines of `metrics.jsonl`."""
        path = self.folders[command] / "metrics.jsonl"
        try:
            return path.read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0

    def _newest_checkpoint(self, command: str) -> int:
        """Number of the newest checkpoint of which there is a file, whole or not; 0: none."""
        with contextlib.suppress(FileNotFoundError):
            names = os.listdir(self.folders[command] / "checkpoints")
            matches = (re.match(r"\D*-(\d+)", name) for name in names)
            return max((int(match[1]) for match in matches if match), default=0)
        return 0

    def _modified(self, command: str, *names: str) -> float:
        """Returns when the last of some files was written, in seconds since the epoch; 0: never."""
        times = [0.0]
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                times.append((self.folders[command] / name).stat().st_mtime)
        return max(times)

    def _place(self, command: str, course: Course) -> str:
        """Returns what a killed command was at, as its files tell."""
        folder, lines = self.folders[command], self.num_lines(command)
        checkpoints = [f"checkpoints/{path.name}" for path in folder.glob("checkpoints/*")]
        written = self._modified(command, "metrics.jsonl", *RESULTS[command], *checkpoints)
        # A file's time is that of the last tick of the system's clock.
        if written < self._started - 0.01:
            return f"{command}, starting; {lines} of {len(course.lines)} lines"
        cut_off = self._cut_off(folder / "checkpoints")
        at = f"{command}, {course.phase(lines)}; {lines} of {len(course.lines)} lines"
        return f"{at}; cut off: {', '.join(cut_off)}" if cut_off else at

    def _cut_off(self, folder: pathlib.Path) -> list[str]:
        """Returns the files of the checkpoints that are not whole: those without an index."""
        names = sorted(os.listdir(folder)) if folder.is_dir() else []
        return [
            name
            for name in names
            if name != "checkpoint" and f"{name.partition('.')[0]}.index" not in names
        ]

    def contents(self) -> dict[str, Any]:
        """Returns everything that kills must not change."""
        return {
            f"{command}/{name}": value
            for command in COMMANDS
            for name, value in run_contents(self.folders[command]).items()
        }

    def left_over(self) -> list[str]:
        """Returns the temporary files that kills have left behind."""
        return [
            str(path.relative_to(folder.parent))
            for folder in self.folders.values()
            for path in sorted(folder.rglob("*"))
            if path.name.startswith(".") or "_temp" in path.name
        ]


@contextlib.contextmanager
def _killed_at_the_end(process: Process) -> Iterator[None]:
    """Sends SIGKILL to the group of a process that has not ended, whatever happens."""
    try:
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            while process.poll() is None:
                time.sleep(POLL_SECONDS)


def launch_program(command: str, arguments: Sequence[str], output: pathlib.Path) -> Process:
    """Starts a command as a user does; see `Run`."""
    with output.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", f"enas_tf.cli.{command}", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


class Fork:
    """A fork of this process that runs a command; see `Run`.

    It need not import TensorFlow if `prepare` was called, and saves some seconds. This process must
    not have used TensorFlow, though.
    """

    @staticmethod
    def prepare() -> None:
        """Imports all that the commands import at their beginning."""
        modules = (
            "cli.search",
            "cli.retrain",
            "searching.search",
            "final_training.api",
            "models.export",
        )
        for module in modules:
            importlib.import_module(f"enas_tf.{module}")

    def __init__(self, command: str, arguments: Sequence[str], output: pathlib.Path) -> None:
        self._code: int | None = None
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.setsid()
                with output.open("ab") as file:
                    os.dup2(file.fileno(), 1)
                    os.dup2(file.fileno(), 2)
                code = sys.modules[f"enas_tf.cli.{command}"].main(arguments)
                sys.stdout.flush()
            finally:
                os._exit(code)

    def poll(self) -> int | None:
        """Returns the exit code if the command has ended."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code
