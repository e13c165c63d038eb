"""The micro supernet: one set of shared weights behind every network of the space.

Source: the authors' release, `src/cifar10/micro_child.py`, without its defects: only the chosen
operations run, dropout is on in training only, and the auxiliary head's weights are trained.
"""

import itertools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from enas_tf.layers.banks import (
    BatchStatistics,
    WeightBank,
)
from enas_tf.layers.compute_type import with_float32_sums
from enas_tf.layers.factorized_reduction import reduction_kernel
from enas_tf.settings.training import PRECISIONS
from enas_tf.spaces.images.stem import IMAGENET, body_shape, chosen_stem
from enas_tf.spaces.images.supernet import ImageSupernet
from enas_tf.spaces.images.supernet_stem import NormalizedConvolution, Seeds, strided_stem
from enas_tf.spaces.micro.decisions import (
    MicroDecisionSpace,
    MicroMixture,
    MicroPartialMixture,
)
from enas_tf.spaces.micro.layout import (
    AUXILIARY_FEATURES,
    AUXILIARY_PROJECTION,
    AUXILIARY_STRIDE,
    STEM_HALVINGS,
    STEM_WIDENING,
    auxiliary_cell,
    auxiliary_sides,
    auxiliary_window,
    cell_places,
    stage_sides,
)
from enas_tf.spaces.micro.relaxed_cells import RelaxedCells, partial_mixture
from enas_tf.spaces.micro.supernet_cells import StageCells
from enas_tf.training.image_metrics import image_objective
from enas_tf.training.training_pass import TrainingPass

NUM_STAGES = 3


