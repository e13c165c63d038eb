import pytest

from enas_tf.data.matching import match
from enas_tf.errors import DataError

CATS = ("cat", "dog", "fox")
UNSAID = [
    pytest.param(CATS, CATS, [0, 1, 2], id="the same"),
    pytest.param(CATS, ("fox", "cat", "dog"), [2, 0, 1], id="another order"),
    pytest.param(("0", "1", "2"), ("0", "1", "2"), [0, 1, 2], id="numbers in both"),
    pytest.param(("2", "0", "1"), ("0", "1", "2"), [1, 2, 0], id="numbers that are names"),
]
SAID = [
    pytest.param(None, CATS, "The model brings no names", id="no names"),
    pytest.param(("0", "1", "2"), CATS, "The model has numbers for names", id="model"),
    pytest.param(CATS, ("0", "1", "2"), "The dataset pets has numbers for names", id="dataset"),
]
REFUSED = [
    pytest.param(CATS, CATS[:2], "has 2, .*; only the model has 'fox'\\.", id="subset"),
    pytest.param(CATS, (*CATS, "hen"), "has 4, .*; only the dataset has 'hen'\\.", id="superset"),
    pytest.param(
        CATS,
        ("cat", "Dog", "fox"),
        "only the dataset has 'Dog'; only the model has 'dog'\\.",
        id="others",
    ),
    pytest.param(("0", "1", "2"), ("1", "2", "3"), "only the dataset has '3'", id="numbers"),
    pytest.param(CATS, ("0", "1"), "has 2, and they must be the same\\.", id="too few numbers"),
    pytest.param(None, CATS[:2], "knows 3 classes, the dataset pets has 2", id="too few"),
    pytest.param(
        CATS, tuple("abcdefghijkl"), "'j', and 2 more; only the model has", id="many are cut"
    ),
]


def matched(known, names):
    return match(known, 3, names, kind="classes", dataset="pets").tolist()


@pytest.mark.parametrize(("known", "names", "numbers"), UNSAID)
def test_classes_are_known_by_their_names(known, names, numbers, caplog):
    assert matched(known, names) == numbers
    assert not caplog.records


@pytest.mark.parametrize(("known", "names", "reason"), SAID)
def test_classes_without_names_are_taken_in_their_order_and_it_is_said(
    known, names, reason, caplog
):
    assert matched(known, names) == [0, 1, 2]
    (record,) = caplog.records
    message = record.getMessage()
    assert message.startswith(f"{reason}, so that the classes of pets cannot be compared with")
    own = (known or "012")[2]
    assert message.endswith(f"{names[2]!r} for the model's {own!r}.")


@pytest.mark.parametrize(("known", "names", "message"), REFUSED)
def test_classes_that_differ_are_listed(known, names, message):
    with pytest.raises(DataError, match=message):
        matched(known, names)
