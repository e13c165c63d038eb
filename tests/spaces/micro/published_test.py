from enas_tf.spaces.micro.published import ENAS_MICRO_RELEASE

# From the release's `cifar10_micro_final.sh`.
NORMAL = "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1"
REDUCTION = "1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1"


def test_cells_of_the_release():
    assert ENAS_MICRO_RELEASE.to_release_string() == f"{NORMAL} {REDUCTION}"


def test_loose_ends_of_the_release():
    assert ENAS_MICRO_RELEASE.normal.loose_ends == (2, 3, 4, 5, 6)
    assert ENAS_MICRO_RELEASE.reduction.loose_ends == (2, 4, 5, 6)
