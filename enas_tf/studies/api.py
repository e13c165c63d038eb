"""Studies of searches, for Python and for `enas-study`."""

import os
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.texts.dataset import TextData
from enas_tf.files.writing import to_json_text
from enas_tf.records.run import recorded_search, written_settings
from enas_tf.runs.contents import STUDY as STUDY_FILE
from enas_tf.runs.directory import RunDirectory
from enas_tf.runs.phases import STUDY
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.setting import Settings
from enas_tf.settings.training import RetrainConfig, TextRetrainConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.studies.arrangement import arrange
from enas_tf.studies.document import study_document
from enas_tf.studies.dry_run import dry_run
from enas_tf.studies.page import study_page
from enas_tf.studies.plan import WHOLE, Part, StudyConfig
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
    recorded = None if run is None else recorded_search(run)
    arrangement = arrange(
        space, data, final_data, search_config, network, retrain_config, config, recorded
    )
    if isinstance(part, str):
        part = Part.parse(part)
    if on_dry_run is not None:
        on_dry_run(dry_run(arrangement, part))
        return None
    configuration, defaults = written_settings(arrangement.settings())
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
            arrangement,
            folder,
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
