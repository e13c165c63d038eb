import os
import signal
import threading

import pytest

from enas_tf.training.interruption import DeferredSignals


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


def test_termination_reaches_the_handler_of_the_caller():
    received = []
    previous = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        with DeferredSignals():
            os.kill(os.getpid(), signal.SIGTERM)
            assert received == []
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert received == [signal.SIGTERM]


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
