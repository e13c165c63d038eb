"""How examples are divided into batches; nothing here imports TensorFlow."""

from enas_tf.errors import DataError


def steps_per_epoch(num_examples: int, batch_size: int) -> int:
    """Returns the number of full batches in one pass; the remainder is left out.

    Args:
      num_examples: size of the training part.
      batch_size: examples in a batch.

    Raises:
      DataError: there are not enough examples for one batch.
    """
    check_batch_size(batch_size)
    if num_examples < batch_size:
        raise DataError(
            f"`batch_size` must be at most the number of training examples, {num_examples}. "
            f"Received: batch_size={batch_size}."
        )
    return num_examples // batch_size


def check_batch_size(batch_size: int) -> None:
    """Raises `DataError` unless a batch has at least one example."""
    if batch_size < 1:
        raise DataError(f"`batch_size` must be at least 1. Received: batch_size={batch_size}.")
