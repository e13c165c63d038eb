"""Beginning a training with the weights of a trained model, as far as they fit."""

import logging
import pathlib
from typing import Any

from enas_tf.errors import ConfigurationError
from enas_tf.models.files import CLASSIFIER, find_model, kind_of

_log = logging.getLogger(__name__)


def check_initial_weights(path: str) -> pathlib.Path:
    """Returns the file with the weights that a training begins with; loads no TensorFlow.

    Args:
      path: the output folder of a retraining, or a `.keras` file.

    Raises:
      ConfigurationError: it is something else than the file of a classifier.
      ExportError: there is no such file.
    """
    found = find_model(path)
    if found.is_dir() or kind_of(found) != CLASSIFIER:
        raise ConfigurationError(
            "`initial_weights` must be the output folder of a retraining or the .keras file of a "
            f"classifier, whose layers have names. Received: {path}."
        )
    return found


def assign_initial_weights(network: Any, path: str) -> None:
    """Gives a network the weights of a model, in layers of the same name and shape.

    Args:
      network: the network of an architecture.
      path: as for `check_initial_weights`.

    Raises:
      ConfigurationError: no layer of the network fits.
      ExportError: there is no such model.
    """
    import keras

    from enas_tf.models.reading import load_keras
    from enas_tf.spaces.images.network_builder import assign_portable_weights, portable_weights

    model = load_keras(check_initial_weights(path))
    # In a classifier of ours the network stands behind the normalisation.
    inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    there, own = portable_weights(inner[-1] if inner else model), portable_weights(network)
    fitting = {
        name: there[name]
        for name, weights in own.items()
        if [weight.shape for weight in weights] == [w.shape for w in there.get(name, ())]
    }
    if not fitting:
        raise ConfigurationError(
            f"`initial_weights` must be of a network with layers of the same names and shapes. "
            f"Received: {path}, of which none fits; give a model of the same architecture."
        )
    assign_portable_weights(network, own | fitting)
    left = [name for name in own if name not in fitting]
    _log.warning(
        "%d of %d layers begin with the weights of %s%s.",
        len(fitting),
        len(own),
        path,
        f"; anew: {', '.join(left):.200}" if left else "",
    )
