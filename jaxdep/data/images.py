"""Still images to features: EfficientNet zones from top to bottom, and HSV colour histograms."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np

from jaxdep.errors import UserError

BINS = (8, 4, 4)
"""Histogram bins of hue, saturation and value: 128 together."""


def read_image(file: str | Path) -> np.ndarray:
    """Reads an image file as `[height, width, 3]` uint8, red, green, blue.

    Raises:
      ValueError: the file is no whole image.
      UserError: Pillow is not installed.
    """
    _need("PIL", "pillow")
    from PIL import Image

    try:
        with Image.open(file) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"not a readable image ({error})") from error


def hsv_histogram(image: np.ndarray, bins: tuple[int, int, int] = BINS) -> np.ndarray:
    """Joint histogram of hue, saturation and value over all pixels.

    Args:
      image: `[height, width, 3]` uint8, red, green, blue.
      bins: bins of equal width for each of the three.

    Returns:
      `[bins[0] * bins[1] * bins[2]]` float32 that sums to 1; hue varies slowest. Hue 0 is red, and
      the hue of a grey pixel counts as 0.
    """
    _check_image(image)
    rgb = image.reshape(-1, 3).astype(np.float64) / 255
    value, span = rgb.max(axis=1), np.ptp(rgb, axis=1)
    safe = np.where(span > 0, span, 1.0)
    red, green, blue = rgb.T
    hue = np.select(
        [span == 0, value == red, value == green],
        [0.0, ((green - blue) / safe) % 6, (blue - red) / safe + 2],
        default=(red - green) / safe + 4,
    )
    saturation = np.where(value > 0, span / np.where(value > 0, value, 1.0), 0.0)
    hsv = np.stack([hue / 6, saturation, value], axis=1)
    counts, _ = np.histogramdd(hsv, bins=bins, range=[(0.0, 1.0)] * 3)
    return (counts.ravel() / len(hsv)).astype(np.float32)


class ZoneEncoder:
    """EfficientNet features of horizontal zones, from top to bottom.

    The image is squeezed to the square that the model was trained on; the rows of its last feature
    map are averaged within each zone. The paper names EfficientNet and a width of 768, no family
    member; the width here is that of the model given (1280 for B0, 1408 for B2).

    Attributes:
      name: the folder that the user named.
      width: length of a zone's vector.
      zones: number of zones.
    """

    def __init__(self, folder: str | Path, zones: int = 7):
        _need("torch", "torch")
        _need("transformers", "transformers")
        if zones < 1:
            raise UserError(f"There must be at least 1 zone; zones is {zones}.")
        from transformers import AutoModel
        from transformers.utils import logging

        path = Path(folder).expanduser()
        if not (path / "config.json").is_file():
            raise UserError(
                f"{path} holds no config.json: give a local folder with a Hugging Face "
                "EfficientNet (config.json, model.safetensors)."
            )
        bar = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            model, info = AutoModel.from_pretrained(
                path, local_files_only=True, output_loading_info=True, use_safetensors=True
            )
        except Exception as error:  # Damaged and foreign files fail in many ways.
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(f"The image encoder {path} cannot be loaded ({reason}).") from error
        finally:
            if bar:
                logging.enable_progress_bar()
        if info["missing_keys"]:
            lacking = ", ".join(sorted(info["missing_keys"]))
            raise UserError(f"The files of {path} lack weights of its model: {lacking}.")
        if not hasattr(model.config, "image_size") or not hasattr(model.config, "hidden_dim"):
            raise UserError(f"{path} holds {type(model).__name__}; EfficientNet is expected.")
        self.name, self.width, self.zones = str(folder), int(model.config.hidden_dim), zones
        self._model = model.eval()
        self._size = int(model.config.image_size)
        self._mean, self._std = _normalisation(path)

    def encode(self, images: list[np.ndarray]) -> list[np.ndarray]:
        """Embeds each `[height, width, 3]` uint8 image as `[zones, width]` float32, top first."""
        return [self._encode(image) for image in images]

    def _encode(self, image: np.ndarray) -> np.ndarray:
        import torch
        from PIL import Image

        _check_image(image)
        small = Image.fromarray(image).resize((self._size, self._size), Image.Resampling.BICUBIC)
        scaled = (np.asarray(small, np.float32) / 255 - self._mean) / self._std
        with torch.no_grad():
            pixels = torch.from_numpy(np.ascontiguousarray(scaled.transpose(2, 0, 1)))[None]
            rows = self._model(pixel_values=pixels).last_hidden_state
            if rows.shape[2] < self.zones:
                raise UserError(
                    f"{self.name} sees an image as {rows.shape[2]} rows; "
                    f"it cannot be cut into {self.zones} zones."
                )
            zones = torch.nn.functional.adaptive_avg_pool2d(rows, (self.zones, 1))
        return np.ascontiguousarray(zones[0, :, :, 0].numpy().T, dtype=np.float32)


def _normalisation(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the model's own preprocessing; those of ImageNet if it names none."""
    file = folder / "preprocessor_config.json"
    named = json.loads(file.read_text()) if file.is_file() else {}
    mean = named.get("image_mean", [0.485, 0.456, 0.406])
    std = named.get("image_std", [0.229, 0.224, 0.225])
    return np.array(mean, np.float32), np.array(std, np.float32)


def _check_image(image: np.ndarray) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(
            f"image has shape {image.shape} and dtype {image.dtype}; "
            "expected [height, width, 3] uint8."
        )


def _need(module: str, package: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise UserError(f'Image features need {package}: pip install "jaxdep[extract]".')
