"""How long the layers of networks take on this machine: each is measured once, and kept in a run.

The latency of a network is predicted as the sum of its layers, without building it.
"""

import json
import logging
import math
import pathlib
import platform
from collections.abc import Callable, Mapping
from typing import Any

from enas_tf.errors import RunDirectoryError
from enas_tf.files.reading import read_bytes
from enas_tf.files.writing import to_json_text, write_text

logger = logging.getLogger(__name__)


class Latencies:
    """The milliseconds of layers.

    A layer that is not known yet is measured, and written down before it is made use of, so that a
    search that is interrupted goes on with the same numbers.

    Args:
      path: of the file; it need not exist.
      measure: returns the milliseconds of a layer.
      keep: whether what is measured is written.
    """

    def __init__(
        self, path: pathlib.Path, measure: Callable[[Any], float], *, keep: bool = True
    ) -> None:
        self._path = path
        self._measure = measure
        self._keep = keep
        self._known = _read(path)

    def of(self, layers: Mapping[Any, int]) -> float:
        """Returns the milliseconds of a network.

        Args:
          layers: how often it has each layer.
        """
        missing = [layer for layer in layers if str(layer) not in self._known]
        for layer in missing:
            self._known[str(layer)] = self._measure(layer)
        if missing and self._keep:
            document = {
                "machine": platform.machine(),
                "unit": "milliseconds of one picture",
                "layers": self._known,
            }
            write_text(self._path, to_json_text(document, indent=2) + "\n")
            logger.info("Measured %d layers; %d are known.", len(missing), len(self._known))
        return math.fsum(number * self._known[str(layer)] for layer, number in layers.items())


def _read(path: pathlib.Path) -> dict[str, float]:
    try:
        document = json.loads(read_bytes(path))
        return {str(name): float(value) for name, value in document["layers"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RunDirectoryError(
            f"{path} is damaged: {error}. Delete it, and the layers are measured again; a search "
            "goes on with other numbers then."
        ) from error
