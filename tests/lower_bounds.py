"""The oldest packages that setup.py admits: `python -m tests.lower_bounds [--installed]`.

Prints them as constraints for pip, those of all extras too; with `--installed` it compares them
with what is installed, and ends with 1 where something else is.
"""

import importlib.metadata
import sys
from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.version import Version

PACKAGE = "enas-tf"


def lower_bounds(
    requirements: Iterable[str],
    extras: Iterable[str] = (),
    environment: dict[str, str] | None = None,
) -> dict[str, Version]:
    """Returns the oldest version of every package that is needed here.

    Args:
      requirements: as in `install_requires`, or as metadata gives them.
      extras: whose requirements count too.
      environment: values of markers that differ from those of this Python.

    Raises:
      ValueError: a requirement has no lower bound, or its bound is itself excluded.
    """
    bounds: dict[str, Version] = {}
    for text in requirements:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker and not any(
            marker.evaluate({**(environment or {}), "extra": extra}) for extra in ("", *extras)
        ):
            continue
        lowest = [s.version for s in requirement.specifier if s.operator in (">=", "==", "~=")]
        if not lowest:
            raise ValueError(f"The requirement {text!r} has no lower bound.")
        bound = max(map(Version, lowest))
        if bound not in requirement.specifier:
            raise ValueError(f"The requirement {text!r} excludes its own lower bound.")
        bounds[requirement.name] = max(bound, bounds.get(requirement.name, bound))
    return bounds


def package_bounds() -> dict[str, Version]:
    """Returns the lower bounds of the installed package with all its extras."""
    metadata = importlib.metadata.metadata(PACKAGE)
    return lower_bounds(
        metadata.get_all("Requires-Dist", []), metadata.get_all("Provides-Extra", [])
    )


def main(arguments: list[str]) -> int:
    """Prints the bounds, or (`--installed`) compares them with what is installed."""
    bounds = package_bounds()
    if arguments != ["--installed"]:
        print("\n".join(f"{name}=={version}" for name, version in bounds.items()))
        return 0
    installed = {name: Version(importlib.metadata.version(name)) for name in bounds}
    print(f"Python {sys.version.split()[0]}:", *(f"{n} {v}" for n, v in installed.items()))
    others = [f"{n} {installed[n]}, not {v}" for n, v in bounds.items() if installed[n] != v]
    print(*others, sep="\n", end="\n" if others else "", file=sys.stderr)
    return bool(others)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
