"""Image features: colour histograms against colorsys, zones against the feature map."""

import colorsys

import numpy as np
import pytest
from tiny_encoders import tiny_efficientnet

from jaxdep.data.images import BINS, ZoneEncoder, hsv_histogram
from jaxdep.errors import UserError


def random_image(seed, height=37, width=53):
    return np.random.default_rng(seed).integers(0, 256, size=(height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def zones(tmp_path_factory):
    return tiny_efficientnet(tmp_path_factory.mktemp("models") / "efficientnet")


def test_histogram_counts_each_pixel_where_colorsys_puts_it():
    image = random_image(0, 11, 7)
    expected = np.zeros(BINS)
    for pixel in image.reshape(-1, 3):
        hsv = np.array(colorsys.rgb_to_hsv(*(pixel / 255)))
        expected[tuple(np.minimum((hsv * BINS).astype(int), np.array(BINS) - 1))] += 1 / 77
    histogram = hsv_histogram(image)
    assert histogram.dtype == np.float32
    np.testing.assert_allclose(histogram, expected.ravel(), atol=1e-6)


def test_histogram_of_plain_colours():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0] = (0, 0, 255)  # hue 2/3, saturation 1, value 1
    image[0, 1] = (128, 128, 128)  # hue 0, saturation 0, value 0.502
    histogram = hsv_histogram(image).reshape(BINS)
    assert histogram[int(8 * 2 / 3), 3, 3] == 0.25
    assert histogram[0, 0, 2] == 0.25
    assert histogram[0, 0, 0] == 0.5  # black


def test_zones_are_ordered_from_top_to_bottom(zones):
    encoder = ZoneEncoder(zones, zones=2)
    top, bottom = random_image(1, 64, 90), random_image(2, 64, 90) // 4
    (states,) = encoder.encode([np.concatenate([top, bottom])])
    assert states.shape == (2, 320)
    assert states.dtype == np.float32
    import torch
    from PIL import Image
    from transformers import AutoModel

    image = np.concatenate([top, bottom])
    small = np.asarray(Image.fromarray(image).resize((128, 128), Image.Resampling.BICUBIC)) / 255
    pixels = (small - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]  # ImageNet's
    with torch.no_grad():
        rows = AutoModel.from_pretrained(zones).eval()(
            pixel_values=torch.tensor(pixels.transpose(2, 0, 1)[None], dtype=torch.float32)
        )
    feature_map = rows.last_hidden_state[0].numpy()  # [320, 4, 4]
    np.testing.assert_allclose(states[0], feature_map[:, :2].mean(axis=(1, 2)), atol=1e-5)
    np.testing.assert_allclose(states[1], feature_map[:, 2:].mean(axis=(1, 2)), atol=1e-5)
    assert np.abs(states[0] - states[1]).max() > 1e-2


def test_an_image_does_not_depend_on_its_neighbours(zones):
    encoder = ZoneEncoder(zones, zones=3)
    images = [random_image(seed, 20 + seed, 50 - seed) for seed in range(3)]
    for alone, together in zip(images, encoder.encode(images), strict=True):
        np.testing.assert_array_equal(encoder.encode([alone])[0], together)


def test_mistakes_are_named(zones, tmp_path):
    with pytest.raises(UserError, match=r"contains no config\.json"):
        ZoneEncoder(tmp_path)
    with pytest.raises(UserError, match="must be at least 1"):
        ZoneEncoder(zones, zones=0)
    with pytest.raises(UserError, match="has 4 rows, fewer than zones=5"):
        ZoneEncoder(zones, zones=5).encode([random_image(0)])
    with pytest.raises(ValueError, match=r"expected .*uint8"):
        hsv_histogram(random_image(0).astype(float))
