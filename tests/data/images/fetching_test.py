"""A process ends at once, whatever its input pipelines are doing."""

import subprocess
import sys

import numpy as np

from enas_tf.data.images.fetching import _Questions
from enas_tf.data.images.pictures import ArrayPictures

PICTURES = ArrayPictures(np.full((5, 2, 2, 1), 7, np.uint8))
# Batches are being made, and their iterator is alive, when the process ends.
BUSY = """
import numpy as np
from enas_tf.data.images.preprocessing import Normalization
from enas_tf.data.images.streams import training_batches
identity = Normalization(np.zeros(1, np.float32), np.ones(1, np.float32))
pictures, labels = np.zeros((100, 4, 4, 1), np.uint8), np.zeros(100, np.int32)
batches = iter(training_batches(
    pictures, labels, normalization=identity, batch_size=10, seed=0
))
next(batches)
import sys
sys.modules["kept"] = batches
"""


def test_after_the_end_there_are_no_answers():
    questions = _Questions()
    chosen = np.array([1, 3])
    assert questions.answer(PICTURES, chosen).min() == 7
    questions.end()
    assert questions.answer(PICTURES, chosen).tolist() == np.zeros((2, 2, 2, 1)).tolist()


def test_the_end_waits_for_nobody_if_nobody_asked():
    questions = _Questions()
    questions.end()
    assert questions.answer(PICTURES, np.array([0])).min() == 7


def test_a_process_with_busy_pipelines_ends():
    result = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, timeout=240)
    assert result.returncode == 0, result.stderr.decode()
