from enas_tf.spaces.micro.published import DARTS_V1, DARTS_V2, ENAS_MICRO_RELEASE

# From the release's `cifar10_micro_final.sh`.
NORMAL = "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1"
REDUCTION = "1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1"


def test_cells_of_the_release():
    assert ENAS_MICRO_RELEASE.to_release_string() == f"{NORMAL} {REDUCTION}"


def test_loose_ends_of_the_release():
    assert ENAS_MICRO_RELEASE.normal.loose_ends == (2, 3, 4, 5, 6)
    assert ENAS_MICRO_RELEASE.reduction.loose_ends == (2, 4, 5, 6)


def test_cells_of_darts_as_integers():
    assert DARTS_V1.to_release_string() == (
        "1 0 0 0 0 4 1 0 0 4 1 0 0 0 2 4 0 3 1 3 2 4 0 3 0 3 2 4 2 4 0 2"
    )
    assert DARTS_V2.to_release_string() == (
        "0 0 1 0 0 0 1 0 1 0 0 4 0 4 2 5 0 3 1 3 2 4 1 3 0 3 2 4 2 4 1 3"
    )
