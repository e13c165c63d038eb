"""Warm-up requests as a server reads them."""

import pytest
import tensorflow as tf

from enas_tf.models import warm_up


def read_warm_up_requests(folder):
    """Returns the signature and the inputs of every request of a SavedModel."""
    messages = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    records = tf.data.TFRecordDataset(str(folder / warm_up.FILE)).as_numpy_iterator()
    requests = [messages.PredictionLog.FromString(log).predict_log.request for log in records]
    return [
        (
            request.model_spec.signature_name,
            {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()},
        )
        for request in requests
    ]
