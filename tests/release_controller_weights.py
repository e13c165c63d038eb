"""Loads variables of the authors' release into our controllers, for the parity tests."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from enas_tf.spaces.attention import AttentionController, DecisionHead
from enas_tf.spaces.micro.controller import MicroController


def release_values(
    fixture: Mapping[str, Any], controller: AttentionController, prefix: str = ""
) -> list[np.ndarray]:
    """Returns the release's arrays in the layout and order of `controller.trainable_variables`.

    Args:
      fixture: arrays named as the release's variables.
      controller: whose weights the arrays are meant for.
      prefix: goes before the variables' names, for example `"grad_log_prob/"`.
    """

    def array(name: str) -> np.ndarray:
        return fixture[f"{prefix}controller/{name}"]

    # The release has the rows [input; h] and the gates i, f, o, g; Keras has i, f, g, o.
    gates = np.split(array("lstm/layer_0/w"), 4, axis=1)
    kernel, recurrent_kernel = np.split(np.concatenate([gates[i] for i in (0, 1, 3, 2)], 1), 2)
    values = {
        id(controller.cell.kernel): kernel,
        id(controller.cell.recurrent_kernel): recurrent_kernel,
        id(controller.start_input): array("g_emb"),
        id(controller.key_kernel): array("attention/w_1"),
        id(controller.query_kernel): array("attention/w_2"),
        id(controller.attention_vector): array("attention/v"),
    }
    for name, head in _heads(controller):
        values[id(head.kernel)] = array(f"softmax/{name}")
        values[id(head.embeddings)] = array(f"emb/{name}")
        if head.bias is not None:
            values[id(head.bias)] = array("softmax/b")[0]
    return [values[id(weight)] for weight in controller.trainable_variables]


def load_release_values(fixture: Mapping[str, Any], controller: AttentionController) -> None:
    """Gives the controller the weights of a fixture."""
    values = release_values(fixture, controller)
    for variable, value in zip(controller.trainable_variables, values, strict=True):
        variable.assign(value)


def _heads(controller: AttentionController) -> Iterator[tuple[str, DecisionHead]]:
    """Yields each head with the last part of its variables' names in the release."""
    if isinstance(controller, MicroController):
        yield "w", controller.head
    elif controller.space.search_whole_channels:
        yield "w", controller.heads[0]
    else:
        for number, head in enumerate(controller.heads):
            yield f"branch_{number // 2}/w_{('start', 'count')[number % 2]}", head
