from enas_tf.spaces.macro.architecture import MacroOperation
from enas_tf.spaces.macro.published import ENAS_MACRO_RELEASE


def test_final_architecture_of_the_release():
    assert ENAS_MACRO_RELEASE.num_layers == 24
    # It was found without poolings, the operations 4 and 5.
    assert not any(layer.operation.is_pooling for layer in ENAS_MACRO_RELEASE.layers)
    assert ENAS_MACRO_RELEASE.layers[7].operation is MacroOperation.CONVOLUTION_5X5
    assert ENAS_MACRO_RELEASE.layers[7].skip_connections == (1, 2, 4, 5, 6)
