"""Lengths of time as people write them: 90s, 10m, 2h, 1h30m."""

import re
from typing import Any

from enas_tf.errors import ConfigurationError
from enas_tf.settings.groups import Group
from enas_tf.settings.setting import setting

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_FORM = re.compile("".join(rf"(?:(\d+(?:\.\d+)?){unit})?" for unit in _UNITS))


def time_setting(what: str) -> Any:
    """Declares a setting that is a length of time as text; `check_time` checks it.

    Args:
      what: says what the time is for; one or two sentences.
    """
    text = f"{what} Such as 90s, 10m, 2h or 1h30m (default: no limit)."
    return setting(None, text, group=Group.DURATION)


def seconds_of(text: str) -> float | None:
    """Returns the seconds that a text such as `1h30m` stands for; None: it stands for none."""
    match = _FORM.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        return None
    numbers = zip(match.groups(), _UNITS.values())
    return sum(float(number) * seconds for number, seconds in numbers if number) or None


def check_time(name: str, text: str | None) -> None:
    """Raises `ConfigurationError` if a text is no length of time above 0.

    Args:
      name: of the setting.
      text: its value.
    """
    if text is not None and seconds_of(text) is None:
        raise ConfigurationError(
            f"`{name}` must be a time above 0 with its units, such as 90s, 10m, 2h or 1h30m. "
            f"Received: {name}={text}"
        )
