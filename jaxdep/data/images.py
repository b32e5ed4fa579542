"""Features of still images: EfficientNet features of zones, and HSV colour histograms."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from jaxdep.artifacts.files import read_json
from jaxdep.errors import UserError

BINS = (8, 4, 4)
"""Histogram bins of hue, saturation and value: 128 in total."""


def hsv_histogram(image: np.ndarray, bins: tuple[int, int, int] = BINS) -> np.ndarray:
    """Joint histogram of hue, saturation and value over all pixels.

    Args:
      image: RGB image, `[height, width, 3]` uint8.
      bins: number of equal bins of each channel.

    Returns:
      `[bins[0] * bins[1] * bins[2]]` float32 that sums to 1; hue varies slowest. Hue 0 is red, and
      grey pixels have hue 0.
    """
    _check_image(image)
    from matplotlib.colors import rgb_to_hsv

    hsv = rgb_to_hsv(image.reshape(-1, 3).astype(np.float64) / 255)
    counts, _ = np.histogramdd(hsv, bins=bins, range=[(0.0, 1.0)] * 3)
    return (counts.ravel() / len(hsv)).astype(np.float32)


class ZoneEncoder:
    """EfficientNet features of horizontal zones, from top to bottom.

    The image is resized to the square input of the model, and the rows of the last feature map are
    averaged within each zone. The paper gives EfficientNet and a width of 768 but no model variant;
    the width here is that of the given model (1280 for B0, 1408 for B2).

    Attributes:
      name: model folder as given by the user.
      width: dimension of a zone's feature vector.
      zones: number of zones.
    """

    def __init__(self, folder: str | Path, zones: int = 7):
        _require("torch", "torch")
        _require("transformers", "transformers")
        if zones < 1:
            raise UserError(f"zones is {zones}; it must be at least 1.")
        from transformers import AutoModel
        from transformers.utils import logging

        path = Path(folder).expanduser()
        if not (path / "config.json").is_file():
            raise UserError(
                f"{path} contains no config.json: give a local folder with a Hugging Face "
                "EfficientNet (config.json, model.safetensors)."
            )
        bar_enabled = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            model, info = AutoModel.from_pretrained(
                path, local_files_only=True, output_loading_info=True, use_safetensors=True
            )
        except Exception as error:  # Damaged or unsupported files fail in many ways.
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(f"The image encoder {path} cannot be loaded ({reason}).") from error
        finally:
            if bar_enabled:
                logging.enable_progress_bar()
        if info["missing_keys"]:
            missing = ", ".join(sorted(info["missing_keys"]))
            raise UserError(f"{path} lacks weights of the model: {missing}. Give a complete model.")
        if not hasattr(model.config, "image_size") or not hasattr(model.config, "hidden_dim"):
            raise UserError(
                f"{path} contains a {type(model).__name__}: give a folder with an EfficientNet."
            )
        self.name, self.width, self.zones = str(folder), int(model.config.hidden_dim), zones
        self._model = model.eval()
        self._size = int(model.config.image_size)
        self._mean, self._std = _normalisation(path)

    def encode(self, images: list[np.ndarray]) -> list[np.ndarray]:
        """Encodes each `[height, width, 3]` uint8 image as `[zones, width]` float32, top first."""
        return [self._encode(image) for image in images]

    def _encode(self, image: np.ndarray) -> np.ndarray:
        import torch
        from PIL import Image

        _check_image(image)
        resized = Image.fromarray(image).resize((self._size, self._size), Image.Resampling.BICUBIC)
        scaled = (np.asarray(resized, np.float32) / 255 - self._mean) / self._std
        with torch.no_grad():
            pixels = torch.from_numpy(np.ascontiguousarray(scaled.transpose(2, 0, 1)))[None]
            rows = self._model(pixel_values=pixels).last_hidden_state
            if rows.shape[2] < self.zones:
                raise UserError(
                    f"The feature map of {self.name} has {rows.shape[2]} rows, "
                    f"fewer than zones={self.zones}; give fewer zones."
                )
            zones = torch.nn.functional.adaptive_avg_pool2d(rows, (self.zones, 1))
        return np.ascontiguousarray(zones[0, :, :, 0].numpy().T, dtype=np.float32)


def _normalisation(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the model's preprocessing; by default those of ImageNet."""
    file = folder / "preprocessor_config.json"
    config = read_json(file) if file.is_file() else {}
    mean = config.get("image_mean", [0.485, 0.456, 0.406])
    std = config.get("image_std", [0.229, 0.224, 0.225])
    return np.array(mean, np.float32), np.array(std, np.float32)


def _check_image(image: np.ndarray) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(
            f"image has shape {image.shape} and dtype {image.dtype}; "
            "expected [height, width, 3] uint8."
        )


def _require(module: str, package: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise UserError(f'Image features need {package}: pip install "jaxdep[extract]".')
