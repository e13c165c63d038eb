"""Published architectures of the micro space."""

from enas_tf.spaces.micro.architecture import MicroArchitecture

# The cells of the release's final script, `cifar10_micro_final.sh`: 5 nodes each, found on CIFAR-10
# and reported there with about 96.5 % test accuracy. First the normal, then the reduction cell.
ENAS_MICRO_RELEASE = MicroArchitecture.from_release_string(
    "0 2 0 0 | 0 4 0 1 | 0 4 1 1 | 1 0 0 1 | 0 2 1 1 |"
    "1 0 1 0 | 0 3 0 2 | 1 1 3 1 | 1 0 0 4 | 0 3 1 1"
)

PUBLISHED = {"enas_micro_release": ENAS_MICRO_RELEASE}
