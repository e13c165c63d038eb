"""Published architectures of the micro space."""

from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.micro.genotype import architecture_of_genotype

# The cells of the release's final script, `cifar10_micro_final.sh`: 5 nodes each, found on CIFAR-10
# and reported there with about 96.5 % test accuracy. First the normal, then the reduction cell.
ENAS_MICRO_RELEASE = MicroArchitecture.from_release_string(
    "0 2 0 0 | 0 4 0 1 | 0 4 1 1 | 1 0 0 1 | 0 2 1 1 |"
    "1 0 1 0 | 0 3 0 2 | 1 1 3 1 | 1 0 0 4 | 0 3 1 1"
)

# The cells of DARTS (arXiv 1806.09055), found on CIFAR-10; `cnn/genotypes.py` of its authors. With
# `--form=darts`, 20 cells and 36 channels they report 97.0 % (first order) and 97.24 % (second).
DARTS_V1 = architecture_of_genotype(
    normal=[
        ("sep_conv_3x3", 1),
        ("sep_conv_3x3", 0),
        ("skip_connect", 0),
        ("sep_conv_3x3", 1),
        ("skip_connect", 0),
        ("sep_conv_3x3", 1),
        ("sep_conv_3x3", 0),
        ("skip_connect", 2),
    ],
    reduction=[
        ("max_pool_3x3", 0),
        ("max_pool_3x3", 1),
        ("skip_connect", 2),
        ("max_pool_3x3", 0),
        ("max_pool_3x3", 0),
        ("skip_connect", 2),
        ("skip_connect", 2),
        ("avg_pool_3x3", 0),
    ],
)
DARTS_V2 = architecture_of_genotype(
    normal=[
        ("sep_conv_3x3", 0),
        ("sep_conv_3x3", 1),
        ("sep_conv_3x3", 0),
        ("sep_conv_3x3", 1),
        ("sep_conv_3x3", 1),
        ("skip_connect", 0),
        ("skip_connect", 0),
        ("dil_conv_3x3", 2),
    ],
    reduction=[
        ("max_pool_3x3", 0),
        ("max_pool_3x3", 1),
        ("skip_connect", 2),
        ("max_pool_3x3", 1),
        ("max_pool_3x3", 0),
        ("skip_connect", 2),
        ("skip_connect", 2),
        ("max_pool_3x3", 1),
    ],
)

PUBLISHED = {
    "enas_micro_release": ENAS_MICRO_RELEASE,
    "darts_v1": DARTS_V1,
    "darts_v2": DARTS_V2,
}
