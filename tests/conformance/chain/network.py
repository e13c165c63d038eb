import keras

from enas_tf.spaces.images.network_builder import NetworkBuilder
from enas_tf.spaces.images.network_form import NetworkForm
from tests.conformance.chain.architecture import ChainOperation


def add_chain_network(layers, images, architecture, config, num_classes):
    outputs = layers.convolution(images, config.filters, 1, "stem")
    for index, operation in enumerate(architecture.operations):
        name = f"layer_{index}"
        if operation is ChainOperation.CONVOLUTION_1X1:
            outputs = layers.convolution(outputs, config.filters, 1, name)
            outputs = layers.relu(outputs, name)
        elif operation.is_pooling:
            outputs = layers.pooling(outputs, operation, name)
    return layers.head(outputs, num_classes, 0.1)


def build_chain_network(architecture, config, *, input_shape, num_classes, portable=True, seed=0):
    builder = NetworkBuilder(portable=portable, seed=seed)
    inputs = keras.Input(tuple(input_shape), name="images")
    outputs = add_chain_network(builder, inputs, architecture, config, num_classes)
    return keras.Model(inputs, outputs, name="chain_network")


FORM = NetworkForm(build_chain_network)
