import tensorflow as tf

from enas_tf.layers.banks import WeightBank
from enas_tf.layers.functional import average_pooling, convolution
from enas_tf.spaces.images.supernet import ImageSupernet


class ChainSupernet(ImageSupernet):
    def __init__(self, space, seed=0):
        super().__init__(space, seed, name="chain_supernet")
        channels, filters = space.input_shape[-1], space.filters
        sizes = {
            "stem": (1, (channels, filters)),
            "layers": (space.num_layers, (filters, filters)),
            "classifier": (1, (filters, space.num_classes)),
        }
        self.banks = {
            name: WeightBank(count, shape, fan_in=shape[0], seed=seed + number, name=name)
            for number, (name, (count, shape)) in enumerate(sizes.items())
        }
        self.built = True

    def forward(self, images, decisions, *, use_batch_statistics, dropout_seed=None):
        del use_batch_statistics, dropout_seed
        features = convolution(images, self.banks["stem"].select([0])[0])
        kernels = self.banks["layers"].select(list(range(self.space.num_layers)))
        for layer, kernel in enumerate(tf.unstack(kernels)):
            branches = [
                lambda x=features, kernel=kernel: tf.nn.relu(convolution(x, kernel)),
                lambda x=features: tf.identity(x),
                lambda x=features: average_pooling(x),
            ]
            shape = features.shape
            features = tf.switch_case(decisions.operations[layer], branches)
            features = tf.ensure_shape(features, shape)
        averages = tf.reduce_mean(features, axis=[1, 2])
        return tf.matmul(averages, self.banks["classifier"].select([0])[0]), {}
