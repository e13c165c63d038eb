"""The machines that train together, as the environment variable `TF_CONFIG` names them.

Nothing here imports TensorFlow: whatever is wrong with the variable is told before it is loaded,
and so is which machine is still missing.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import socket
import threading
import time
from collections.abc import Mapping

from enas_tf.environment.console import say
from enas_tf.errors import ConfigurationError, WorkerLostError

VARIABLE = "TF_CONFIG"
# The kinds of tasks that a training without parameter servers can have; the chief comes first.
_JOBS = ("chief", "worker")
_GREETING = "enas_tf worker"
_LONGEST_GREETING = 100
_SECONDS_BETWEEN_TRIES = 0.5
_SECONDS_BETWEEN_MESSAGES = 15.0
_SECONDS_TO_ANSWER = 5.0


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The processes of a training, one a machine.

    Attributes:
      addresses: `host:port` of every process; the chief, which writes all files, is the first.
      index: which of them this process is.
    """

    addresses: tuple[str, ...]
    index: int

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the files."""
        return self.index == 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Cluster | None":
        """Returns the cluster that `TF_CONFIG` describes; None if this process is alone.

        Args:
          environment: holds the variable, for example
            `{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}`.

        Raises:
          ConfigurationError: the variable cannot be used.
        """
        text = environment.get(VARIABLE, "").strip()
        if not text:
            return None
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _wrong(f"is no JSON ({error})") from error
        if not isinstance(value, dict):
            raise _wrong(f"must hold a JSON object; received {_show(value)}")
        jobs = value.get("cluster")
        if jobs is None or jobs == {}:
            return None
        addresses = _addresses(jobs)
        places = [(job, number) for job in _JOBS for number in range(len(addresses[job]))]
        task = value.get("task")
        task = task if isinstance(task, dict) else {}
        place = (task.get("type"), _integer(task.get("index")))
        if place not in places:
            raise _wrong(
                "names no task of its own cluster; expected a task such as "
                f'{{"type": "worker", "index": 0}}, received {_show(value.get("task"))}'
            )
        if len(places) == 1:
            return None
        return cls(tuple(a for job in _JOBS for a in addresses[job]), places.index(place))


def _integer(value: object) -> int | None:
    # Shell scripts like to put numbers into quotes.
    try:
        return int(str(value))
    except ValueError:
        return None


def _show(value: object) -> str:
    # Python cannot write what is nested too deeply.
    try:
        return f"{value!r:.200}"
    except RecursionError:
        return "too much to show"


def _wrong(what: str) -> ConfigurationError:
    return ConfigurationError(f"The environment variable {VARIABLE} {what}.")


def _addresses(jobs: object) -> dict[str, list[str]]:
    """Returns the addresses of each kind of task, checked."""
    if not isinstance(jobs, dict) or not set(jobs) <= set(_JOBS):
        raise _wrong(
            f"must have the tasks {' and '.join(_JOBS)} only in its cluster; received "
            f"{_show(', '.join(jobs) if isinstance(jobs, dict) else jobs)}"
        )
    addresses = {job: jobs.get(job, []) for job in _JOBS}
    for job, listed in addresses.items():
        if not isinstance(listed, list):
            raise _wrong(f"must hold a list of addresses for {job!r}; received {_show(listed)}")
        for address in listed:
            host, _, port = address.rpartition(":") if isinstance(address, str) else ("", "", "")
            if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
                raise _wrong(
                    f"must hold addresses host:port for {job!r}; received {_show(address)}"
                )
    if len(addresses["chief"]) > 1:
        raise _wrong(f"must name one chief at most; received {_show(addresses['chief'])}")
    everyone = [address for listed in addresses.values() for address in listed]
    if len(set(everyone)) < len(everyone):
        raise _wrong(f"names an address twice: {_show(everyone)}")
    return addresses


def wait_for_all(cluster: Cluster, timeout: float) -> None:
    """Returns when every process of the cluster is there, at about the same time in all of them.

    TensorFlow would wait for a missing one for ever, without a word and without minding Ctrl-C.

    Args:
      cluster: the processes; they meet on the ports that TensorFlow uses afterwards.
      timeout: how long to wait, in seconds.

    Raises:
      ConfigurationError: another process has taken this one's port, or was given another cluster
        or the place of another one in it.
      WorkerLostError: some did not come in time.
    """
    host, _, port = cluster.addresses[cluster.index].rpartition(":")
    try:
        server = _listening(int(port))
    except OSError as error:
        raise ConfigurationError(
            f"Cannot listen on the port {port} of {host}, which {VARIABLE} gives this process "
            f"({(error.strerror or str(error)).lower()}); is an earlier run still there?"
        ) from error
    with server:
        _Meeting(cluster, server).wait(timeout)


def _listening(port: int) -> socket.socket:
    """Returns a socket that listens on a port, for addresses of both kinds where there are both."""
    if not socket.has_dualstack_ipv6():
        return socket.create_server(("", port))
    return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)


class _Meeting:
    """Greets all other processes, and is greeted by all of them."""

    def __init__(self, cluster: Cluster, server: socket.socket) -> None:
        self._cluster = cluster
        self._server = server
        # Tells this cluster from others.
        self._digest = hashlib.sha256(json.dumps(cluster.addresses).encode()).hexdigest()[:16]
        others = set(range(len(cluster.addresses))) - {cluster.index}
        self._to_greet = set(others)
        self._unheard = {self._greeting(number): number for number in others}
        self._is_over = threading.Event()

    def _greeting(self, number: int) -> bytes:
        return f"{_GREETING} {number} {self._digest}\n".encode()

    def wait(self, timeout: float) -> None:
        """See `wait_for_all`."""
        answering = threading.Thread(target=self._answer_all, daemon=True)
        answering.start()
        try:
            self._greet_all(timeout)
        finally:
            # While somebody waits at it, the port is not free, even if the socket is closed.
            self._is_over.set()
            answering.join()

    def _greet_all(self, timeout: float) -> None:
        start = time.monotonic()
        said = start
        while missing := self._to_greet | {*self._unheard.values()}:
            for number in sorted(self._to_greet):
                if self._greet(number):
                    self._to_greet.discard(number)
            now = time.monotonic()
            if now - start > timeout:
                raise WorkerLostError(
                    f"No answer from {self._names(missing)} within {timeout:g} s. Start the same "
                    f"command on every machine, with the same cluster in {VARIABLE}, and see to "
                    "it that they reach each other."
                )
            if now - said > _SECONDS_BETWEEN_MESSAGES:
                said = now
                say(f"Waiting for {self._names(missing)}.")
            if self._to_greet or self._unheard:
                time.sleep(_SECONDS_BETWEEN_TRIES)

    def _names(self, numbers: set[int]) -> str:
        addresses = self._cluster.addresses
        return " and ".join(f"machine {number} ({addresses[number]})" for number in sorted(numbers))

    def _greet(self, number: int) -> bool:
        """Returns whether the process of a number is there.

        Raises:
          ConfigurationError: its place is taken by a process that takes itself for another one.
        """
        address = self._cluster.addresses[number]
        host, _, port = address.rpartition(":")
        try:
            with socket.create_connection(
                (host.strip("[]"), int(port)), _SECONDS_TO_ANSWER
            ) as peer:
                peer.sendall(self._greeting(self._cluster.index))
                answer = peer.makefile("rb").readline(_LONGEST_GREETING)
        except OSError:
            return False
        if answer.startswith(_GREETING.encode()) and answer != self._greeting(number):
            raise ConfigurationError(
                f"The process at {address} has another {VARIABLE} than this one; expected the same "
                f"cluster everywhere, and an index of its own for each process, {number} there "
                f"and {self._cluster.index} here."
            )
        return answer == self._greeting(number)

    def _answer_all(self) -> None:
        """Sends greetings back, until all have met."""
        self._server.settimeout(_SECONDS_BETWEEN_TRIES)
        while not self._is_over.is_set():
            try:
                peer, _ = self._server.accept()
            except OSError:
                continue
            # Nobody shall have to wait behind a stranger who says nothing.
            threading.Thread(target=self._answer, args=[peer], daemon=True).start()

    def _answer(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            peer.settimeout(_SECONDS_TO_ANSWER)
            greeting = peer.makefile("rb").readline(_LONGEST_GREETING)
            if greeting.startswith(_GREETING.encode()):
                peer.sendall(self._greeting(self._cluster.index))
                self._unheard.pop(greeting, None)
