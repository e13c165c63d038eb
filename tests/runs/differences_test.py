from enas_tf.runs.differences import differences, flatten


def test_the_same_has_no_difference():
    assert differences({"a": {"b": [1, 2]}}, {"a": {"b": [1, 2]}}) == ""


def test_settings_in_objects_have_dotted_names():
    there, now = {"search": {"policy": {"rate": 0.5}}}, {"search": {"policy": {"rate": 0.25}}}
    assert differences(there, now) == "search.policy.rate: 0.5 there, 0.25 now"


def test_settings_that_came_or_went_are_unset_on_the_other_side():
    assert differences({"a": 1}, {"b": True}) == "a: 1 there, unset now; b: unset there, true now"


def test_null_is_unset():
    assert differences({"a": None}, {}) == ""


def test_the_first_three_are_named_and_the_others_counted():
    listed = differences(dict.fromkeys("abcde", 1), {})
    assert listed.endswith("c: 1 there, unset now; and 2 more")


def test_long_values_are_cut():
    assert differences({"a": 100 * "x"}, {"a": "y"}) == f"a: {57 * 'x'}... there, y now"


def test_flatten_keeps_lists():
    assert flatten({"a": {"b": [1], "c": {}}, "d": 2}) == {"a.b": [1], "d": 2}
