"""A batch of text; nothing here imports TensorFlow."""

from typing import Any, NamedTuple

from enas_tf.errors import ConfigurationError


class TextBatch(NamedTuple):
    """Segments of several streams of text, one stream a row; rows go first in every field.

    Attributes:
      tokens: int32 `[rows, time]`, numbers of words.
      targets: int32 `[rows, time]`, the word that follows each of them.
      carry: float32 `[rows]`, 1 where the segment goes on where the row's last one ended, 0 where
        the state starts from zero.
      relative_length: float32 `[rows]`, everywhere the same: `time` divided by the configured
        sequence length.
    """

    tokens: Any
    targets: Any
    carry: Any
    relative_length: Any

    def rows(self, begin: int, end: int) -> "TextBatch":
        """Returns the rows from `begin` to before `end`, as views."""
        return TextBatch(*(field[begin:end] for field in self))


def check_devices(batch_size: int, num_devices: int) -> None:
    """Raises `ConfigurationError` unless the rows of a batch can be divided among devices.

    Every device goes on from the state of its own rows.

    Args:
      batch_size: rows.
      num_devices: how many share them.
    """
    if batch_size % num_devices:
        raise ConfigurationError(
            f"`batch_size` must be a multiple of the number of devices, {num_devices}, because "
            f"every device goes on with its own rows. Received: batch_size={batch_size}."
        )
