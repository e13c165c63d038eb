"""Numbers, times and names as people read them."""

import datetime
import math
from collections.abc import Sequence
from typing import Any, TypeGuard

_LARGEST = 1e300
_TIMES = "\N{MULTIPLICATION SIGN}"


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value out of a JSON file is a finite number."""
    # Not by isinstance, since a truth value is an integer, too. Comparing refuses a NaN, and takes
    # integers that are too large for a float.
    return type(value) in (int, float) and -_LARGEST < value < _LARGEST


def plain(value: float) -> str:
    """Returns a number with four digits that count, for example `0.1234` or `12,346`."""
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.3g}"
    return f"{value:.4g}"


def percent(share: float) -> str:
    """Returns a share from 0 to 1 in percent, for example `12.3 %`."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + " %"


def count(value: int) -> str:
    """Returns a whole number that may be very large, for example `1.6 × 10²⁹`."""
    if value < 10**9:
        return f"{value:,}"
    # The logarithm of an integer has no upper limit.
    logarithm = math.log10(value)
    exponent = math.floor(logarithm)
    digits = str(exponent).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{10 ** (logarithm - exponent):.1f} {_TIMES} 10{digits}"


def words(name: str) -> str:
    """Returns the name of a metric or of an operation in words."""
    return name.replace("_", " ")


def score(value: float, kind: str) -> str:
    """Returns a score with its unit; what it is a score of says `kind`."""
    return f"{100 * value:.2f} %" if kind.endswith("accuracy") else f"{value:.4f}"


def error_words(error: float | None, kind: str) -> str:
    """Returns a standard error as it follows a score, for example ` ± 1.20 %`."""
    return "" if error is None else f" ± {score(error, kind)}"


def score_words(kind: str) -> str:
    """Returns what a score is, in words."""
    return words(kind).replace("shared weights", "shared-weights")


def moment(when: datetime.datetime | float) -> str:
    """Returns a date and a time of day, with the time zone; a number is seconds of the epoch."""
    if not isinstance(when, datetime.datetime):
        when = datetime.datetime.fromtimestamp(when).astimezone()
    return when.strftime("%Y-%m-%d %H:%M %Z").strip()


def ties_in_words(ties: Sequence[bool | None]) -> str:
    """Returns a sentence on how many of a ranking cannot be told apart from its first.

    Args:
      ties: of each rank, whether it cannot be told from the first; None: nothing is known.

    Returns:
      Nothing if there is nothing to say.
    """
    known = [tie for tie in ties[1:] if tie is not None]
    if not known:
        return ""
    number = 1 + sum(known)
    if number == 1:
        return f"The first of {len(ties)} stands apart from all others by over 2 standard errors."
    leading = all(ties[1:number])
    who = (
        f"The first {number}"
        if leading
        else f"The first and {number - 1} other{'s' if number > 2 else ''}"
    )
    return f"{who} of {len(ties)} cannot be told apart (within 2 standard errors)."
