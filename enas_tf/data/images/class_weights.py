"""How much the pictures of each class count in training; nothing here imports TensorFlow."""

import numpy as np


def class_weights(kind: str, counts: np.ndarray) -> np.ndarray | None:
    """Returns what the loss of a picture of each class is multiplied by.

    Args:
      kind: `none`, or `balanced`: n / (k * n_c), as scikit-learn's `balanced`, so that all classes
        together count equally, and the mean over the pictures is 1.
      counts: n_c, pictures of each class in the training part, `[classes]`; n is their sum, and k
        the number of classes that have any.

    Returns:
      float32 `[classes]`, 1 for a class without pictures; None for `none`.
    """
    if kind == "none":
        return None
    present = counts > 0
    weights = np.ones(len(counts), np.float32)
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights
