"""Random architectures in which every option of every decision is equally frequent.

Source: Chu, Zhang and Xu: *FairNAS: Rethinking Evaluation Fairness of Weight Sharing Neural
Architecture Search*, ICCV 2021, arXiv 1907.01845. There the options are even within each update,
whose gradients are summed; here within as few training steps as there are options.
"""

from collections.abc import Sequence

import numpy as np

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.batch import ArchitectureBatch


def fair_sample(space: SearchSpace, count: int, seed: int | Sequence[int]) -> ArchitectureBatch:
    """Draws random architectures; of a decision with n options, each block of n has all.

    Where decisions depend on each other, the architectures are simply uniform.

    Args:
      space: the search space.
      count: of architectures.
      seed: of the draw.
    """
    generator = np.random.default_rng(seed)
    try:
        options = space.decision_options()
    except ConfigurationError:
        uniform = [space.random_architecture(generator) for _ in range(count)]
        return ArchitectureBatch(space, uniform)

    def column(number: int) -> np.ndarray:
        blocks = -(-count // number)
        return generator.permuted(np.tile(np.arange(number), (blocks, 1)), axis=1).ravel()[:count]

    fields = []
    for field in options:
        numbers = np.asarray(field)
        columns = [column(int(number)) for number in numbers.ravel()]
        fields.append(np.stack(columns, axis=-1).reshape(count, *numbers.shape).astype(np.int32))
    return ArchitectureBatch.from_decisions(space, type(options)(*fields))
