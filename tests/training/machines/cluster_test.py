import contextlib
import json
import socket
import threading
import time

import pytest

from enas_tf.errors import ConfigurationError, WorkerLostError
from enas_tf.training.machines import cluster as cluster_module
from enas_tf.training.machines.cluster import Cluster, wait_for_all
from tests.loopback import addresses, free_ports

A, B, C = "a:1", "b:2", "[::1]:3"
TASK = {"type": "worker", "index": 0}


def parsed(text):
    return Cluster.from_environment({"TF_CONFIG": text})


def of(cluster, task=TASK, **others):
    return parsed(json.dumps({"cluster": cluster, "task": task, **others}))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no variable"),
        ("", "an empty one"),
        (" \n", "blank"),
        ("{}", "nothing in it"),
        ('{"cluster": {}}', "nobody"),
        ('{"cluster": null, "task": 3}', "nobody"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}', "only this"),
        ('{"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": 0}}', "only this"),
    ],
)
def test_a_process_may_be_alone(text, reason):
    assert Cluster.from_environment({} if text is None else {"TF_CONFIG": text}) is None, reason


@pytest.mark.parametrize(
    ("cluster", "task", "expected"),
    [
        ({"worker": [A, B]}, ("worker", 0), ((A, B), 0)),
        ({"worker": [A, B]}, ("worker", 1), ((A, B), 1)),
        ({"worker": [A, B, C]}, ("worker", 2), ((A, B, C), 2)),
        # Shell scripts put numbers into quotes.
        ({"worker": [A, B]}, ("worker", "1"), ((A, B), 1)),
        # The chief is the first one, wherever it stands.
        ({"worker": [B, C], "chief": [A]}, ("chief", 0), ((A, B, C), 0)),
        ({"worker": [B, C], "chief": [A]}, ("worker", 0), ((A, B, C), 1)),
        ({"chief": [A], "worker": [B, C]}, ("worker", 1), ((A, B, C), 2)),
        ({"chief": [], "worker": [A, B]}, ("worker", 0), ((A, B), 0)),
    ],
)
def test_clusters(cluster, task, expected):
    found = of(cluster, {"type": task[0], "index": task[1]})
    assert (found.addresses, found.index) == expected
    assert found.is_chief == (expected[1] == 0)


def test_other_entries_do_not_matter():
    assert of({"worker": [A, B]}, environment="cloud", rpc_layer="grpc").addresses == (A, B)


def no_json(text):
    return pytest.param(text, "is no JSON", text, id=f"no JSON: {text[:20]}")


def unlike(cluster, expected, received, task=TASK):
    text = json.dumps({"cluster": cluster, "task": task})
    return pytest.param(text, expected, received, id=f"{expected[:20]}: {text[:90]}")


