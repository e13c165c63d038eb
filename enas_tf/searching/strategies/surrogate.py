"""Sequential model-based search: a regressor learns what architectures are worth.

Sources: Hutter, Hoos and Leyton-Brown: *Sequential Model-Based Optimization for General Algorithm
Configuration*, LION 2011 (random forests and expected improvement); Liu et al.: *Progressive Neural
Architecture Search*, ECCV 2018, arXiv 1712.00559 (an ensemble of predictors, and growing).
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from enas_tf.errors import ConfigurationError
from enas_tf.searching.limits import NO_LIMITS, Limits
from enas_tf.searching.strategies.remembering import RememberingStrategy
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.batch import ArchitectureBatch

# Of the best members, whose neighbours are looked at.
_NUM_PARENTS = 10


class Surrogate(RememberingStrategy):
    """Proposes what a regressor of scikit-learn expects most of.

    Until `surrogate.num_initial` architectures were observed, proposals are random. From then on
    the regressor is fitted to the memory before each proposal, and the best of a pool of
    neighbours of the best members and of random architectures are proposed, none twice in one
    proposal; those that were not observed yet go first.

    With `surrogate.grow` the search goes from small architectures to large ones, as in PNAS: parts
    that are not open yet stay as empty as the space allows (`DecisionSpace.shrunk`), and after
    every `surrogate.grow_after` observations one more is opened.
    """

    def __init__(self, space: SearchSpace, config: SearchConfig, limits: Limits = NO_LIMITS):
        """Initializes an empty memory; arguments as for `Strategy`.

        Raises:
          ConfigurationError: the space cannot grow, but shall.
        """
        super().__init__(space, config, limits, config.surrogate.memory_size)
        if config.surrogate.grow and not space.num_growing_parts:
            raise ConfigurationError(
                "`surrogate_grow` needs a space whose architectures can have empty parts: the "
                f"micro space with its identity. Received: the {space.name} space."
            )

    def draw(self, count: int, seeds: np.random.SeedSequence) -> list[Any]:
        """Returns random architectures, or the most promising of a pool; see `Strategy.draw`."""
        settings = self.config.surrogate
        generator = np.random.default_rng(seeds)
        rewards = self.remembered_rewards()
        if len(rewards) < settings.num_initial:
            return [self._within(lambda: self._random(generator)) for _ in range(count)]
        # A pool of `count` at least, since the shared weights are trained on a whole epoch of them.
        size = max(settings.pool_size, 2 * count)
        parents = self.member(self.ranking()[:_NUM_PARENTS])

        def neighbour() -> Any:
            return self.space.mutate(parents[generator.integers(len(parents))], generator)

        pool = [
            self._within(neighbour if number % 2 else lambda: self._random(generator))
            for number in range(size)
        ]
        pool = list(dict.fromkeys(pool))
        seen = set(self.member(np.arange(len(rewards))))
        worth = self._acquisition(pool, rewards, int(generator.integers(2**31)))
        order = sorted(range(len(pool)), key=lambda n: (pool[n] in seen, -worth[n]))
        chosen = [pool[n] for n in order[:count]]
        # A space may have fewer architectures than are asked for.
        return [chosen[number % len(chosen)] for number in range(count)]

    def learn(self, architectures: ArchitectureBatch, rewards: np.ndarray) -> Mapping[str, float]:
        """Remembers the architectures; reports the `best_reward` of the memory."""
        self.remember(architectures, rewards)
        return {"best_reward": float(np.max(self.remembered_rewards()))}

    def _random(self, generator: np.random.Generator) -> Any:
        return self.space.random_architecture(generator)

    def _within(self, draw: Callable[[], Any]) -> Any:
        """Returns the first that is drawn whose open parts are within the limits."""
        return self.limits.draw(1, lambda number: [self._opened(draw()) for _ in range(number)])[0]

    def _opened(self, architecture: Any) -> Any:
        """Returns the architecture with what is not open yet left empty."""
        settings = self.config.surrogate
        if not settings.grow:
            return architecture
        open_parts = 1 + int(self.num_observed) // settings.grow_after
        return self.space.shrunk(architecture, min(open_parts, self.space.num_growing_parts))

    def _acquisition(self, pool: list[Any], rewards: np.ndarray, seed: int) -> np.ndarray:
        """Returns how promising each of some architectures is, `[pool]`."""
        from scipy.stats import norm

        settings = self.config.surrogate
        mean, deviation = self._predict(self._features(self.space.encode(pool)), rewards, seed)
        deviation = np.maximum(deviation, 1e-9)
        if settings.acquisition == "upper_bound":
            return mean + settings.exploration * deviation
        gain = (mean - rewards.max()) / deviation
        return deviation * (gain * norm.cdf(gain) + norm.pdf(gain))

    def _predict(
        self, features: np.ndarray, rewards: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns mean and standard deviation of the predicted rewards."""
        observed = self._features(self.remembered_decisions())
        if self.config.surrogate.model == "gaussian_process":
            from sklearn.gaussian_process import GaussianProcessRegressor
            from sklearn.gaussian_process.kernels import RBF, WhiteKernel

            kernel = RBF(np.sqrt(observed.shape[1])) + WhiteKernel(0.1)
            model = GaussianProcessRegressor(kernel, normalize_y=True, random_state=seed)
            with warnings.catch_warnings():
                # That a hyperparameter ends at its bound says nothing to a user of a search.
                warnings.simplefilter("ignore")
                return model.fit(observed, rewards).predict(features, return_std=True)
        from sklearn.ensemble import RandomForestRegressor

        model = RandomForestRegressor(self.config.surrogate.num_trees, random_state=seed)
        model.fit(observed, rewards)
        trees = np.stack([tree.predict(features) for tree in model.estimators_])
        return trees.mean(axis=0), trees.std(axis=0)

    def _features(self, decisions: Any) -> np.ndarray:
        """Returns decisions as float32 columns: a column for each value that one can have."""
        fields = [np.reshape(field, (len(field), -1)) for field in decisions]
        values = np.concatenate(fields, axis=1)
        try:
            options = np.concatenate([np.ravel(field) for field in self.space.decision_options()])
        except ConfigurationError:
            # Numbers of channels are no names.
            return values.astype(np.float32)
        columns = [
            values[:, place, None] == np.arange(number)
            for place, number in enumerate(options)
            if number > 1
        ]
        return np.concatenate(columns, axis=1).astype(np.float32)
