"""Loads Hugging Face models by name or folder: complete ones only, with a hash of their weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxdep.errors import UserError
from jaxdep.plain import one_line


def locate(name: str, kind: str, advice: str = "") -> tuple[str, bool]:
    """The folder of a model or its name on the Hub, and whether the model is available locally.

    Args:
      name: folder, or name on the Hub.
      kind: what the model is, for messages ("text encoder").
      advice: another remedy, for messages.

    Raises:
      UserError: there is no such model.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise UserError(f"{path} contains no config.json: give a Hugging Face model folder.")
        return str(path), True
    if path.is_absolute() or name.startswith((".", "~")):
        raise UserError(f"There is no folder {path}: give a folder with a Hugging Face model.")
    from huggingface_hub import model_info
    from transformers import AutoConfig

    try:
        AutoConfig.from_pretrained(name, local_files_only=True)
    except (OSError, ValueError):
        # One request with a timeout: the loader itself would retry for most of a minute. All
        # failures, whether of the network or an unknown name, have the same remedy.
        try:
            model_info(name, timeout=10)
        except Exception as error:
            raise not_found(name, kind, error, advice) from error
        return name, False
    return name, True


def load(
    name: str, source: str, local: bool, loaders: Mapping[str, Any], kind: str, advice: str = ""
) -> tuple[dict[str, Any], str]:
    """Loads the parts of a model, in evaluation mode, and hashes its weights.

    Args:
      name: name or folder as given by the user.
      source: folder or name, as found by `locate`.
      local: whether the model is available locally, as found by `locate`.
      loaders: class with `from_pretrained` of each part; that of `model` loads the weights.
      kind: what the model is, for messages ("text encoder").
      advice: another remedy, for messages.

    Returns:
      The parts, and a SHA-256 in hexadecimal digits.

    Raises:
      UserError: a part cannot be loaded, or weights are missing.
    """
    from transformers.utils import logging

    bar_enabled = logging.is_progress_bar_enabled()
    if local:  # Show a progress bar for downloads only.
        logging.disable_progress_bar()
    try:
        parts = {
            part: loader.from_pretrained(source, local_files_only=local)
            for part, loader in loaders.items()
            if part != "model"
        }
        model, info = loaders["model"].from_pretrained(
            source, local_files_only=local, output_loading_info=True, use_safetensors=True
        )
    except Exception as error:  # Damaged or unsupported files fail in many ways.
        raise not_found(name, kind, error, advice) from error
    finally:
        if bar_enabled:
            logging.enable_progress_bar()
    # The pooler is never used; any other weights that are not in the file would be random.
    random = sorted(key for key in info["missing_keys"] if not key.startswith("pooler."))
    if random:
        raise UserError(
            f'"{name}" lacks weights of the model: {", ".join(random)}. Give a complete model.'
        )
    weights = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        if not key.startswith("pooler."):
            weights.update(key.encode())
            weights.update(tensor.contiguous().float().numpy().tobytes())
    return {**parts, "model": model.eval()}, weights.hexdigest()


def config_text(model: Any) -> str:
    """The configuration of a model, without what depends on the installation, as text to hash."""
    config = {
        key: value
        for key, value in model.config.to_dict().items()
        if not key.startswith(("_", "transformers_version"))
    }
    return json.dumps(config, sort_keys=True, default=str)


def not_found(name: str, kind: str, error: Exception, advice: str = "") -> UserError:
    """The message about a model that cannot be loaded."""
    reason = one_line((str(error).splitlines() or [type(error).__name__])[0])
    files = f"config.json, {_FILES.get(kind, 'preprocessor_config.json')}, model.safetensors"
    return UserError(
        f'The {kind} "{name}" cannot be loaded ({reason}). Give a local folder with a '
        f"Hugging Face model ({files}){advice}."
    )


_FILES = {"text encoder": "tokenizer"}
"""Other files than the preprocessor's that a folder needs, by kind."""
