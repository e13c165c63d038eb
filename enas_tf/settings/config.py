"""The settings that every search space shares: data, training, controller updates, deriving.

What only one space has (its size, its controller's constants) stands in that space's folder, and
so do the presets. Flags, `config.json` and the tables of the documentation come from these fields.
"""

import dataclasses
from typing import Any

from enas_tf.errors import ConfigurationError
from enas_tf.settings.setting import Settings, section, setting

# How pictures are brought to another shape.
RESIZE = ("crop", "pad", "stretch")


@dataclasses.dataclass(frozen=True)
class DataConfig(Settings):
    """Which data, how they are split, and how training pictures are changed."""

    dataset: str = setting(
        "cifar10",
        "Name of an embedded or TensorFlow Datasets dataset, a folder of class folders, a .csv "
        "file of paths and labels, or a .npz file.",
    )
    data_dir: str | None = setting(None, "Folder that holds the dataset's files.")
    image_size: tuple[int, ...] | None = setting(
        None,
        "Height and width that pictures in files are brought to, or one number for both (default: "
        "the median of their sizes).",
    )
    channels: int | None = setting(
        None,
        "What pictures in files are brought to: 1 is grey, 3 is RGB (default: RGB if any has "
        "colour).",
        choices=(1, 3),
    )
    resize: str = setting(
        "crop",
        "How a picture of another shape becomes one of that size: its middle is cut out, it is "
        "surrounded by the background, or it is stretched.",
        choices=RESIZE,
    )
    background: str = setting(
        "white", "Colour behind transparent pixels and around padded pictures: a name or #rrggbb."
    )
    split: str | None = setting(
        None,
        "What validates: a part of the dataset's own, examples of the training set with the same "
        "share of each class, or its last ones (default: its own part; without one the last of "
        "arrays and of cifar10, whose order means something, and shares of all else).",
        choices=("own", "stratified", "last"),
        before="last",
    )
    validation_size: int | None = setting(
        None,
        "Number of training examples kept for validation, where there is no validation part "
        "(default: one tenth).",
        minimum=1,
    )
    test_split: float | None = setting(
        None,
        "Share of the examples that become the test part, where there is none (default: 0.2).",
        above=0.0,
        below=1.0,
    )
    memory_limit: int = setting(
        1024,
        "Pictures that take more megabytes than this are not read into memory, but each time "
        "they are needed; their mean and deviation come from a sample.",
        minimum=0,
    )
    max_train_examples: int | None = setting(
        None, "Use only this many examples of the training set.", minimum=1
    )
    max_test_examples: int | None = setting(
        None, "Use only this many examples of the test set.", minimum=1
    )
    crop_padding: int | None = setting(
        None,
        "Pixels of zero padding before the random crop (default: an eighth of the smaller side).",
        minimum=0,
    )
    flip: bool | None = setting(
        None, "Flip training pictures left to right at random (default: yes, except for digits)."
    )
    cutout: float = setting(
        0.0,
        "Side of the square that CutOut blanks in training pictures, in pixels, or below 1 as a "
        "share of the smaller side; 0: none.",
        minimum=0.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        size = self.image_size
        if size is not None and not (len(size) in (1, 2) and all(side >= 1 for side in size)):
            raise ConfigurationError(
                "`image_size` must be a height and a width in pixels, or one number for both. "
                f"Received: image_size={size}."
            )

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """Height and width that pictures are brought to; None: the median of their sizes."""
        return None if self.image_size is None else (self.image_size[0], self.image_size[-1])


TOKENIZATIONS = ("auto", "blanks", "words")
METRICS = ("accuracy", "loss")


@dataclasses.dataclass(frozen=True)
class TextDataConfig(Settings):
    """Which text, how it is divided into words, and how much of it a training step reads."""

    dataset: str = setting(
        "ptb",
        "pydoc (embedded), ptb or any folder of train, valid and test text files, a text file "
        "(divided 90:5:5), or the release's ptb.pkl.",
    )
    data_dir: str | None = setting(
        None, "Folder that holds the dataset's files, or a folder of that name."
    )
    tokenization: str = setting(
        "auto",
        "Words are what stands between blanks, as in Penn Treebank and WikiText files, or "
        "lower-case words and single punctuation marks; auto: words for pydoc, blanks for files.",
        choices=TOKENIZATIONS,
    )
    vocabulary_size: int | None = setting(
        None,
        "Keep only so many of the most frequent words of the training part; all others become "
        "<unk> (default: keep all, or if the text has no <unk> of its own, all that occur twice).",
        minimum=2,
    )
    max_train_tokens: int | None = setting(
        None, "Use only this many tokens of the training part.", minimum=1
    )
    max_test_tokens: int | None = setting(
        None, "Use only this many tokens of the test part.", minimum=1
    )
    sequence_length: int = setting(
        35, "Words over which gradients flow back in time, on average.", minimum=1
    )
    random_lengths: bool = setting(
        True,
        "Draw the length of every training segment: around sequence_length, sometimes around half "
        "of it; the learning rate is scaled with it.",
    )


def _check_rate_falls(first: float, final: float, prefix: str = "") -> None:
    if final > first:
        raise ConfigurationError(
            f"`{prefix}final_learning_rate` must be at most `{prefix}learning_rate`, {first}. "
            f"Received: {prefix}final_learning_rate={final}; set both."
        )


@dataclasses.dataclass(frozen=True)
class TrainingConfig(Settings):
    """Gradient descent on cross-entropy, of the shared weights or of a derived network."""

    epochs: int = setting(310, "Passes over the training set.", minimum=1)
    batch_size: int = setting(128, "Examples in a training step, over all devices.", minimum=1)
    learning_rate: float = setting(0.05, "Highest learning rate.", above=0.0)
    final_learning_rate: float = setting(
        0.0005, "Learning rate at the end of each cosine period.", minimum=0.0
    )
    restart_epochs: int = setting(
        10,
        "Length in epochs of the first cosine period; 0: one period over all epochs.",
        minimum=0,
    )
    restart_multiplier: int = setting(
        2, "Factor by which each cosine period is longer than the one before.", minimum=1
    )
    momentum: float = setting(0.9, "Nesterov momentum.", minimum=0.0, below=1.0)
    weight_decay: float = setting(
        2.5e-4,
        "Factor of the sum of squares of the trained weights in the loss (in the search of a "
        "recurrent cell: of the cell's matrices in use).",
        minimum=0.0,
    )
    clip_norm: float = setting(
        0.0, "Largest global norm of a gradient; 0: gradients are not clipped.", minimum=0.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_rate_falls(self.learning_rate, self.final_learning_rate)


@dataclasses.dataclass(frozen=True)
class PolicyConfig(Settings):
    """REINFORCE updates of the controller."""

    learning_rate: float = setting(1e-3, "Adam's learning rate.", above=0.0)
    final_learning_rate: float | None = setting(
        None,
        "Learning rate after the last update; it gets there along a cosine (default: the rate "
        "stays as it is).",
        minimum=0.0,
    )
    adam_beta_1: float = setting(0.0, "Adam's decay of the first moment.", minimum=0.0, below=1.0)
    adam_epsilon: float = setting(1e-3, "Adam's epsilon.", above=0.0)
    samples_per_update: int = setting(20, "Architectures averaged in one update.", minimum=1)
    updates_per_epoch: int = setting(50, "Updates after each pass of training.", minimum=1)
    baseline_decay: float = setting(
        0.99,
        "Decay of the moving average of rewards that serves as baseline.",
        minimum=0.0,
        below=1.0,
    )
    advantage: str = setting(
        "baseline",
        "What a sample's log-probability is multiplied by: its reward minus the moving average, or "
        "its distance from the mean reward of the update in standard deviations, which learns from "
        "the first update on, and as fast from small differences as from large ones.",
        choices=("baseline", "normalized"),
    )
    entropy_weight: float = setting(1e-4, "Weight of the entropy in the reward.", minimum=0.0)
    clip_norm: float = setting(
        0.0, "Largest global norm of a controller gradient; 0: not clipped.", minimum=0.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.final_learning_rate is not None:
            _check_rate_falls(self.learning_rate, self.final_learning_rate, "controller_")


@dataclasses.dataclass(frozen=True)
class EvolutionConfig(Settings):
    """Regularised evolution (Real et al., 2019, arXiv 1802.01548), another strategy."""

    population_size: int = setting(
        100, "Architectures in the population; the oldest one dies.", minimum=1
    )
    tournament_size: int = setting(
        25, "Members drawn at random, of which the best has offspring.", minimum=1
    )


@dataclasses.dataclass(frozen=True)
class SurrogateConfig(Settings):
    """Sequential model-based search, another strategy (Hutter et al., 2011; PNAS, 1712.00559)."""

    model: str = setting(
        "random_forest",
        "What predicts rewards: a random forest or a Gaussian process, of scikit-learn.",
        choices=("random_forest", "gaussian_process"),
    )
    num_trees: int = setting(100, "Trees of the random forest.", minimum=2)
    acquisition: str = setting(
        "expected_improvement",
        "What is proposed: where most improvement is expected, or where the prediction plus "
        "exploration times its standard deviation is highest.",
        choices=("expected_improvement", "upper_bound"),
    )
    exploration: float = setting(1.0, "Standard deviations of the upper bound.", minimum=0.0)
    num_initial: int = setting(
        20, "Random architectures that are observed before the first prediction.", minimum=2
    )
    pool_size: int = setting(
        200,
        "Architectures of which the most promising are proposed; half of them are neighbours of "
        "the best ones, half are random.",
        minimum=2,
    )
    memory_size: int = setting(
        500, "Observations that the regressor is fitted to; the oldest are forgotten.", minimum=2
    )
    grow: bool = setting(
        False,
        "Begin with cells of one node and open another one from time to time, as in PNAS (micro "
        "space).",
    )
    grow_after: int = setting(
        50, "Observations after which the next node is opened, if cells grow.", minimum=1
    )


@dataclasses.dataclass(frozen=True)
class DartsConfig(Settings):
    """Search by gradient on a mixture of all operations (DARTS; Liu et al., 1806.09055)."""

    order: int = setting(
        1,
        "1: the gradient of the architecture takes the shared weights as they are; 2: as they "
        "would be after their next step.",
        choices=(1, 2),
    )
    xi: float | None = setting(
        None,
        "Learning rate of that next step (default: the current one of the shared weights).",
        above=0.0,
    )
    learning_rate: float = setting(3e-4, "Adam's learning rate of the architecture.", above=0.0)
    adam_beta_1: float = setting(0.5, "Adam's decay of the first moment.", minimum=0.0, below=1.0)
    adam_beta_2: float = setting(
        0.999, "Adam's decay of the second moment.", minimum=0.0, below=1.0
    )
    weight_decay: float = setting(
        5e-4, "Factor of the sum of squares of the architecture's logits in the loss.", minimum=0.0
    )
    initial_deviation: float = setting(
        1e-3, "The logits start normal with this standard deviation.", minimum=0.0
    )
    validation_share: float = setting(
        0.5,
        "Share of the training part, its end, that the architecture learns from; the shared "
        "weights learn from the rest.",
        above=0.0,
        below=1.0,
    )
    warm_up_epochs: int = setting(
        0, "Epochs at the beginning in which only the shared weights learn.", minimum=0
    )
    sampling: str = setting(
        "full",
        "Compute the whole mixture, the mixture on some channels while the others pass (PC-DARTS, "
        "pictures only), or one path drawn by Gumbel noise (GDAS).",
        choices=("full", "partial", "gumbel"),
    )
    partial_channels: int = setting(
        4, "One channel in so many sees the operations, if sampling is partial.", minimum=1
    )
    temperature: float = setting(
        10.0, "Temperature of the first epoch, if sampling is gumbel.", above=0.0
    )
    final_temperature: float = setting(
        0.1, "Temperature of the last epoch, if sampling is gumbel; between them linear.", above=0.0
    )
    read_off: str = setting(
        "edges",
        "The found cell: of each node the strongest pair of different inputs, each with its best "
        "operation (the authors' rule), or of each operand the likeliest input and operation.",
        choices=("edges", "argmax"),
    )
    stop: str | None = setting(
        None,
        "End early: skips:N as soon as the (normal) cell that would be read off has N identities, "
        "stable:N when it has been the same for N epochs (default: neither).",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stop is not None:
            rule, _, number = self.stop.partition(":")
            if rule not in ("skips", "stable") or not number.isdecimal() or not int(number):
                raise ConfigurationError(
                    "`stop` must be skips:N or stable:N with a positive integer N. "
                    f"Received: stop={self.stop!r}."
                )


@dataclasses.dataclass(frozen=True)
class TrainedConfig(Settings):
    """How a proposed architecture is scored by a training of its own (Zoph and Le, 1611.01578)."""

    epochs: int = setting(
        10,
        "Epochs for which each proposed architecture is trained from scratch, with the settings of "
        "the shared weights, if evaluation is trained.",
        minimum=1,
    )
    best_of_epochs: int = setting(
        5, "The score is the best validation score of so many last epochs.", minimum=1
    )
    reward_power: float = setting(
        1.0, "Power of the score that is the reward; Zoph and Le: 3.", above=0.0
    )


@dataclasses.dataclass(frozen=True)
class DeriveConfig(Settings):
    """How the best architecture is chosen after (or during) a search."""

    num_candidates: int = setting(
        100, "Architectures sampled from the trained controller and ranked.", minimum=1
    )
    metric: str = setting(
        "accuracy",
        "What pictures are scored by with the shared weights: the accuracy, or the loss, as the "
        "likelihood exp(-cross-entropy); see reward_metric.",
        choices=METRICS,
    )
    scoring: str = setting(
        "validation_set",
        "Rank candidates by their score on the whole validation set or on one minibatch (paper).",
        choices=("validation_set", "minibatch"),
    )
    statistics: str = setting(
        "batch",
        "Batch normalisation while ranking: statistics of the batch, statistics refitted for each "
        "candidate on training batches, or the moving ones.",
        choices=("batch", "refitted", "moving"),
    )
    finalists: int = setting(
        0, "Best candidates that are retrained briefly and ranked again; 0: none.", minimum=0
    )
    finalist_epochs: int = setting(3, "Epochs of a finalist's short retraining.", minimum=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.finalists > self.num_candidates:
            raise ConfigurationError(
                f"`finalists` must be at most `num_candidates`, {self.num_candidates}. "
                f"Received: finalists={self.finalists}."
            )


# What a final network costs; the names of the numbers in logs, files and `Costs`.
COSTS = {"parameters": "parameters", "multiply_adds": "multiply_adds", "latency": "latency_ms"}
# More than any network has, and few enough that a float tells them apart.
_MOST_OF_A_NETWORK = 10**15


@dataclasses.dataclass(frozen=True)
class CostConfig(Settings):
    """What the final network of an architecture may cost, and what it should cost."""

    max_parameters: int | None = setting(
        None,
        "Most parameters of the final network that is trained from what is found; no architecture "
        "beyond is proposed, trained or ranked (default: no limit).",
        minimum=1,
        maximum=_MOST_OF_A_NETWORK,
    )
    max_multiply_adds: int | None = setting(
        None,
        "Most multiply-adds of one picture through the final network (default: no limit).",
        minimum=1,
        maximum=_MOST_OF_A_NETWORK,
    )
    max_latency_ms: float | None = setting(
        None,
        "Most milliseconds that one picture takes through the final network on this machine, as "
        "the sum of measured layers (default: no limit).",
        above=0.0,
    )
    cost: str | None = setting(
        None,
        "What of the final network counts in the reward: its parameters, its multiply-adds or its "
        "latency in milliseconds; needs target_cost (default: nothing).",
        choices=tuple(COSTS),
    )
    target_cost: float | None = setting(
        None, "How much of that the final network should cost.", above=0.0
    )
    cost_weight: float = setting(
        -0.5, "How much the cost counts in the reward, below 0: see cost_reward.", below=0.0
    )
    cost_reward: str = setting(
        "absolute",
        "The reward at a cost: absolute: quality + cost_weight * |cost / target - 1| (TuNAS); "
        "power: quality * (cost / target) ^ cost_weight (MnasNet).",
        choices=("absolute", "power"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.cost is None) != (self.target_cost is None):
            raise ConfigurationError(
                "`cost` and `target_cost` belong together; give both or neither. "
                f"Received: cost={self.cost}, target_cost={self.target_cost}."
            )

    @property
    def maxima(self) -> dict[str, float]:
        """The limits that are set, by the names of the numbers, the values of `COSTS`."""
        limits = {name: getattr(self, f"max_{name}") for name in COSTS.values()}
        return {cost: limit for cost, limit in limits.items() if limit is not None}

    @property
    def counted(self) -> tuple[str, ...]:
        """The costs that decide something in a search, the one of the target first.

        By the names of the numbers, the values of `COSTS`.
        """
        target = () if self.cost is None else (COSTS[self.cost],)
        return tuple(dict.fromkeys([*target, *self.maxima]))


@dataclasses.dataclass(frozen=True)
class SearchConfig(Settings):
    """A whole search: phase 1 (shared weights), phase 2 (controller), then deriving."""

    seed: int = setting(0, "Seed of every random choice.", minimum=0, maximum=2**31 - 1)
    strategy: str = setting(
        "reinforce",
        "How architectures are proposed: by a controller that learns by REINFORCE, at random, by "
        "the controller as it starts, by regularised evolution, or by a regressor that learns what "
        "they are worth; darts: found by gradient on a mixture of all (micro and rnn).",
        # What they are stands in `enas_tf.searching.strategies` and `enas_tf.searching.procedures`.
        choices=("reinforce", "random", "frozen", "evolution", "surrogate", "darts"),
    )
    evaluation: str = setting(
        "shared_weights",
        "What proposed architectures are scored by: the weights that all of them share, or a short "
        "training of each alone, from scratch.",
        choices=("shared_weights", "trained"),
    )
    reward_statistics: str = setting(
        "batch",
        "Batch normalisation in the reward: statistics of the minibatch, or the moving ones.",
        choices=("batch", "moving"),
    )
    reward_batch_size: int | None = setting(
        None,
        "Validation examples behind one reward; of pictures at most all of the validation part "
        "(default: the training batch size).",
        minimum=1,
    )
    reward_minibatches: str = setting(
        "own",
        "Minibatches behind the rewards of one update: each architecture has its own, as in the "
        "release, or all have one, so that they differ by the architectures alone.",
        choices=("own", "one"),
    )
    reward_metric: str = setting(
        "accuracy",
        "What the shared weights are rewarded for on pictures: the accuracy, or the loss, as the "
        "likelihood exp(-cross-entropy), in which few examples tell architectures apart more "
        "surely. On text it is 80 / perplexity, a likelihood too.",
        choices=METRICS,
    )
    samples_per_step: int | None = setting(
        None,
        "Architectures that one training step of the shared weights trains, each on its share of "
        "the batch: 1, or a divisor of the number of devices (default: one for each device).",
        minimum=1,
    )
    policy_start_epoch: int = setting(
        0,
        "First epoch whose end updates the controller; before it, only weights train.",
        minimum=0,
    )
    warm_up: float = setting(
        0.0,
        "Share of the epochs, the first ones, in which only weights train, with random "
        "architectures that use every option of a decision equally often; TuNAS: 0.25.",
        minimum=0.0,
        below=1.0,
    )
    training_architectures: str = setting(
        "proposed",
        "What trains the shared weights after the warm-up: architectures that the strategy "
        "proposes, or fair random ones, as in the warm-up.",
        choices=("proposed", "fair"),
    )
    max_rollbacks: int = setting(
        5,
        "Times that a search goes back to its last checkpoint when a loss or a reward is not "
        "finite; 0: it ends at once.",
        minimum=0,
    )
    collapse_level: float = setting(
        0.05,
        "Warn when the controller's entropy or the spread of the sampled operations falls under "
        "this share of the largest possible; 0: never (a tanh constant keeps the entropy far above "
        "the default).",
        minimum=0.0,
        below=1.0,
    )
    shared_weights: TrainingConfig = section(TrainingConfig())
    policy: PolicyConfig = section(PolicyConfig(), prefix="controller_")
    evolution: EvolutionConfig = section(EvolutionConfig(), prefix="evolution_")
    surrogate: SurrogateConfig = section(SurrogateConfig(), prefix="surrogate_")
    trained: TrainedConfig = section(TrainedConfig(), prefix="trained_")
    darts: DartsConfig = section(DartsConfig(), prefix="darts_")
    derive: DeriveConfig = section(DeriveConfig(), prefix="derive_")
    costs: CostConfig = section(CostConfig())

    def __post_init__(self) -> None:
        super().__post_init__()
        if (
            self.costs.maxima
            and self.strategy == "reinforce"
            and self.policy.samples_per_update < 2
        ):
            raise ConfigurationError(
                "`samples_per_update` must be at least 2 where costs have limits: a controller "
                "learns there from the differences between the samples of an update. Received: "
                f"samples_per_update={self.policy.samples_per_update}."
            )

    @property
    def warm_up_epochs(self) -> int:
        """Epochs of the warm-up; 0 where architectures share no weights."""
        is_shared = self.evaluation == "shared_weights"
        return int(self.warm_up * self.shared_weights.epochs) if is_shared else 0

    @property
    def first_updating_epoch(self) -> int:
        """First epoch, from 0, whose end updates the strategy."""
        return max(self.policy_start_epoch, self.warm_up_epochs)

    @property
    def num_updates(self) -> int:
        """Updates of the strategy in the whole search."""
        epochs = max(0, self.shared_weights.epochs - self.first_updating_epoch)
        return epochs * self.policy.updates_per_epoch


def _retraining_rollbacks() -> Any:
    return setting(
        5,
        "Times that a training goes back to its last checkpoint when a loss is not finite; 0: it "
        "ends at once.",
        minimum=0,
    )


@dataclasses.dataclass(frozen=True)
class RetrainConfig(Settings):
    """Training of a derived network from scratch."""

    seed: int = setting(0, "Seed of every random choice.", minimum=0, maximum=2**31 - 1)
    use_validation: bool = setting(
        False,
        "Keep the validation part out of training and report accuracy on it after each epoch.",
    )
    initial_weights: str | None = setting(
        None,
        "Output folder of a retraining, or .keras file, whose weights the training begins with, in "
        "layers of the same name and shape, for example of the same architecture on other data.",
    )
    max_rollbacks: int = _retraining_rollbacks()
    training: TrainingConfig = section(
        TrainingConfig(
            batch_size=100, learning_rate=0.05, final_learning_rate=0.001, weight_decay=2e-4
        )
    )


@dataclasses.dataclass(frozen=True)
class TextRetrainConfig(Settings):
    """Training of a derived language model from scratch."""

    seed: int = setting(0, "Seed of every random choice.", minimum=0, maximum=2**31 - 1)
    averaging_patience: int | None = setting(
        10,
        "The average of the weights over all later steps becomes the result as soon as the "
        "validation perplexity is worse than the best one that is more than so many epochs old; "
        "unset: never.",
        minimum=0,
    )
    max_rollbacks: int = _retraining_rollbacks()
    training: TrainingConfig = section(
        TrainingConfig(
            epochs=3000,
            batch_size=64,
            learning_rate=20.0,
            final_learning_rate=20.0,
            restart_epochs=0,
            momentum=0.0,
            weight_decay=8e-7,
            clip_norm=0.25,
        )
    )
