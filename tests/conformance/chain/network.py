import keras

from enas_tf.spaces.images.network_builder import NetworkBuilder
from enas_tf.spaces.images.network_form import NetworkForm
from tests.conformance.chain.architecture import ChainOperation


def build_chain_network(architecture, config, *, input_shape, num_classes, portable=True, seed=0):
    builder = NetworkBuilder(portable=portable, seed=seed)
    inputs = keras.Input(tuple(input_shape), name="images")
    outputs = builder.convolution(inputs, config.filters, 1, "stem")
    for index, operation in enumerate(architecture.operations):
        name = f"layer_{index}"
        if operation is ChainOperation.CONVOLUTION_1X1:
            outputs = builder.convolution(outputs, config.filters, 1, name)
            outputs = builder.relu(outputs, name)
        elif operation.is_pooling:
            outputs = builder.pooling(outputs, operation, name)
    return keras.Model(inputs, builder.head(outputs, num_classes, 0.1), name="chain_network")


FORM = NetworkForm(build_chain_network)
