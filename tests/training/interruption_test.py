import os
import signal
import threading

import numpy as np
import pytest

from enas_tf.training.interruption import TERMINATIONS, DeferredSignals


def send(*numbers):
    for number in numbers:
        os.kill(os.getpid(), number)


def block(*numbers, after=lambda: None):
    """Receives signals in a block, then does something."""
    with DeferredSignals():
        send(*numbers)
        after()


def test_a_signal_waits_for_the_end_of_the_block():
    done = []
    with pytest.raises(KeyboardInterrupt):
        block(signal.SIGINT, after=lambda: done.append(True))
    assert done == [True]


def test_a_signal_is_pending_until_then():
    received = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: received.append(number))
    try:
        with DeferredSignals() as signals:
            assert not signals.pending
            send(signal.SIGINT)
            assert signals.pending
    finally:
        signal.signal(signal.SIGINT, previous)
    assert received == [signal.SIGINT]


def test_a_second_signal_acts_at_once():
    done = []
    with pytest.raises(KeyboardInterrupt):
        block(signal.SIGINT, signal.SIGINT, after=lambda: done.append(True))
    assert done == []


@pytest.mark.parametrize("number", TERMINATIONS)
def test_termination_reaches_the_handler_of_the_caller(number):
    received = []
    previous = signal.signal(number, lambda number, frame: received.append(number))
    try:
        with DeferredSignals():
            # Shells and `timeout` send it more than once.
            send(number, number)
            assert received == []
    finally:
        signal.signal(number, previous)
    assert received == [number]


def test_a_closed_terminal_is_a_termination():
    assert signal.SIGHUP in TERMINATIONS


@pytest.mark.parametrize("number", [signal.SIGINT, *TERMINATIONS])
def test_an_ignored_signal_stays_ignored(number):
    previous = signal.signal(number, signal.SIG_IGN)
    try:
        with DeferredSignals() as signals:
            send(number)
            assert not signals.pending
    finally:
        signal.signal(number, previous)


def test_work_that_a_signal_ended_is_not_finished():
    previous = signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        with DeferredSignals() as signals:
            send(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, previous)
    with pytest.raises(KeyboardInterrupt):
        signals.check_finished()


def test_work_without_a_signal_is_finished():
    with DeferredSignals() as signals:
        pass
    signals.check_finished()


def test_handlers_are_restored():
    before = signal.getsignal(signal.SIGINT)
    with DeferredSignals() as signals:
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before
    assert not signals.pending


def test_an_error_in_the_block_is_not_hidden_by_a_signal():
    with pytest.raises(ZeroDivisionError):
        block(signal.SIGINT, after=lambda: 1 / 0)


def test_other_threads_are_left_alone():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work():
        with DeferredSignals():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


class OtherMachine:
    """A stand-in for two machines, of which the other one got a signal."""

    def __init__(self, number):
        self._number = number

    def of_all(self, numbers):
        return np.array([[int(number) for number in numbers], [self._number, 1]])


def test_machines_agree_on_a_signal():
    received = []
    previous = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        with DeferredSignals() as signals:
            assert signals.agree(OtherMachine(signal.SIGTERM), False) == [True, False]
            assert signals.pending
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert received == [signal.SIGTERM]


def test_machines_agree_that_there_is_no_signal():
    with DeferredSignals() as signals:
        assert signals.agree(OtherMachine(0), True) == [False, True]
        assert not signals.pending


def test_the_first_own_signal_does_not_act_at_once_after_another_machines():
    done = []

    def work():
        with DeferredSignals() as signals:
            signals.agree(OtherMachine(signal.SIGINT), False)
            send(signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == [True]
