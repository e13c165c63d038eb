import dataclasses

import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.settings import costs, data, search, strategies, training
from enas_tf.settings.data import DataConfig
from enas_tf.settings.setting import Settings, field_types

SETTINGS = [
    kind
    for module in (costs, data, search, strategies, training)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Settings) and kind.__module__ == module.__name__
]


@pytest.mark.parametrize("kind", SETTINGS)
def test_defaults_survive_json(kind):
    assert kind.from_json(kind().to_json()) == kind()


@pytest.mark.parametrize("kind", SETTINGS)
def test_every_setting_has_a_help_sentence(kind):
    for field in dataclasses.fields(kind):
        if not issubclass_of_settings(field_types(kind)[field.name]):
            assert field.metadata["help"].endswith(".")


def issubclass_of_settings(annotation):
    return isinstance(annotation, type) and issubclass(annotation, Settings)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (data.DataConfig, "validation_size", 0),
        (data.DataConfig, "cutout", -1),
        (data.DataConfig, "mixup", -0.1),
        (data.DataConfig, "mixup", 1e-4),
        (data.DataConfig, "cutmix", 1e-4),
        (data.DataConfig, "color_jitter", 1.5),
        (training.TrainingConfig, "epochs", 0),
        (training.TrainingConfig, "batch_size", 0),
        (training.TrainingConfig, "learning_rate", 0.0),
        (training.TrainingConfig, "momentum", 1.0),
        (training.TrainingConfig, "weight_decay", -1e-4),
        (training.TrainingConfig, "restart_multiplier", 0),
        (strategies.PolicyConfig, "samples_per_update", 0),
        (strategies.PolicyConfig, "baseline_decay", 1.0),
        (strategies.EvolutionConfig, "tournament_size", 0),
        (search.DeriveConfig, "num_candidates", 0),
        (search.DeriveConfig, "scoring", "test_set"),
        (search.DeriveConfig, "statistics", "none"),
        (search.SearchConfig, "seed", -1),
        (search.SearchConfig, "seed", 2**31),
        (search.SearchConfig, "reward_statistics", "refitted"),
        (search.SearchConfig, "collapse_level", -0.1),
        (search.SearchConfig, "collapse_level", 1.0),
    ],
)
def test_nonsense_is_refused(kind, name, value):
    with pytest.raises(ConfigurationError, match=f"`{name}`"):
        kind(**{name: value})


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({}, 0),
        ({"warm_up": 0.25}, 2),
        ({"warm_up": 0.25, "policy_start_epoch": 3}, 3),
        ({"warm_up": 0.25, "evaluation": "trained"}, 0),
    ],
)
def test_updates_begin_after_the_warm_up(changes, first):
    config = search.SearchConfig(shared_weights=training.TrainingConfig(epochs=9), **changes)
    assert config.first_updating_epoch == first
    assert config.num_updates == (9 - first) * config.policy.updates_per_epoch


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (training.TrainingConfig, "final_learning_rate"),
        (strategies.PolicyConfig, "controller_final_learning_rate"),
    ],
)
def test_the_final_rate_is_at_most_the_first(kind, name):
    with pytest.raises(ConfigurationError, match=rf"`{name}` must be at most .* 0\.1"):
        kind(learning_rate=0.1, final_learning_rate=0.2)


def test_who_did_not_know_a_setting_has_what_was_before_it():
    assert DataConfig().split is None
    assert DataConfig.from_json({"dataset": "a"}).split == "last"
    assert DataConfig.from_json(DataConfig().to_json()).split is None


@pytest.mark.parametrize("size", [(0,), (1, 2, 3), ()])
def test_an_image_size_is_one_or_two_sides(size):
    with pytest.raises(ConfigurationError, match="`image_size` must be a height and a width"):
        DataConfig(image_size=size)


@pytest.mark.parametrize(
    ("rewarded", "ranked"),
    [("accuracy", "accuracy"), ("loss", "accuracy"), ("macro_f1", "macro_f1"), ("own", "own")],
)
def test_candidates_are_ranked_by_what_is_rewarded(rewarded, ranked):
    config = search.SearchConfig(reward_metric=rewarded)
    assert config.ranking_metric == ranked
    assert config.resolved().derive.metric == ranked
    asked = config.replace(derive=search.DeriveConfig(metric="loss"))
    assert asked.resolved() == asked


def test_a_run_that_knew_no_metric_of_the_ranking_had_the_accuracy():
    assert search.DeriveConfig.from_json({}).metric == "accuracy"
    assert search.SearchConfig.from_json({}).derive.metric == "accuracy"


def test_what_is_trained_alone_is_ranked_by_its_reward():
    trained = search.SearchConfig(evaluation="trained")
    assert trained.replace(reward_metric="loss").ranking_metric == "accuracy"
    assert trained.replace(reward_metric="top_5").ranking_metric == "top_5"
    with pytest.raises(ConfigurationError, match="reward_metric=top_5, derive_metric=accuracy"):
        trained.replace(reward_metric="top_5", derive=search.DeriveConfig(metric="accuracy"))