OTHER_TASKS = "names no task of its own cluster; expected a task such as"
OTHER_ADDRESS = "must hold addresses host:port for 'worker'"
OTHER_JOBS = "must have the tasks chief and worker only"
TWO = {"worker": [A, B]}
BAD = [
    *(no_json(text) for text in ("worker", "{'cluster': {}}", '{"cluster": {', "[" * 100_000)),
    pytest.param("[1]", "must hold a JSON object", "[1]", id="list"),
    pytest.param('"a:1"', "must hold a JSON object", "'a:1'", id="text"),
    pytest.param("3", "must hold a JSON object", "3", id="number"),
    unlike({"worker": [A], "ps": [B]}, OTHER_JOBS, "worker, ps"),
    unlike({"Worker": [A, B]}, OTHER_JOBS, "Worker"),
    unlike([A, B], OTHER_JOBS, "['a:1', 'b:2']"),
    unlike(A, OTHER_JOBS, "'a:1'"),
    unlike({"worker": A}, "must hold a list of addresses for 'worker'", "'a:1'"),
    unlike({"worker": {"0": A}}, "must hold a list of addresses for 'worker'", "{'0': 'a:1'}"),
    unlike({"worker": None}, "must hold a list of addresses for 'worker'", "None"),
    unlike({"worker": [A, "b"]}, OTHER_ADDRESS, "'b'"),
    unlike({"worker": [A, "b:"]}, OTHER_ADDRESS, "'b:'"),
    unlike({"worker": [A, ":2"]}, OTHER_ADDRESS, "':2'"),
    unlike({"worker": [A, "b:0"]}, OTHER_ADDRESS, "'b:0'"),
    unlike({"worker": [A, "b:65536"]}, OTHER_ADDRESS, "'b:65536'"),
    unlike({"worker": [A, "b:²"]}, OTHER_ADDRESS, "'b:²'"),
    unlike({"worker": [A, "b:" + "9" * 5000]}, OTHER_ADDRESS, "'b:9999"),
    unlike({"worker": [A, "grpc://b"]}, OTHER_ADDRESS, "'grpc://b'"),
    unlike({"worker": [A, ""]}, OTHER_ADDRESS, "''"),
    unlike({"worker": [A, 2222]}, OTHER_ADDRESS, "2222"),
    unlike({"worker": [A, None]}, OTHER_ADDRESS, "None"),
    unlike({"worker": [A, [B]]}, OTHER_ADDRESS, "['b:2']"),
    unlike({"worker": [A, A]}, "names an address twice", "['a:1', 'a:1']"),
    unlike({"chief": [A], "worker": [A]}, "names an address twice", "['a:1', 'a:1']"),
    unlike({"chief": [A, B]}, "must name one chief at most", "['a:1', 'b:2']"),
    unlike({"worker": []}, OTHER_TASKS, "{'type': 'worker', 'index': 0}"),
    unlike(TWO, OTHER_TASKS, "None", task=None),
    unlike(TWO, OTHER_TASKS, "'worker'", task="worker"),
    unlike(TWO, OTHER_TASKS, "{}", task={}),
    unlike(TWO, OTHER_TASKS, "{'type': 'worker'}", task={"type": "worker"}),
    unlike(TWO, OTHER_TASKS, "{'index': 0}", task={"index": 0}),
    *(
        unlike(TWO, OTHER_TASKS, f"'index': {index!r}", task={"type": "worker", "index": index})
        for index in (2, -1, 0.5, "one", "", True, None, [0], {"0": 0})
    ),
    unlike(TWO, OTHER_TASKS, "'chief'", task={"type": "chief", "index": 0}),
    unlike(TWO, OTHER_TASKS, "'evaluator'", task={"type": "evaluator", "index": 0}),
    unlike(TWO, OTHER_TASKS, "['worker']", task={"type": ["worker"], "index": 0}),
    unlike({"worker": [A]}, OTHER_TASKS, "'index': 1", task={"type": "worker", "index": 1}),
]


@pytest.mark.parametrize(("text", "expected", "received"), BAD)
def test_what_cannot_be_used_is_told_in_one_line(text, expected, received):
    with pytest.raises(ConfigurationError) as error:
        parsed(text)
    message = str(error.value)
    assert message.startswith("The environment variable TF_CONFIG ")
    assert expected in message
    assert received in message or expected == "is no JSON"
    assert "\n" not in message
    assert len(message) < 500


@pytest.mark.parametrize("depth", [10, 300, 900, 960, 985, 100_000])
def test_deeply_nested_values_are_refused_too(depth):
    nested = "[" * depth + "]" * depth
    for text in (
        f'{{"cluster": {nested}}}',
        f'{{"cluster": {{"worker": {nested}}}}}',
        f'{{"cluster": {{"worker": ["a:1", "b:2"]}}, "task": {{"index": {nested}}}}}',
    ):
        with pytest.raises(ConfigurationError, match=r"^The environment variable TF_CONFIG "):
            parsed(text)


@pytest.fixture
def impatient(monkeypatch):
    """Tries again, and tells who is missing, every few hundredths of a second."""
    monkeypatch.setattr(cluster_module, "_SECONDS_BETWEEN_TRIES", 0.02)
    monkeypatch.setattr(cluster_module, "_SECONDS_BETWEEN_MESSAGES", 0.1)


class Meeting:
    """Processes of a cluster, played by threads, that wait for each other."""

    def __init__(self, names, timeout=20.0):
        self.names = names
        self._timeout = timeout
        self._threads = []
        self.errors = {}

    def come(self, index, names=None):
        """Lets a process come."""
        cluster = Cluster(tuple(names or self.names), index)

        def wait():
            try:
                wait_for_all(cluster, self._timeout)
                self.errors[index] = None
            except (ConfigurationError, WorkerLostError) as error:
                self.errors[index] = error

        self._threads.append(threading.Thread(target=wait, daemon=True))
        self._threads[-1].start()

    def end(self):
        """Returns the errors of all of them, or None, once they have met or have given up."""
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()
        return [error for _, error in sorted(self.errors.items())]


