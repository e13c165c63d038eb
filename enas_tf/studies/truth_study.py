"""Studies of strategies against the truth of a small space: many searches in seconds."""

import os
from typing import Any

from enas_tf.environment.progress import Progress
from enas_tf.errors import ConfigurationError
from enas_tf.files.writing import to_json_text
from enas_tf.records.run import written_settings
from enas_tf.reporting.page.charts import Axis, Series, line_chart
from enas_tf.reporting.page.render import render
from enas_tf.runs.contents import STUDY as STUDY_FILE
from enas_tf.runs.directory import RunDirectory
from enas_tf.searching.limits import Limits
from enas_tf.searching.strategies import STRATEGIES
from enas_tf.settings.search import SearchConfig
from enas_tf.studies.simulation import Trajectory, simulate, simulated_methods
from enas_tf.studies.truth import check_known_costs, read_truth

PAGE = "study.html"


def truth_study(
    truth: str | os.PathLike[str],
    config: SearchConfig,
    methods: list[str],
    output_dir: str | os.PathLike[str],
    *,
    num_seeds: int = 20,
    num_evaluations: int = 100,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Runs strategies against a truth, and writes `study.json` and `study.html`.

    Args:
      truth: see `enas_tf.studies.truth.read_truth`.
      config: the settings of all searches, but for the strategy; its seed is the first one. Limits
        of costs leave out part of the truth.
      methods: the strategies; random search is always there, and stands for what is beaten.
      output_dir: folder of the study.
      num_seeds: searches of each method.
      num_evaluations: architectures that a search looks at.
      overwrite: start anew if another study is in `output_dir`.

    Returns:
      What `study.json` holds; see `simulated_methods`.

    Raises:
      ConfigurationError: a method does not learn from rewards.
    """
    names = list(dict.fromkeys(["random", *methods]))
    if unfit := [name for name in names if name not in STRATEGIES]:
        raise ConfigurationError(
            f"`methods` must be some of {', '.join(STRATEGIES)} where a truth is searched: others "
            f"learn from weights, not from rewards. Received: {', '.join(unfit)}"
        )
    check_known_costs(config.costs)
    whole = read_truth(truth)
    limits = Limits(config.costs.maxima, whole.costs)
    table = whole.within(limits)
    written, defaults = written_settings({"search": config})
    configuration = {
        **written,
        "command": "study",
        "truth": str(truth),
        "methods": names,
        "seeds": num_seeds,
        "evaluations": num_evaluations,
    }
    with RunDirectory.open(
        output_dir, configuration, overwrite=overwrite, defaults=defaults
    ) as run:
        trajectories: dict[str, list[Trajectory]] = {name: [] for name in names}
        progress = Progress({"searches": len(names) * num_seeds})
        try:
            for name in names:
                for seed in range(config.seed, config.seed + num_seeds):
                    one = config.replace(strategy=name, seed=seed)
                    trajectories[name].append(simulate(table, one, num_evaluations, limits))
                    progress.update("searches", 1, regret=float(trajectories[name][-1].regrets[-1]))
        finally:
            progress.close()
        document = {
            "format_version": 1,
            "space": table.space.name,
            "dataset": table.dataset,
            "metric": table.metric,
            "lower_is_better": table.lower_is_better,
            "truth": str(truth),
            "num_architectures": len(table.architectures),
            "num_evaluations": num_evaluations,
            "budget": dict(table.budget),
            "methods": simulated_methods(table, trajectories),
        }
        run.write_text(STUDY_FILE, to_json_text(document, indent=2) + "\n")
        run.write_text(PAGE, truth_page(document))
        return document


def truth_summary(document: dict[str, Any]) -> str:
    """Returns a line for each method: its regret, and what it beats."""
    lines = []
    for name, method in document["methods"].items():
        error = method["regret_error"]
        spread = "" if error is None else f" ± {error:.4f}"
        beaten = method["beats_random_search"]
        lines.append(
            f"{name}: regret {method['regret']:.4f}{spread} after {document['num_evaluations']} "
            f"of {document['num_architectures']} architectures; better than a random architecture "
            f"with probability {method['probability_beats_random']:.2f}, than random search in "
            f"{beaten:.0%} of the seeds"
        )
    return "\n".join(lines)


def truth_page(document: dict[str, Any]) -> str:
    """Returns the page of a study against a truth as the text of an HTML file."""
    methods = document["methods"]
    unit = document["metric"].replace("_", " ")
    chart = line_chart(
        "Regret of the best so far",
        [
            Series(name, list(enumerate(method["trajectory"], 1)), colour)
            for colour, (name, method) in enumerate(methods.items())
        ],
        Axis("architectures looked at", is_whole=True),
        Axis(f"regret in {unit}", may_be_logarithmic=True),
        note="How much worse than the best of the space, in its mean over all trainings, what the "
        "search would return is; the mean over the seeds.",
    )
    columns = {
        "Method": list(methods),
        "Regret": [f"{m['regret']:.4f}" for m in methods.values()],
        "Standard error": [
            "" if m["regret_error"] is None else f"{m['regret_error']:.4f}"
            for m in methods.values()
        ],
        "P(beats a random architecture)": [
            f"{m['probability_beats_random']:.3f}" for m in methods.values()
        ],
        "Better than random search": [f"{m['beats_random_search']:.0%}" for m in methods.values()],
    }
    return render(
        "truth.html", study=document, charts=[chart._replace(is_wide=True)], columns=columns
    )
