"""What was measured, as lines of text. No TensorFlow here."""

from collections.abc import Mapping, Sequence
from typing import Any

_GIB = 2**30
# Kinds of operations that a table names, the others in one line.
_MOST_KINDS = 20


def table_of_steps(results: Mapping[str, Any]) -> str:
    """Returns the results of `benchmark`."""
    return "\n".join(
        [
            *_seconds(results),
            f"{'supernet / static step':24}{results['ratio']:10.3f}",
            f"{'examples per second':24}{results['examples_per_second']:10.1f}",
            _memory(results),
        ]
    )


def table_of_step(results: Mapping[str, Any]) -> str:
    """Returns the results of `measure_step`."""
    work = f"{'multiply-adds forward':24}{results['multiply_adds']:10.3g}"
    return "\n".join([*_seconds(results), work, _memory(results)])


def _seconds(results: Mapping[str, Any]) -> list[str]:
    names = [name for name in results if name.endswith("_seconds")]
    return [f"{name.removesuffix('_seconds'):24}{results[name]:10.4f} s" for name in names]


def _memory(results: Mapping[str, Any]) -> str:
    return f"{'peak memory':24}{results['peak_memory_bytes'] / _GIB:10.2f} GiB"


def table_of_search(results: Mapping[str, Any]) -> str:
    """Returns the results of `measure_search`."""
    lines = [
        f"an epoch: {results['steps']} training batches, {results['updates_per_epoch']} updates of "
        f"{results['samples_per_update']} samples; the mean of {results['epochs']} after the first",
        f"{'':16}{'seconds':>10}{'share':>9}{'pieces':>9}{'first piece':>14}",
    ]
    for name, part in results["parts"].items():
        line = f"{name.replace('_', ' '):16}{part['seconds']:10.3f}{100 * part['share']:7.1f} %"
        if "pieces" in part:
            line += f"{part['pieces']:9.6g}{part['first_piece_seconds']:12.3f} s"
        lines.append(line)
    missed = 100 * results["neither_training_nor_scoring"]
    return "\n".join(
        [
            *lines,
            f"{'whole epoch':16}{results['epoch_seconds']:10.3f}",
            f"{'first epoch':16}{results['first_epoch_seconds']:10.3f}  with building, tracing and "
            "compiling",
            f"neither a training nor a scoring pass: {missed:.1f} % of an epoch",
        ]
    )


def table_of_growth(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns the rows of `sweep`."""
    lines = [
        f"{'':12}{'':>8}{'step':>11}{'time':>8}{'work':>8}{'time/work':>11}{'memory':>12}{'':>8}"
    ]
    for row in rows:
        line = f"{row['axis']:12}{row['value']:8}"
        if "error" in row:
            lines.append(f"{line}  not measured: {row['error']}")
            continue
        gib = f"{row['peak_memory_bytes'] / _GIB:.2f} GiB"
        if "time_growth" not in row:
            lines.append(f"{line}{row['step_seconds']:9.3f} s{gib:>39}")
            continue
        growth = [f"x{row[f'{name}_growth']:.2f}" for name in ("time", "work", "memory")]
        note = "  grows faster than the work" if row["faster_than_work"] else ""
        lines.append(
            f"{line}{row['step_seconds']:9.3f} s{growth[0]:>8}{growth[1]:>8}"
            f"{row['time_growth_by_work_growth']:11.2f}{gib:>12}{growth[2]:>8}{note}"
        )
    return "\n".join(lines)


def table_of_operations(results: Mapping[str, Any]) -> str:
    """Returns the results of `measure_operations`."""
    kinds = results["operations"]
    named, others = kinds[:_MOST_KINDS], kinds[_MOST_KINDS:]
    lines = [f"{'operations of one training step':40}{'ms':>10}{'share':>9}{'calls':>8}"]
    lines += [_kind(one["kind"], one["seconds"], one["share"], one["calls"]) for one in named]
    if others:
        sums = [sum(one[name] for one in others) for name in ("seconds", "share", "calls")]
        lines.append(_kind(f"{len(others)} other kinds", *sums))
    calls = sum(one["calls"] for one in kinds)
    lines.append(_kind("all", results["operation_seconds"], 1.0, calls))
    for name, step in (("a recorded step", "recorded_"), ("a step that is not recorded", "")):
        clock, core = results[f"{step}step_seconds"], results[f"{step}core_seconds"]
        lines.append(f"{name:40}{1e3 * clock:10.2f} ms, {1e3 * core:.2f} ms of all cores")
    return "\n".join(lines)


def _kind(name: str, seconds: float, share: float, calls: int) -> str:
    return f"{name:40}{1e3 * seconds:10.2f}{100 * share:7.1f} %{calls:8}"
