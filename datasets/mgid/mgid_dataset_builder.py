"""TFDS builder of MGID: token embeddings of texts, zone and colour features of images."""

from __future__ import annotations

import functools
import hashlib
import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from jaxdep.data import images, text
from jaxdep.data.builder import Item, ManualBuilder, Scan
from jaxdep.data.formats import image
from jaxdep.datasets.mgid import raw
from jaxdep.errors import BadFileError
from jaxdep.settings.kinds import Count

_LAYOUT = """\
  {train,dev,test}/{train,dev,test}.csv    Depression Label,Emotion Label,Title,Text,Image URL
  images/{split}/{split}_<row>.jpg         optional, rows from 1; needs --image-encoder
These are the contents of MGID-dataset.zip (Zhang et al., BIBM 2021; research use only, no
redistribution). To generate a synthetic corpus instead: jaxdep synthesize mgid DIR"""


@dataclass(frozen=True)
class Settings:
    """Options for reading items.

    Attributes:
      text_encoder: text encoder; None for `bert-base-uncased`, or for `hashing` if the corpus is
        synthetic.
      max_tokens: maximum number of tokens per text.
      keep_suffix: see `raw.join`.
      image_encoder: folder of the image encoder; None for no image features.
      zones: number of zones per image.
    """

    text_encoder: str | None = None
    max_tokens: Count = 128
    keep_suffix: bool = False
    image_encoder: str | None = None
    zones: Count = 7


class Builder(ManualBuilder):
    """Titles and descriptions of stock photos, with depression and emotion labels."""

    pkg_dir_path = pathlib.Path(__file__).parent
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = _LAYOUT
    LAYOUT = _LAYOUT
    PUBLISHED = raw.SPLITS
    LABEL_SOURCE = "weak labels: the depression or emotion keyword whose search returned the item"
    OPTIONS: ClassVar[Settings] = Settings()

    @classmethod
    def resolve(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """Chooses the default text encoder, and adds the state of local encoders to the options."""
        synthetic = (folder / "synthetic.json").is_file()
        default = "hashing" if synthetic else text.DEFAULT
        chosen = {**options, "text_encoder": options["text_encoder"] or default}
        # Features change if a model is trained further in its folder.
        for name in ("text_encoder", "image_encoder"):
            if chosen[name] and pathlib.Path(chosen[name]).expanduser().is_dir():
                chosen[f"{name}_files"] = _state(pathlib.Path(chosen[name]).expanduser())
        return chosen

    @classmethod
    def features(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Returns tokens, both labels, and zones and colours of images."""
        tensor = tfds.features.Tensor
        width = _text_encoder(options).width
        found: dict[str, Any] = {
            "text": tensor(shape=(None, width), dtype=np.float32, encoding="bytes"),
            "depression": tfds.features.ClassLabel(names=list(raw.DEPRESSION)),
            "emotion": tfds.features.ClassLabel(names=list(raw.EMOTIONS)),
        }
        zones = _image_encoder(options)
        if zones:
            shape = (None, zones.width)
            found["visual"] = tensor(shape=shape, dtype=np.float32, encoding="bytes")
            found["color"] = tensor(shape=(int(np.prod(images.BINS)),), dtype=np.float32)
        return found

    @classmethod
    def scan(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads every file once and collects all faults; texts are embedded on first use."""
        encoder, zones = _text_encoder(options), _image_encoder(options)
        found = Scan()
        rows = raw.read(folder, found.faults, options["keep_suffix"])
        published = not (folder / "synthetic.json").is_file()
        found.warnings = raw.warnings(rows, published)
        found.card = raw.card(rows) | {"text encoder": encoder.name}
        if zones:
            for row in rows:
                _check_image(folder, row, found)

        @functools.cache
        def embedded() -> dict[str, np.ndarray]:
            texts = [row.text for row in rows]
            with Progress(console=Console(stderr=True), transient=True) as bar:
                task = bar.add_task(escape(f"Embedding texts with {encoder.name}"))
                update = lambda done, total: bar.update(task, completed=done, total=total)
                vectors = text.embed(texts, encoder, progress=update, log=found.warnings.append)
            return dict(zip([row.id for row in rows], vectors, strict=True))

        found.items = [
            Item(row.id, row.split, _loader(row, folder, embedded, zones)) for row in rows
        ]
        return found

    @classmethod
    def encoders(cls, options: Mapping[str, Any]) -> dict[str, str]:
        """Hash of the text encoder."""
        return {"text_encoder": _text_encoder(options).identity}

    @classmethod
    def recordings(cls, path: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads and embeds texts, see `raw.texts`; images are not read."""
        found = Scan()
        texts = raw.texts(path, found.faults, options["keep_suffix"])
        return _embedded(texts, found, options)

    @classmethod
    def texts(cls, texts: Mapping[str, str], options: Mapping[str, Any]) -> Scan:
        """Embeds texts."""
        found = Scan()
        joined = {name: raw.join("", each, options["keep_suffix"]) for name, each in texts.items()}
        for name in [name for name, each in joined.items() if not each]:
            found.faults.add("empty text", name, item=name)
        return _embedded(joined, found, options)


def _embedded(texts: Mapping[str, str], found: Scan, options: Mapping[str, Any]) -> Scan:
    """Adds an item for each text; nothing is embedded if there are faults."""
    if found.faults:
        return found
    vectors = text.embed(list(texts.values()), _text_encoder(options), log=found.warnings.append)
    for name, tokens in zip(texts, vectors, strict=True):
        found.items.append(Item(name, "", lambda tokens=tokens: {"text": tokens}))
    return found


def _loader(
    row: raw.Row,
    folder: pathlib.Path,
    embedded: Callable[[], dict[str, np.ndarray]],
    zones: images.ZoneEncoder | None,
) -> Callable[[], dict[str, Any]]:
    def load() -> dict[str, Any]:
        labels = {"depression": row.depression, "emotion": row.emotion}
        features = {"text": embedded()[row.id], **labels}
        if zones:
            pixels = image.read(folder / row.image, folder, "RGB")
            (features["visual"],) = zones.encode([pixels])
            features["color"] = images.hsv_histogram(pixels)
        return features

    return load


def _check_image(folder: pathlib.Path, row: raw.Row, found: Scan) -> None:
    try:
        image.read(folder / row.image, folder, "RGB")
    except BadFileError as error:
        found.faults.add_file(error, row.image, row.id)


def _text_encoder(options: Mapping[str, Any]) -> text.TextEncoder:
    name = str(options["text_encoder"] or text.DEFAULT)
    return _open_text(name, options["max_tokens"], options.get("text_encoder_files"))


def _image_encoder(options: Mapping[str, Any]) -> images.ZoneEncoder | None:
    folder = options["image_encoder"]
    state = options.get("image_encoder_files")
    return _open_images(str(folder), options["zones"], state) if folder else None


@functools.lru_cache(maxsize=1)
def _open_text(name: str, max_tokens: int, state: str | None) -> text.TextEncoder:
    return text.encoder(name, max_tokens=max_tokens)


@functools.lru_cache(maxsize=1)
def _open_images(folder: str, zones: int, state: str | None) -> images.ZoneEncoder:
    return images.ZoneEncoder(folder, zones)


def _state(folder: pathlib.Path) -> str:
    """Hash of the names, sizes and modification times of the files in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stats = [(str(path.relative_to(folder)), path.stat()) for path in files]
    lines = [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
