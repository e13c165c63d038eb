"""The embedded dataset: 1,797 handwritten digits of 8×8 pixels that scikit-learn carries."""

import numpy as np

from enas_tf.data.images.arrays import ImageArrays, fixed_permutation

_TEST_SIZE = 360
_BRIGHTEST = 16


def load() -> ImageArrays:
    """Returns 1,437 training and 360 test digits in a random order that is always the same."""
    # Here, because it takes a second, which the other sources need not spend.
    from sklearn.datasets import load_digits

    bunch = load_digits()
    order = fixed_permutation(len(bunch.target))
    images = np.rint(bunch.images[order] * (255 / _BRIGHTEST)).astype(np.uint8)
    labels = bunch.target[order]
    return ImageArrays(
        x_train=images[:-_TEST_SIZE],
        y_train=labels[:-_TEST_SIZE],
        x_test=images[-_TEST_SIZE:],
        y_test=labels[-_TEST_SIZE:],
        label_names=tuple(str(name) for name in bunch.target_names),
    )
