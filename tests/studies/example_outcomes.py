"""Made-up outcomes of studies."""

import dataclasses

import numpy as np

from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.studies.outcomes import (
    FoundBySearch,
    Retraining,
    SharedWeightsScores,
    StudyOutcome,
    Trained,
)

SPACE = MacroSpace(num_layers=4)


def trained(number, tests, parameters=1000, validation=None, multiply_adds=None):
    """Returns a random architecture, of this number, with these results."""
    return Trained(
        SPACE.random_architecture(number),
        parameters,
        2 * parameters if multiply_adds is None else multiply_adds,
        tuple(
            Retraining(seed, test if validation is None else validation, test, 10.0)
            for seed, test in enumerate(tests)
        ),
    )


def found(seed, trained_one, score=0.5):
    """Returns a search that took 100 + 5 seconds."""
    return FoundBySearch(seed, score, 100.0, 5.0, trained_one)


def outcome(**changes):
    """Returns a study that is small enough to check by hand.

    Random sampling: 0.5, 0.6, 0.7, 0.8. Search: 0.9 and 0.7, so it beats 4 + 2.5 of 8.
    """
    random = tuple(
        trained(i, (0.5 + 0.1 * i - 0.02, 0.5 + 0.1 * i + 0.02), 1000 * (i + 1)) for i in range(4)
    )
    searches = (found(0, trained(10, (0.9, 0.9), 3000)), found(1, trained(11, (0.7, 0.7), 9000)))
    whole = StudyOutcome(
        space="macro",
        dataset="digits",
        budget={"epochs": 3, "search": {"steps": 20}},
        lower_is_better=False,
        score_kind="shared_weights_validation_accuracy",
        methods={"reinforce": searches},
        random=random,
        ranked=random,
        shared_weights=(SharedWeightsScores("reinforce", 0, (0.1, 0.2, 0.4, 0.3)),),
    )
    return dataclasses.replace(whole, **changes)


def realistic_outcome(num_searches=5, num_random=16, lower_is_better=False, space="macro"):
    """Returns a study whose numbers look like those of a real one."""
    generator = np.random.default_rng(3)

    def drawn(number, gain=0.0):
        parameters = int(np.exp(generator.uniform(10.5, 12.5)))
        quality = 0.9 + 0.02 * (np.log(parameters) - 11.5) + gain + 0.012 * generator.normal()
        tests = np.clip(quality + 0.008 * generator.normal(size=3), 0, 1)
        if lower_is_better:
            tests = 100 * (2 - tests)
        return trained(number, tests.tolist(), parameters, multiply_adds=37 * parameters)

    random = tuple(drawn(i) for i in range(num_random))
    methods = {
        name: tuple(
            found(i, drawn(100 * k + i, gain), float(generator.uniform(0.8, 0.95)))
            for i in range(num_searches)
        )
        for k, (name, gain) in enumerate((("reinforce", 0.035), ("evolution", 0.01)), 1)
    }
    sign = -0.01 if lower_is_better else 1.0
    scores = tuple(
        SharedWeightsScores(
            name,
            seed,
            tuple(
                float(sign * one.retrainings[0].test + 0.03 * generator.normal()) for one in random
            ),
        )
        for name in methods
        for seed in range(num_searches)
    )
    return outcome(
        space=space,
        lower_is_better=lower_is_better,
        methods=methods,
        random=random,
        ranked=random,
        shared_weights=scores,
    )
