"""That every source is measured, in the shortest form; see `tests.picture_rates`."""

import numpy as np

from enas_tf.data.images.pictures import ArrayPictures
from tests import picture_rates


def test_pictures_and_the_time_of_processors_are_counted():
    images = np.zeros((10, 8, 8, 3), np.uint8)
    for source in (images, ArrayPictures(images)):
        rate = picture_rates.measured("zeros", source, 100)
        assert rate.pictures >= 100
        assert 0.0 < rate.seconds < 60.0