class MicroSupernet(ImageSupernet):
    """All networks of a micro space in one; see `ImageSupernet` for arguments and calls.

    Before a reduction cell the newest tensor is halved by a factorised reduction, and the cell
    itself works at stride 1. Batch normalisation uses the statistics of the batch in evaluation
    too, as in the release; moving statistics are kept for who asks for them.
    """

    precisions = PRECISIONS
    batch_statistics_in_evaluation = True
    relaxed_scales = ("stem_norm", "stem_0_norm", "stem_1_norm", "stem_2_norm")

    def __init__(self, space: MicroDecisionSpace, seed: int = 0) -> None:
        super().__init__(space, seed, name="micro_supernet")
        next_seed = itertools.count(seed * 1000).__next__
        self.places = cell_places(space.num_layers, space.filters)
        channels = space.input_shape[-1]
        self.is_strided = chosen_stem(space.stem, space.input_shape) == IMAGENET
        if self.is_strided:
            self.stem = strided_stem(channels, space.filters, STEM_HALVINGS, next_seed)
            self._build_adapters(space.filters, next_seed)
        else:
            stem = STEM_WIDENING * space.filters
            self.stem = NormalizedConvolution(
                (3, 3, channels), stem, next_seed, name="stem", activation=False
            )
            self._build_adapters(stem, next_seed)
        self.stages: list[StageCells] = []
        for stage in range(NUM_STAGES):
            if places := [place for place in self.places if place.stage == stage]:
                function = self.stages[0].function if self.stages else None
                self.stages.append(StageCells(space, places, next_seed, function))
        self._relaxed_stages = [RelaxedCells(stage) for stage in self.stages]
        last = self.places[-1].filters
        self.auxiliary_head = None
        if space.auxiliary_weight:
            body = body_shape(space.stem, space.input_shape, STEM_HALVINGS)
            sides = stage_sides(body, NUM_STAGES - 1)
            self.auxiliary_head = AuxiliaryHead(sides, last, space.num_classes, next_seed)
        self.classifier = WeightBank(
            1,
            (last, space.num_classes),
            seed=next_seed(),
            name="classifier",
            always_float32=True,
        )
        self.built = True

    def _build_adapters(self, stem: int, next_seed: Seeds) -> None:
        """Makes what brings the inputs of cells to their size and width, by cell."""
        self.reductions: dict[str, Reduction] = {}
        self.adapters: dict[str, NormalizedConvolution | Reduction] = {}
        # Of a strided stem the older output is that before the last halving.
        widths, stages = [stem, stem], [-1 if self.is_strided else 0, 0]
        for place in self.places:
            name = f"cell_{place.index}"
            if place.is_reduction:
                self.reductions[str(place.index)] = Reduction(
                    widths[1], place.filters, next_seed, name=f"{name}_reduction", activation=False
                )
                widths, stages = [widths[1], place.filters], [stages[1], place.stage]
            for number in range(2):
                key = f"{place.index}_{number}"
                label = f"{name}_input_{number}"
                if stages[number] < place.stage:
                    self.adapters[key] = Reduction(
                        widths[number], place.filters, next_seed, name=label
                    )
                elif widths[number] != place.filters:
                    self.adapters[key] = NormalizedConvolution(
                        (1, 1, widths[number]), place.filters, next_seed, name=label
                    )
            widths, stages = [widths[1], place.filters], [stages[1], place.stage]

    def forward(
        self,
        images: tf.Tensor,
        decisions: Any,
        *,
        use_batch_statistics: bool,
        dropout_seed: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, dict[str, BatchStatistics]]:
        """Computes logits and batch statistics; see `ImageSupernet.forward`."""
        logits, _, statistics = self._forward(
            images, decisions, use_batch_statistics, dropout_seed, with_auxiliary=False
        )
        return logits, statistics

    def partial_mixture(
        self, mixture: MicroMixture, divisor: int, seed: tf.Tensor
    ) -> MicroPartialMixture:
        """Returns a mixture of which only some channels, drawn at random, see the operations.

        Args:
          mixture: of all channels.
          divisor: one channel in so many does.
          seed: int32 `[2]`.
        """
        widths = [self.space.filters * 2**stage for stage in range(NUM_STAGES)]
        return partial_mixture(mixture, widths, divisor, seed)

    def training_pass(
        self,
        batch: tuple[tf.Tensor, tf.Tensor],
        decisions: Any,
        state: Any,
        dropout_seed: tf.Tensor,
    ) -> TrainingPass:
        """Runs one architecture on a training batch; see `ImageSupernet.training_pass`.

        The auxiliary head adds to what training minimises.
        """
        images, labels = batch
        logits, auxiliary, statistics = self._forward(
            images, decisions, True, dropout_seed, with_auxiliary=self.auxiliary_head is not None
        )
        objective, metrics = image_objective(
            labels, [logits, *auxiliary], self.space.auxiliary_weight, self.training_loss
        )
        return TrainingPass(objective, metrics, statistics, state)

    def _forward(
        self,
        images: tf.Tensor,
        decisions: Any,
        use_batch_statistics: bool,
        dropout_seed: tf.Tensor | None,
        with_auxiliary: bool,
    ) -> tuple[tf.Tensor, list[tf.Tensor], dict[str, BatchStatistics]]:
        collected: dict[str, BatchStatistics] = {}
        images = tf.cast(images, self.compute_type)

        def run(layer: Any, tensor: tf.Tensor) -> tf.Tensor:
            result = layer.run(tensor, use_batch_statistics)
            collected[layer.norm.name] = layer.norm.collect(
                result.mean[None], result.variance[None]
            )
            return result.outputs

        is_mixture = isinstance(decisions, MicroMixture | MicroPartialMixture)
        stages = self._relaxed_stages if is_mixture else self.stages
        weights = itertools.chain.from_iterable(stage.select(decisions) for stage in stages)
        statistics: list[list[Any]] = [[] for _ in stages]
        if self.is_strided:
            older = newer = images
            for layer in self.stem:
                older, newer = newer, run(layer, newer)
        else:
            older = newer = run(self.stem, images)
        auxiliary = []
        # Without one of the stages (there are few cells) the others keep their places.
        first_stage = self.places[0].stage
        for place, own in zip(self.places, weights):
            if place.is_reduction:
                older, newer = newer, run(self.reductions[str(place.index)], newer)
            inputs = [
                run(self.adapters[key], tensor)
                if (key := f"{place.index}_{number}") in self.adapters
                else tensor
                for number, tensor in enumerate((older, newer))
            ]
            number = place.stage - first_stage
            output, moments = stages[number].run(*inputs, own, use_batch_statistics)
            statistics[number].append(moments)
            older, newer = newer, output
            if with_auxiliary and place.index == auxiliary_cell(self.space.num_layers):
                auxiliary.append(self.auxiliary_head.run(newer, run))
        for stage, moments in zip(stages, statistics):
            collected |= stage.collect(decisions, moments)
        return self.classify(tf.nn.relu(newer), dropout_seed), auxiliary, collected


