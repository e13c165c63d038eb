"""Run directories as searches and retrainings leave them, without their checkpoints."""

import json

from enas_tf.runs.directory import RunDirectory
from enas_tf.spaces.architectures import architecture_document
from enas_tf.spaces.registry import get_space

KINDS = {
    "macro": "shared_weights_validation_accuracy",
    "micro": "shared_weights_validation_accuracy",
    "rnn": "shared_weights_validation_reward",
}
EPOCHS = 3
SAMPLES = 4


def search_configuration(space_name, **data):
    """Returns the configuration of a small search; `data` are settings of its data."""
    entry = get_space(space_name)
    preset = entry.search_presets["smoke"]
    training = preset.search.shared_weights.replace(epochs=EPOCHS)
    return {
        "command": "search",
        "space": {"name": space_name, **preset.space.to_json()},
        "data": preset.data.replace(**data).to_json(),
        "search": preset.search.replace(shared_weights=training).to_json(),
    }


def write_search(folder, space_name="macro", *, events=True, finished=True, **data):
    """Writes a search into a folder and returns its space."""
    preset = get_space(space_name).search_presets["smoke"]
    space = preset.space
    # Of this version, which always says where settings come from.
    origin = {"preset": None}
    configuration = search_configuration(space_name, **data)
    with RunDirectory.open(folder, configuration, origin=origin) as run:
        if events:
            _write_events(run, space)
        if finished:
            run.write_json("best_architecture.json", ranking(space))
    return space


def ranking(space, number=3):
    """Returns a `best_architecture.json` with a ranking."""
    kind = KINDS[space.name]
    candidates = [space.random_architecture(seed) for seed in range(number)]
    entries = [
        {
            "architecture": one.to_json(),
            "release_string": one.to_release_string(),
            "score": 0.5 - 0.1 * rank,
            "score_kind": kind,
            "shared_weights_score": 0.5 - 0.1 * rank,
        }
        for rank, one in enumerate(candidates)
    ]
    extra = {"ranked_by": {"epochs": EPOCHS}, "ranking": entries}
    return architecture_document(candidates[0], score=0.5, score_kind=kind, **extra)


def write_retraining(folder, space_name="macro", *, seed=0, finished=True):
    """Writes a retraining of a random architecture into a folder and returns the architecture."""
    entry = get_space(space_name)
    preset = entry.retrain_presets["smoke"]
    architecture = entry.search_presets["smoke"].space.random_architecture(seed)
    configuration = {
        "command": "retrain",
        "space": space_name,
        "architecture": architecture.to_json(),
        "network": preset.network.to_json(),
        "retrain": preset.retrain.to_json(),
        "data": {"dataset": "<digits & co>"},
    }
    name = "perplexity" if space_name == "rnn" else "accuracy"
    with RunDirectory.open(folder, configuration) as run:
        for epoch in (1, 2):
            event = {"step": 10 * epoch, "epoch": epoch, "seconds": 2.0 * epoch, "loss": 2 / epoch}
            run.metrics.append({"phase": "retrain", **event, name: 0.5, f"validation_{name}": 0.4})
        if finished:
            results = {f"test_{name}": 0.625, "parameters": 12345, "seconds": 61.0}
            run.write_json("results.json", results)
    return architecture


def add_text(path, text):
    """Appends to a file."""
    with path.open("a") as file:
        file.write(text)


def half_line():
    """Returns a line of a file of JSON lines that was not written to its end."""
    return json.dumps({"phase": "controller", "step": 9, "reward": 0.5})[:-8]


def _write_events(run, space):
    kind = KINDS[space.name]
    for epoch in range(1, EPOCHS + 1):
        place = {"epoch": epoch, "seconds": 10.0 * epoch}
        loss = {"loss": 2.0 / epoch, "learning_rate": 0.05 / epoch}
        run.metrics.append({"phase": "shared_weights", "step": 20 * epoch, **place, **loss})
        reward = {"reward": 0.1 * epoch, "baseline": 0.1, "entropy": 8.0 / epoch}
        run.metrics.append({"phase": "controller", "step": epoch, **place, **reward})
        run.metrics.append({"phase": "derive", "step": epoch, **place, kind: 0.1 * epoch})
        for seed in range(SAMPLES):
            string = space.random_architecture(10 * epoch + seed).to_release_string()
            sample = {"epoch": epoch, "update": epoch, "reward": 0.1 * seed}
            run.architectures.append({**sample, "release_string": string})
