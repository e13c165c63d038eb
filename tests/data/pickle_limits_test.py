import pickle
import subprocess
import sys

import numpy as np
import pytest

from enas_tf.data.pickle_limits import check_pickle
from enas_tf.data.pickles import load_pickle
from enas_tf.errors import DataError

MANY = 1_000_000
FEWER = 100_000


def _cycle():
    value = [1]
    value.append((value,))
    return value


def _laughs(levels):
    """A tuple that holds two tuples, which are the same, and so on."""
    return b"\x80\x02)" + levels * b"2\x86" + b"."


HOSTILE = {
    "lists": (b"\x80\x02" + FEWER * b"]" + (FEWER - 1) * b"a" + b".", "nested more than 100 deep"),
    "tuples": (b"\x80\x02)" + MANY * b"\x85" + b".", "nested more than 100 deep"),
    "a deep key": (b"\x80\x02})" + MANY * b"\x85" + b"Ns.", "nested more than 100 deep"),
    "dictionaries": (
        b"\x80\x02" + FEWER * b"}K\x01" + b"}" + FEWER * b"s" + b".",
        "nested more than 100 deep",
    ),
    "lists by marks": (FEWER * b"(" + FEWER * b"l" + b".", "nested more than 100 deep"),
    "itself": (pickle.dumps(_cycle()), "contains itself"),
    "itself at once": (b"\x80\x02]q\x00h\x00a.", "contains itself"),
    "filled later": (
        # A list in a list, which gets another list after that.
        b"\x80\x02]q\x00]q\x01h\x00a]h\x00h\x01a.",
        "contains itself",
    ),
    "repetition": (_laughs(60), "repeats values too often"),
    "a repeated key": (
        b"\x80\x02(" + 1000 * b"N" + b"tq\x00" + 1000 * b"}h\x00Ns0" + b".",
        "repeats values too often",
    ),
    "an absurd number": (b"\x80\x02]r\xff\xff\xff\x7f.", "numbers a value 2147483647"),
    "a negative number": (b"]p-1\n.", "numbers a value -1"),
    "an absurd length": (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", "cut off"),
    "a negative length": (b"\x80\x02T\xff\xff\xff\xff.", "the length -1"),
    "no opcode": (b"\xff.", "unknown opcode"),
    "no end": (b"\x80\x02N", "cut off"),
    "no line end": (b"cposix", "cut off"),
    "a value too few": (b"\x80\x02\x86.", "not a readable pickle"),
    "a mark for a value": (b"\x80\x02(\x85.", "a mark stands in place"),
    "a number of nothing": (b"\x80\x02h\x05.", "not a readable pickle"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_pickles_are_refused_in_one_line(kind):
    data, message = HOSTILE[kind]
    with pytest.raises(DataError, match=message) as caught:
        load_pickle(data, "some.pkl")
    assert str(caught.value).startswith("some.pkl is not a readable pickle (")
    assert "\n" not in str(caught.value)


def test_without_the_limits_a_deep_key_ends_the_process():
    script = f"import pickle; pickle.loads(b'\\x80\\x02}})' + {MANY} * b'\\x85' + b'Ns.')"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode < 0


def _plain():
    array = np.arange(6, dtype=">u2").reshape(2, 3)
    shared = ["x"]
    words = {f"word{number}".encode(): number for number in range(3000)}
    return {
        "arrays": (array, array, array.T),
        "shared": [shared, (shared, shared), {"a": shared}],
        "words": words,
        "numbers": {number: word for word, number in words.items()},
        "labels": list(range(3000)),
        "long": [2**2000, -1, 1.5, None, True, "ü" * 300, b"\xff" * 300],
    }


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_pass(protocol):
    check_pickle(pickle.dumps(_plain(), protocol))


@pytest.mark.parametrize(("levels", "passes"), [(100, True), (101, False)])
def test_the_limit_of_depth(levels, passes):
    data = b"\x80\x02" + (levels + 1) * b"]" + levels * b"a" + b"."
    if passes:
        check_pickle(data)
    else:
        with pytest.raises(pickle.UnpicklingError, match="nested"):
            check_pickle(data)


def test_text_that_python_2_wrote_in_protocol_0_passes():
    data = b"(dp1\nS'data'\np2\nS'\\xff\\x00'\np3\ns."
    assert load_pickle(data, "some.pkl") == {b"data": b"\xff\x00"}
