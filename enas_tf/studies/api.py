"""Studies of searches, for Python and for `enas-study`."""

import os
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.texts.dataset import TextData
from enas_tf.errors import ConfigurationError
from enas_tf.files.writing import to_json_text
from enas_tf.records.run import recorded_search, written_settings
from enas_tf.runs.contents import STUDY as STUDY_FILE
from enas_tf.runs.directory import RunDirectory
from enas_tf.runs.phases import STUDY
from enas_tf.searching.final_costs import FinalCosts
from enas_tf.searching.limits import Limits
from enas_tf.settings.costs import COSTS
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.setting import Settings
from enas_tf.settings.training import RetrainConfig, TextRetrainConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.registry import get_space
from enas_tf.studies.document import study_document
from enas_tf.studies.dry_run import dry_run
from enas_tf.studies.page import study_page
from enas_tf.studies.plan import WHOLE, Part, Plan, SearchJob, StudyConfig, make_plan
from enas_tf.studies.study import Study

if TYPE_CHECKING:
    import tensorflow as tf

PAGE = "study.html"


def study(
    space: SearchSpace,
    data: ImageData | TextData,
    search_config: SearchConfig | None = None,
    retrain_config: RetrainConfig | TextRetrainConfig | None = None,
    network: Settings | None = None,
    config: StudyConfig | None = None,
    output_dir: str | os.PathLike[str] = "study",
    *,
    run: str | os.PathLike[str] | None = None,
    final_data: ImageData | TextData | None = None,
    part: Part | str | None = None,
    collect: bool = False,
    overwrite: bool = False,
    distribution: "tf.distribute.Strategy | None" = None,
    preset: str | None = None,
    on_dry_run: Callable[[str], Any] | None = None,
) -> dict[str, Any] | None:
    """Finds out what searches are worth, beside architectures drawn at random.

    Searches with every method and seed, trains what was found and random architectures from scratch
    in the same way, and writes `study.json` and `study.html`. Called again with the same arguments,
    it goes on where it was interrupted, and does nothing twice.

    ```python
    preset = enas_tf.search_presets("macro")["smoke"]
    final = enas_tf.retrain_presets("macro")["smoke"]
    data = enas_tf.load_images(preset.data)
    document = enas_tf.study(
        preset.space.for_data(data), data, preset.search, final.retrain, final.network,
        enas_tf.StudyConfig(methods="reinforce,random", seeds=3), "studies/macro",
    )
    document["methods"]["reinforce"]["probability_beats_random"]
    ```

    Args:
      space: the search space, in the sizes of the data.
      data: an `ImageData` or a `TextData`.
      search_config: the settings of all searches, but for the strategy; its seed is the first one.
        Default: `SearchConfig()`.
      retrain_config: how architectures are trained from scratch; the validation part is kept out.
        Default: that of the kind of data.
      network: the networks that are trained from scratch, which limits and targets of costs are
        about. Default: about as large as in the search.
      config: how much is done. Default: `StudyConfig()`.
      output_dir: folder of the study.
      run: a finished search whose ranking is studied, in place of new searches; its space and
        settings count, but for the seed of random architectures and trainings.
      final_data: what is trained on from scratch, if that is prepared in another way than `data`.
      part: does only this part of the jobs, for example `"2/8"`; writes no result.
      collect: does nothing but write the result of parts that are done.
      overwrite: start anew if another study is in `output_dir`.
      distribution: which devices train. Default: `default_strategy()`.
      preset: name of the preset that the settings come from.
      on_dry_run: is told what would be done; nothing is done then.

    Returns:
      What `study.json` holds; None if only a part, or nothing, was done.

    Raises:
      EnasError: the settings do not fit, or `output_dir` holds something else; with `collect`, jobs
        are missing.
      KeyboardInterrupt: after the state was saved.
    """
    entry = get_space(space.name)
    kept_out: Any = retrain_config or type(entry.retrain_presets["default"].retrain)()
    if isinstance(kept_out, RetrainConfig):
        kept_out = kept_out.replace(use_validation=True)
    search_config, config = search_config or SearchConfig(), config or StudyConfig()
    if isinstance(part, str):
        part = Part.parse(part)
    recorded = None if run is None else recorded_search(run)
    if recorded is not None:
        recorded.check_data(data)
        space = recorded.space
    network = network or space.network_config()
    if type(network) is not entry.network:
        raise ConfigurationError(
            f"`network` must be a {entry.network.__name__}. Received: {type(network).__name__}."
        )
    seed = search_config.seed
    if recorded is not None:
        search_config = recorded.settings["search"]
    search_config = search_config.resolved()
    costs = search_config.costs
    if COSTS["latency"] in costs.maxima:
        raise ConfigurationError(
            "`max_latency_ms` is a limit of single searches: each measures for itself, so that a "
            "study would compare searches within different limits. Give max_multiply_adds."
        )
    # What a search that is there has searched within is about its own final networks.
    of_limits = network if recorded is None else recorded.final_network
    limits = Limits(costs.maxima, FinalCosts(space, of_limits).of)
    plan = make_plan(space, config, seed, limits)
    if recorded is not None:
        job = SearchJob(search_config.strategy, search_config.seed)
        plan = Plan((job,), plan.random, plan.seeds)
    if config.time_budget is not None:
        times = plan.times(config.time_budget, is_searched=recorded is None)
        kept_out = kept_out.replace(time_budget=times.training)
        if recorded is None:
            search_config = search_config.replace(time_budget=times.search)
    final_data = data if final_data is None else final_data
    data.check_search(search_config)
    final_data.check_retraining(kept_out)
    if on_dry_run is not None:
        batches = search_config.shared_weights.batch_size
        streams = data.search_streams(batch_size=batches, reward_batch_size=batches, seed=0)
        on_dry_run(
            dry_run(space, streams.steps_per_epoch, search_config, kept_out, network, plan, part)
        )
        return None
    configuration, defaults = written_settings(
        {
            "space": space,
            "data": data.config,
            "final_data": final_data.config,
            "search": search_config,
            "network": network,
            "retrain": kept_out,
            "study": config,
        }
    )
    with RunDirectory.open(
        output_dir,
        {"command": STUDY, **configuration, "run": None if run is None else str(run)},
        overwrite=overwrite,
        origin={"preset": preset},
        with_others=part is not None,
        # A study that an earlier version began goes on.
        defaults=defaults,
    ) as folder:
        jobs = Study(
            space=space,
            data=data,
            search=search_config,
            final_data=final_data,
            network=network,
            retrain=kept_out,
            plan=plan,
            run=folder,
            preset=preset,
            distribution=distribution,
            finished=None if run is None else pathlib.Path(run),
        )
        if not collect:
            jobs.do(part or WHOLE)
        if part is not None:
            return None
        document = study_document(jobs.outcome())
        folder.write_text(STUDY_FILE, to_json_text(document, indent=2) + "\n")
        folder.write_text(PAGE, study_page(document))
        return document
