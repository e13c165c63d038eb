"""The settings of a search or of a retraining under one name; nothing here imports TensorFlow."""

import types
from collections.abc import Mapping

from enas_tf.spaces.presets import RetrainPreset, SearchPreset
from enas_tf.spaces.registry import get_space


def search_presets(space: str) -> Mapping[str, SearchPreset]:
    """Returns the settings of `enas-search` by the names of `--preset`.

    ```python
    smoke = enas_tf.search_presets("macro")["smoke"]
    data = enas_tf.load_images(smoke.data)
    config = smoke.search.replace(seed=1)
    result = enas_tf.search(smoke.space.for_data(data), data, config)
    ```

    Args:
      space: `"macro"`, `"micro"` or `"rnn"`.

    Returns:
      For each of `default`, `release`, `paper`, `nas` and `smoke` a value with the attributes
      `summary`, `space`, `data` and `search`.

    Raises:
      ConfigurationError: there is no such space.
    """
    return types.MappingProxyType(dict(get_space(space).search_presets))


def retrain_presets(space: str) -> Mapping[str, RetrainPreset]:
    """Returns the settings of `enas-retrain` by the names of `--preset`.

    ```python
    final = enas_tf.retrain_presets("macro")["smoke"]
    model = enas_tf.retrain(result.architecture, data, final.retrain, final.network)
    ```

    Args:
      space: `"macro"`, `"micro"` or `"rnn"`.

    Returns:
      For each of `default`, `release`, `paper`, `nas` and `smoke` a value with the attributes
      `summary`, `network`, `data` and `retrain`.

    Raises:
      ConfigurationError: there is no such space.
    """
    return types.MappingProxyType(dict(get_space(space).retrain_presets))
