import threading

import pytest

from enas_tf.data.parallel import read_ahead


def test_batches_come_in_order_and_the_last_one_is_what_is_left():
    assert list(read_ahead(range(7), str, 3)) == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
    assert list(read_ahead([], str, 3)) == []


def test_the_next_batch_is_read_while_one_is_used():
    is_read = threading.Event()

    def read(number):
        if number == 1:
            is_read.set()

    batches = read_ahead(range(3), read, 1)
    next(batches)
    assert is_read.wait(10)


def test_no_more_than_a_batch_is_taken_ahead():
    taken = []
    batches = read_ahead((taken.append(number) for number in range(9)), str, 2)
    next(batches)
    assert len(taken) == 4


def test_what_reading_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(read_ahead([1, 0], lambda number: 1 // number, 1))
