"""The macro supernet: one set of shared weights behind every network of the space.

Source: the authors' release, `src/cifar10/general_child.py`, with the operation that the controller
chose actually run.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from enas_tf.layers.banks import (
    BatchNormalizationBank,
    BatchNormalizationEntry,
    BatchStatistics,
    WeightBank,
    unstack_entries,
)
from enas_tf.layers.factorized_reduction import reduction_kernel
from enas_tf.layers.functional import batch_normalization, normalized_convolution
from enas_tf.settings.training import PRECISIONS
from enas_tf.spaces.images.stem import IMAGENET, chosen_stem
from enas_tf.spaces.images.supernet import ImageSupernet
from enas_tf.spaces.images.supernet_stem import strided_stem
from enas_tf.spaces.macro.config import STEM_HALVINGS
from enas_tf.spaces.macro.decisions import MacroDecisionSpace
from enas_tf.spaces.macro.supernet_layers import PartialChannelsLayers, WholeChannelsLayers


class MacroSupernet(ImageSupernet):
    """All networks of a macro space in one; see `ImageSupernet` for arguments and calls.

    A convolution makes the stem. Every layer works on the output of the layer before, adds the
    chosen earlier tensors and normalises the sum. At a reduction every tensor that later layers
    can still add is halved by a factorised reduction of its own.
    """

    precisions = PRECISIONS

    def __init__(self, space: MacroDecisionSpace, seed: int = 0) -> None:
        super().__init__(space, seed, name="macro_supernet")
        next_seed = itertools.count(seed * 1000).__next__
        filters, channels = space.filters, space.input_shape[-1]
        self.is_strided = chosen_stem(space.stem, space.input_shape) == IMAGENET
        if self.is_strided:
            self.strided_stem = strided_stem(channels, filters, STEM_HALVINGS, next_seed)
        else:
            self.stem = WeightBank(1, (3, 3, channels, filters), seed=next_seed(), name="stem")
            self.stem_norm = BatchNormalizationBank(1, filters, name="stem_norm")
        form = WholeChannelsLayers if space.search_whole_channels else PartialChannelsLayers
        self.supernet_layers = form(space, next_seed)
        # The first layer has no earlier tensor to add, and no normalisation of the sum.
        self.skip_norm = self._norm_bank(space.num_layers - 1, "skip_norm")
        # After layer i the stem and the outputs of layers 0 … i are reduced, each by its own.
        num_reductions = sum(layer + 2 for layer in space.reduction_layers)
        self.reduction_norm = self._norm_bank(num_reductions, "reduction_norm")
        self.reduction_paths = [
            WeightBank(
                num_reductions,
                (filters, filters // 2),
                seed=next_seed(),
                name=f"reduction_path_{path}",
            )
            for path in (1, 2)
            if num_reductions
        ]
        self.classifier = WeightBank(
            1,
            (filters, space.num_classes),
            seed=next_seed(),
            name="classifier",
            always_float32=True,
        )
        # Traced once per resolution, not once per skip connection.
        self._add = tf.function(add_if_chosen, autograph=False)
        self.built = True

    def _norm_bank(self, num_entries: int, name: str) -> BatchNormalizationBank | None:
        if not num_entries:
            return None
        return BatchNormalizationBank(num_entries, self.space.filters, name=name)

    def forward(
        self,
        images: tf.Tensor,
        decisions: Any,
        *,
        use_batch_statistics: bool,
        dropout_seed: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, dict[str, BatchStatistics]]:
        """Computes logits and batch statistics; see `ImageSupernet.forward`."""
        images = tf.cast(images, self.compute_type)
        outputs, collected = self._run_stem(images, use_batch_statistics)
        kept = [outputs]
        skip_norms = unstack_entries(self.skip_norm.select()) if self.skip_norm else []
        reductions = self._reduction_weights()
        layer_statistics, skip_statistics, reduction_statistics = [], [], []
        for index, weights in enumerate(self.supernet_layers.select(decisions)):
            outputs, statistics = self.supernet_layers.run(kept[-1], weights, use_batch_statistics)
            layer_statistics.append(statistics)
            if index:
                for source, bit in enumerate(tf.unstack(decisions.skips[index, :index])):
                    kept[source], outputs = self._add(kept[source], outputs, bit)
                outputs, *moments = batch_normalization(
                    outputs, skip_norms[index - 1], use_batch_statistics
                )
                skip_statistics.append(moments)
            kept.append(outputs)
            if index in self.space.reduction_layers:
                reduced = [
                    normalized_convolution(
                        tensor, *next(reductions), use_batch_statistics, stride=2
                    )
                    for tensor in kept
                ]
                kept = [result.outputs for result in reduced]
                reduction_statistics += [result[1:] for result in reduced]
        collected |= self.supernet_layers.collect(decisions, layer_statistics)
        for bank, parts in (
            (self.skip_norm, skip_statistics),
            (self.reduction_norm, reduction_statistics),
        ):
            if bank is not None:
                collected[bank.name] = bank.collect(*map(tf.stack, zip(*parts)))
        return self.classify(kept[-1], dropout_seed), collected

    def _run_stem(
        self, images: tf.Tensor, use_batch_statistics: bool
    ) -> tuple[tf.Tensor, dict[str, BatchStatistics]]:
        if self.is_strided:
            outputs, results = images, []
            for layer in self.strided_stem:
                results.append((layer.norm, layer.run(outputs, use_batch_statistics)))
                outputs = results[-1][1].outputs
        else:
            result = normalized_convolution(
                images,
                self.stem.select([0])[0],
                unstack_entries(self.stem_norm.select())[0],
                use_batch_statistics,
            )
            outputs, results = result.outputs, [(self.stem_norm, result)]
        return outputs, {
            bank.name: bank.collect(result.mean[None], result.variance[None])
            for bank, result in results
        }

    def _reduction_weights(self) -> Iterator[tuple[tf.Tensor, BatchNormalizationEntry]]:
        if self.reduction_norm is None:
            return iter(())
        kernels = tf.unstack(reduction_kernel(*(bank.select() for bank in self.reduction_paths)))
        return zip(kernels, unstack_entries(self.reduction_norm.select()))


def add_if_chosen(
    source: tf.Tensor, outputs: tf.Tensor, bit: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Adds the source of a skip connection if it is chosen; otherwise costs nothing.

    The source is handed through, and the next reader must take it from here: its gradient then
    passes the same condition, without zeros for connections that are not chosen.

    Args:
      source: `[batch, height, width, channels]`.
      outputs: of the same shape.
      bit: int32 scalar, 1 if the connection is chosen.

    Returns:
      The source, and the outputs with or without it.
    """
    return tf.cond(
        tf.equal(bit, 1),
        lambda: (tf.identity(source), source + outputs),
        lambda: (tf.identity(source), tf.identity(outputs)),
    )
