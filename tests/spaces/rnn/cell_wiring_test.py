import numpy as np
import pytest
import tensorflow as tf

from enas_tf.spaces.rnn.architecture import RnnArchitecture, RnnFunction
from enas_tf.spaces.rnn.cell_wiring import FixedWiring, SampledWiring

# Node 3 and node 4 are read by nobody.
ARCHITECTURE = RnnArchitecture.from_release_string("0 2 1 0 1 1 2 3")
FUNCTIONS = {
    RnnFunction.TANH: tf.tanh,
    RnnFunction.RELU: tf.nn.relu,
    RnnFunction.SIGMOID: tf.sigmoid,
    RnnFunction.IDENTITY: tf.identity,
}
VALUES = np.random.default_rng(0).normal(size=(5, 2, 3)).astype(np.float32)


def wirings(cell_output="mean"):
    integers = ARCHITECTURE.to_integers()
    sampled = SampledWiring(tf.constant(integers[0::2]), tf.constant(integers[1::2]), cell_output)
    return [FixedWiring(ARCHITECTURE, cell_output), sampled]


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("node", [1, 2, 3, 4])
def test_functions_and_their_slopes(kind, node):
    wiring = wirings()[kind]
    x = tf.constant([-2.0, -0.3, 0.0, 0.4, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        expected = FUNCTIONS[ARCHITECTURE.nodes[node - 1].function](x)
    value = wiring.activate(x, node)
    np.testing.assert_allclose(value, expected, atol=1e-6)
    np.testing.assert_allclose(wiring.slope(value, node), tape.gradient(expected, x), atol=1e-6)


@pytest.mark.parametrize("kind", [0, 1])
def test_nodes_read_the_nodes_of_the_architecture(kind):
    wiring = wirings()[kind]
    values = tf.unstack(VALUES)
    for number, node in enumerate(ARCHITECTURE.nodes, 1):
        read = values[int(wiring.previous_of(number))]
        np.testing.assert_array_equal(read, VALUES[node.previous])
        np.testing.assert_array_equal(wiring.read_all(tf.constant(VALUES))[number - 1], read)


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize(("cell_output", "nodes"), [("mean", (1, 2, 3, 4)), ("loose_ends", (3, 4))])
def test_the_state_is_the_mean_of_some_nodes(kind, cell_output, nodes):
    wiring = wirings(cell_output)[kind]
    state = wiring.combine(tf.unstack(VALUES))
    np.testing.assert_allclose(state, np.mean(VALUES[list(nodes)], axis=0), atol=1e-6)
    gradients = wiring.spread(tf.ones([2, 3]))
    for node in range(5):
        share = 1 / len(nodes) if node in nodes else 0.0
        expected = np.full((2, 3), share)
        np.testing.assert_allclose(gradients[node], expected, atol=1e-6)


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize(("backwards", "digits"), [(False, 1234), (True, 4321)])
def test_nodes_come_in_order(kind, backwards, digits):
    def write_down(node, number):
        return (10 * number + node,)

    (written,) = wirings()[kind].for_each_node(write_down, (0,), backwards=backwards)
    assert int(written) == digits
