"""Pictures as the threads of input pipelines ask Python for them; nothing here imports TensorFlow.

At the end of a process such a thread must not wait for Python any more: it would never get it, and
whoever waits for the thread neither. So the end waits until all have their answer, and gives no
other ones.
"""

import atexit
import threading
import time

import numpy as np

from enas_tf.data.images.pictures import Pictures

# Without a question for so long, the buffers of the pipelines are full.
_QUIET_SECONDS = 0.1
_MOST_SECONDS = 10.0


class _Questions:
    """Counts those that are being answered, and those that ever were asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = self._open = 0
        self._is_ending = False

    def answer(self, pictures: Pictures, indices: np.ndarray) -> np.ndarray:
        with self._lock:
            self._asked += 1
            self._open += 1
        try:
            if self._is_ending:
                # Nobody will see them.
                return np.zeros((len(indices), *pictures.shape[1:]), np.uint8)
            return pictures.fetch(indices)
        finally:
            with self._lock:
                self._open -= 1

    def end(self) -> None:
        if not self._asked:
            return
        self._is_ending = True
        stop = time.monotonic() + _MOST_SECONDS
        seen = -1
        while (self._open or seen != self._asked) and time.monotonic() < stop:
            seen = self._asked
            time.sleep(_QUIET_SECONDS)


_questions = _Questions()
atexit.register(_questions.end)


class Fetch:
    """Reads some pictures, for `tf.numpy_function`.

    Args:
      pictures: of which.
    """

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures

    def __call__(self, indices: np.ndarray) -> np.ndarray:
        """Returns uint8 `[pictures, height, width, channels]`."""
        return _questions.answer(self._pictures, indices)
