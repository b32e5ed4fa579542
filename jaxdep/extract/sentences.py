"""Embeds recognised sentences, by the text encoders that corpora with transcripts use."""

from __future__ import annotations

from functools import cache

import numpy as np

from jaxdep.data import text
from jaxdep.errors import BadFileError


def embed(sentences: np.ndarray, encoder: text.TextEncoder) -> np.ndarray:
    """Averages the token embeddings of each sentence.

    Args:
      sentences: [S] records with `text`, see `words.Recogniser`; of one with more than
        `encoder.max_tokens` tokens, the first ones count.
      encoder: text encoder.

    Returns:
      [S, width] float32; row s is that of sentence s.

    Raises:
      BadFileError: there are no sentences.
    """
    if not len(sentences):
        raise BadFileError("no sentence", "none was recognised; text needs one at least")
    tokens = encoder.encode(sentences["text"].tolist())
    return np.stack([each.mean(0) for each in tokens])


@cache
def encoder(name: str) -> text.TextEncoder:
    """Loads a text encoder, once in a process."""
    return text.encoder(name)
