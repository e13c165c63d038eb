"""How the time and the memory of a training step grow beside its work. No TensorFlow here.

Each point is measured in a process of its own, since the peak of the memory is that of a process,
and TensorFlow's logical devices are made once.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from enas_tf.drawing.growth import Panel, picture_of_growth
from enas_tf.drawing.picture import Picture
from enas_tf.environment.progress import duration
from enas_tf.errors import ConfigurationError
from enas_tf.settings.arguments import shown
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import SearchSpace

# How many times as large as the given settings.
FACTORS = (1, 2, 4)
ALL = "all"
# What is measured of a point, by the keys of `measure_step`.
MEASURED = ("step_seconds", "peak_memory_bytes", "multiply_adds", "first_step_seconds")
# Time that grows by no more than this beyond the work may be noise.
_NOISE = 1.15

# Measures a step with some more arguments of the command line; returns `MEASURED`, or `error`.
Measure = Callable[[Sequence[str]], Mapping[str, Any]]


class Point(NamedTuple):
    """A place on an axis.

    Attributes:
      factor: one of `FACTORS`.
      value: of what grows.
      arguments: of the command line, in which the point differs from the given settings.
    """

    factor: int
    value: int
    arguments: tuple[str, ...] = ()


def axes_of(space: SearchSpace, config: SearchConfig) -> dict[str, list[Point]]:
    """Returns along what a step of a space can grow, from the given settings on.

    Besides the sizes of the space these are the batch, the architectures that one step trains on
    four logical devices, and the logical devices that train one architecture.

    Args:
      space: the search space.
      config: the settings of the search.
    """
    sizes = {name: getattr(space, name) for name in space.sizes}
    sizes["batch_size"] = config.shared_weights.batch_size
    axes = {
        _short(flag): [_sized(flag, value, factor) for factor in FACTORS]
        for flag, value in sizes.items()
    }
    most = max(FACTORS)
    axes["samples"] = [_on_devices(most, samples, samples) for samples in FACTORS]
    axes["devices"] = [_on_devices(devices, 1, devices) for devices in FACTORS]
    return axes


def _short(flag: str) -> str:
    return flag.removeprefix("num_").removesuffix("_size")


def _sized(flag: str, value: int, factor: int) -> Point:
    arguments = () if factor == 1 else (f"--{flag}={shown(factor * value)}",)
    return Point(factor, factor * value, arguments)


def _on_devices(devices: int, samples: int, factor: int) -> Point:
    return Point(factor, factor, (f"--devices=cpu:{devices}", f"--samples_per_step={samples}"))


def chosen_axes(
    names: Sequence[str], space: SearchSpace, config: SearchConfig
) -> dict[str, list[Point]]:
    """Returns the axes of some names; see `axes_of`.

    Args:
      names: of axes; `all`: every one that the space has.
      space: the search space.
      config: the settings of the search.

    Raises:
      ConfigurationError: the space has no such axis, or not the largest of its sizes.
    """
    axes = axes_of(space, config)
    unknown = [name for name in names if name not in (*axes, ALL)]
    if unknown or not names:
        raise ConfigurationError(
            f"`--sweep` must name some of {', '.join(axes)}, or be {ALL}. "
            f"Received: --sweep={','.join(names)}"
        )
    chosen = {name: axes[name] for name in axes if name in names or ALL in names}
    for flag in space.sizes:
        for point in chosen.get(_short(flag), []):
            # Raises if it is too large, before anything is measured.
            space.replace(**{flag: point.value})
    return chosen


def sweep(
    axes: Mapping[str, Sequence[Point]],
    measure: Measure,
    report: Callable[[str], None] = lambda line: None,
) -> list[dict[str, Any]]:
    """Measures the points of some axes, each once.

    Args:
      axes: from `chosen_axes`.
      measure: measures a point.
      report: is called with a line before and after every point.

    Returns:
      For each point `axis`, `factor`, `value` and `arguments`; if it could not be measured its
      `error`, else what was measured and on which `device`. If the first point of the axis was
      measured too, also by what that was multiplied: `time_growth`, `memory_growth`,
      `work_growth`, and `time_growth_by_work_growth`; `faster_than_work` says whether time grew
      more than the work, noise aside.
    """
    points = list(dict.fromkeys(point.arguments for axis in axes.values() for point in axis))
    measured: dict[tuple[str, ...], Mapping[str, Any]] = {}
    begun = time.monotonic()
    for number, arguments in enumerate(points):
        name = " ".join(arguments) or "as given"
        left = ""
        if number:
            each = (time.monotonic() - begun) / number
            left = f"; about {duration(each * (len(points) - number))} left"
        report(f"point {number + 1} of {len(points)}: {name}{left}")
        measured[arguments] = measure(arguments)
        report(f"  {_in_words(measured[arguments])}")
    return [
        _row(axis, point, measured[point.arguments], measured[first.arguments])
        for axis, (first, *others) in axes.items()
        for point in (first, *others)
    ]


def _in_words(result: Mapping[str, Any]) -> str:
    if "error" in result:
        return f"not measured: {result['error']}"
    return f"step {result['step_seconds']:.3f} s, {result['peak_memory_bytes'] / 2**30:.2f} GiB"


def _row(
    axis: str, point: Point, result: Mapping[str, Any], first: Mapping[str, Any]
) -> dict[str, Any]:
    row = {**point._asdict(), "axis": axis, "arguments": list(point.arguments)}
    if "error" in result:
        return {**row, "error": result["error"]}
    row.update({name: result[name] for name in MEASURED}, device=result.get("device"))
    if "error" in first:
        return row
    growth = {name: result[name] / first[name] for name in MEASURED}
    relative = growth["step_seconds"] / growth["multiply_adds"]
    return {
        **row,
        "time_growth": growth["step_seconds"],
        "memory_growth": growth["peak_memory_bytes"],
        "work_growth": growth["multiply_adds"],
        "time_growth_by_work_growth": relative,
        "faster_than_work": relative > _NOISE,
    }


def measure_in_process(module: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Runs a command that prints what it measured as JSON, in a process of its own.

    Args:
      module: of the command.
      arguments: of its command line.

    Returns:
      What it printed; `error`: why it did not.
    """
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result
    if done.returncode < 0:
        return {"error": f"ended by {signal.Signals(-done.returncode).name}, perhaps out of memory"}
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return {"error": lines[-1].partition(" error: ")[2] or lines[-1]}


def picture_of(rows: Sequence[Mapping[str, Any]], title: str) -> Picture:
    """Returns a picture of how a step grows along each axis.

    Args:
      rows: from `sweep`; those without growth are left out.
      title: what was measured.
    """
    panels: dict[str, Panel] = {}
    for row in rows:
        if "time_growth" in row:
            lines = panels.setdefault(row["axis"], {"work": [], "memory": [], "time": []})
            for name, line in lines.items():
                line.append((row["factor"], row[f"{name}_growth"]))
    return picture_of_growth(panels, title)
