import tensorflow as tf

from enas_tf.models import warm_up
from tests.warm_up_requests import read_warm_up_requests


def test_fields_are_written_as_protocol_buffers():
    # Key (number * 8 + 2), length and content of each field, from the outermost one to the name
    # of the signature, and to the name of the input and its tensor.
    expected = bytes.fromhex("3210 0a0e 0a03 1a01") + b"s" + bytes.fromhex("1207 0a01") + b"x"
    expected += bytes.fromhex("1202") + b"ab"
    assert warm_up.predict_request("s", {"x": b"ab"}) == expected


def test_a_length_from_128_on_has_two_bytes():
    name = "n" * 300
    request = warm_up.predict_request(name, {})
    # 300 is 2 * 128 + 44, the low part first.
    assert bytes.fromhex("1a ac 02") + name.encode() in request


def test_a_large_batch_is_small(tmp_path):
    tensor = warm_up.filled(0, tf.uint8, [8, 224, 224, 3])
    warm_up.write(tmp_path, [warm_up.predict_request("serving_default", {"images": tensor})])
    assert (tmp_path / warm_up.FILE).stat().st_size < 200


def test_requests_are_read_by_the_packages_of_the_server(tmp_path):
    inputs = {
        "text": warm_up.filled(b"a text", tf.string, [2]),
        "state": warm_up.filled(0.5, tf.float32, [2, 70]),
    }
    warm_up.write(tmp_path, [warm_up.predict_request("a" * 200, inputs)])
    ((signature, values),) = read_warm_up_requests(tmp_path)
    assert signature == "a" * 200
    assert values["text"].numpy().tolist() == [b"a text"] * 2
    assert values["state"].numpy().tolist() == [[0.5] * 70] * 2