def test_all_meet(impatient):
    meeting = Meeting(addresses(3))
    for index in range(3):
        meeting.come(index)
    assert meeting.end() == [None] * 3


def test_a_late_one_is_waited_for(impatient, capsys):
    meeting = Meeting(addresses(2))
    meeting.come(0)
    time.sleep(0.3)
    assert meeting.errors == {}
    meeting.come(1)
    assert meeting.end() == [None, None]
    lines = capsys.readouterr().err.splitlines()
    assert set(lines) == {f"Waiting for machine 1 ({meeting.names[1]})."}
    assert 1 <= len(lines) <= 5


def test_who_does_not_come_is_named(impatient):
    meeting = Meeting(addresses(3), timeout=0.3)
    meeting.come(0)
    meeting.come(2)
    for error in meeting.end():
        assert isinstance(error, WorkerLostError)
        assert f"No answer from machine 1 ({meeting.names[1]}) within 0.3 s." in str(error)


def test_names_that_do_not_exist_are_waited_for(impatient):
    (own,) = addresses(1)
    with pytest.raises(WorkerLostError, match=r"machine 1 \(nobody\.invalid:2222\)"):
        wait_for_all(Cluster((own, "nobody.invalid:2222"), 0), 0.1)


def test_a_taken_port_is_told():
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        pattern = f"Cannot listen on the port {port} of 127.0.0.1, which TF_CONFIG .*in use"
        with pytest.raises(ConfigurationError, match=pattern):
            wait_for_all(Cluster((f"127.0.0.1:{port}", A), 0), 1.0)


def test_two_that_take_the_same_place_are_told(impatient):
    (port,) = free_ports(1)
    # Its second name leads to a process that takes itself for the first one, too: itself.
    with pytest.raises(ConfigurationError) as error:
        wait_for_all(Cluster((f"localhost:{port}", f"127.0.0.1:{port}"), 0), 5.0)
    assert f"The process at 127.0.0.1:{port} has another TF_CONFIG than this one" in str(
        error.value
    )
    assert "1 there and 0 here" in str(error.value)


def test_another_cluster_is_told(impatient):
    one, other, third = addresses(3)
    meeting = Meeting((one, other), timeout=2.0)
    meeting.come(0)
    meeting.come(1, names=(one, other, third))
    errors = meeting.end()
    assert all(errors)
    assert any(isinstance(error, ConfigurationError) for error in errors)


@contextlib.contextmanager
def strangers(address, *messages):
    """Connects to an address again and again for each message, as soon as somebody is there."""
    host, port = address.split(":")
    with contextlib.ExitStack() as stack:
        for message in messages:
            for _ in range(500):
                with contextlib.suppress(ConnectionRefusedError):
                    peer = stack.enter_context(socket.create_connection((host, int(port)), 5))
                    break
                time.sleep(0.01)
            peer.sendall(message)
        yield


def test_strangers_do_no_harm(impatient):
    meeting = Meeting(addresses(2))
    meeting.come(0)
    rubbish = (
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff\xfe\n",
        b"enas_tf worker 1\n",
        "enas_tf worker ²\n".encode(),
        b"x" * 1_000_000,
        b"enas_tf worker 1" + b"9" * 5000,
    )
    with strangers(meeting.names[0], *rubbish):
        time.sleep(0.1)
        assert meeting.errors == {}
        start = time.monotonic()
        meeting.come(1)
        assert meeting.end() == [None, None]
        # Nobody waits behind a stranger who says nothing.
        assert time.monotonic() - start < 3.0


def test_the_port_is_free_again(impatient):
    meeting = Meeting(addresses(2))
    meeting.come(0)
    with strangers(meeting.names[0], b""):
        meeting.come(1)
        assert meeting.end() == [None, None]
        for address in meeting.names:
            socket.create_server(("", int(address.rpartition(":")[2]))).close()


def test_the_port_is_free_again_when_nobody_came(impatient):
    (own,) = addresses(1)
    for _ in range(2):
        with pytest.raises(WorkerLostError):
            wait_for_all(Cluster((own, addresses(1)[0]), 0), 0.05)