class Reduction(NormalizedConvolution):
    """ReLU and factorised reduction, with weights of its own.

    Args:
      channels: of the input.
      filters: channels of the output.
      next_seed: as in `NormalizedConvolution`.
      name: of the layer.
      activation: whether there is a ReLU.
    """

    def __init__(
        self, channels: int, filters: int, next_seed: Seeds, name: str, activation: bool = True
    ) -> None:
        super().__init__((1, 1, channels), filters, next_seed, name, activation, stride=2)

    def _kernel_banks(
        self, window: tuple[int, int, int], filters: int, next_seed: Seeds
    ) -> list[WeightBank]:
        shape = (window[-1], filters // 2)
        return [WeightBank(1, shape, seed=next_seed(), name=f"path_{path}") for path in (1, 2)]

    def kernel(self) -> tf.Tensor:
        """Returns the kernel `[2, 2, in, out]` of both paths."""
        return reduction_kernel(*(bank.select([0])[0] for bank in self.kernels))


class AuxiliaryHead(keras.layers.Layer):
    """A second classifier in the middle of the network, which helps its training.

    ReLU, 5 x 5 average pooling of stride 3, 1 x 1 convolution, batch normalisation, ReLU,
    convolution over the whole picture, batch normalisation, ReLU, global average, dense.

    Args:
      sides: height and width of the pictures.
      channels: of the pictures.
      num_classes: number of classes.
      next_seed: returns a new seed at each call, for the initial weights.
    """

    def __init__(
        self, sides: tuple[int, int], channels: int, num_classes: int, next_seed: Seeds
    ) -> None:
        super().__init__(name="auxiliary_head")
        self.window = auxiliary_window(sides)
        self.project = NormalizedConvolution(
            (1, 1, channels),
            AUXILIARY_PROJECTION,
            next_seed,
            name="auxiliary_project",
            activation=False,
        )
        self.combine = NormalizedConvolution(
            (*auxiliary_sides(sides), AUXILIARY_PROJECTION),
            AUXILIARY_FEATURES,
            next_seed,
            name="auxiliary_combine",
        )
        self.classifier = WeightBank(
            1,
            (AUXILIARY_FEATURES, num_classes),
            seed=next_seed(),
            name="auxiliary_classifier",
            always_float32=True,
        )
        self.built = True

    def run(self, inputs: tf.Tensor, run_layer: Callable[[Any, tf.Tensor], tf.Tensor]) -> tf.Tensor:
        """Returns logits `[batch, num_classes]`; `run_layer` runs a `NormalizedConvolution`."""
        outputs = with_float32_sums(
            lambda inputs: tf.nn.avg_pool2d(inputs, self.window, AUXILIARY_STRIDE, "VALID"),
            tf.nn.relu(inputs),
        )
        for layer in (self.project, self.combine):
            outputs = run_layer(layer, outputs)
        features = tf.reduce_mean(tf.cast(tf.nn.relu(outputs), tf.float32), axis=[1, 2])
        return tf.matmul(features, self.classifier.select([0])[0])
