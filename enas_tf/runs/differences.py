"""What differs between two configurations, in words."""

import json
from collections.abc import Mapping
from typing import Any


def differences(
    there: Mapping[str, Any],
    now: Mapping[str, Any],
    most: int = 3,
    words: tuple[str, str] = ("there", "now"),
) -> str:
    """Names the settings that differ between two configurations.

    ```python
    differences({"search": {"seed": 3}}, {"search": {"seed": 4}})  # "search.seed: 3 there, 4 now"
    ```

    Args:
      there: the configuration that was found, as JSON can hold it; objects may be nested.
      now: the configuration that is wanted. A setting that is null counts as one that is unset.
      most: how many settings are named; of the others, the number is.
      words: what the two configurations are called.

    Returns:
      A list separated by semicolons; empty if there is no difference.
    """
    old, new = flatten(there), flatten(now)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    listed = [
        f"{name}: {_show(old.get(name))} {words[0]}, {_show(new.get(name))} {words[1]}"
        for name in names
    ]
    if len(listed) > most:
        listed[most:] = [f"and {len(listed) - most} more"]
    return "; ".join(listed)


def flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns the entries of nested objects under dotted names such as `search.policy.seed`."""
    flat: dict[str, Any] = {}
    for name, entry in value.items():
        if isinstance(entry, Mapping):
            flat.update(flatten(entry, f"{prefix}{name}."))
        else:
            flat[prefix + name] = entry
    return flat


def _show(value: Any) -> str:
    text = "unset" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
