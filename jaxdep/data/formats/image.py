"""Reads images, whose size in pixels is checked before they are decoded."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, UnidentifiedImageError

from jaxdep.data.formats.files import check_file
from jaxdep.errors import BadFileError

_LIMIT = 2**28
PIXELS = 2**27
"""Maximum number of pixels; ten minutes of a spectrogram have 5 * 10^7."""


def read(path: Path, root: Path, mode: Literal["RGB", "L"], limit: int = _LIMIT) -> np.ndarray:
    """Reads a PNG or JPEG image as bytes, [height, width, 3] or, if grey (`L`), [height, width].

    Args:
      path: the file.
      root: folder of the corpus.
      mode: colours.
      limit: maximum size of the file in bytes.

    Raises:
      BadFileError: the file is not a complete image, or has too many pixels.
    """
    check_file(path, root, limit)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our limit is stricter
            with Image.open(path, formats=("PNG", "JPEG")) as image:
                width, height = image.size
                if width * height > PIXELS:
                    raise BadFileError("image too large", f"{width} x {height} pixels")
                return np.asarray(image.convert(mode))
    except BadFileError:
        raise
    except UnidentifiedImageError:  # whose text holds a path of this machine
        raise BadFileError("unreadable image", "not a PNG or JPEG image") from None
    except Image.DecompressionBombError as error:
        raise BadFileError("image too large", str(error)) from None
    except Exception as error:  # Pillow's decoders fail on broken files in many ways
        raise BadFileError("unreadable image", str(error)) from None
