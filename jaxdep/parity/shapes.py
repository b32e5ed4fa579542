"""The widths and lengths that a model takes from its inputs, read off a PyTorch state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import numpy as np

from jaxdep.models import AMM, JAMFN, MDDR, SMFL, DEPFormer, DEPFormerReleased, SMFLReleased
from jaxdep.nn import alignment


def inputs_of_state(model: nn.Module, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Inputs of zeros for which the model has the shapes of the state.

    Raises:
      ValueError: an entry that shows a width or length is missing or no matrix, or the model is
        not known.
    """
    try:
        return _READERS[type(model)](model, state)
    except KeyError as missing:
        name = missing.args[0]
        what = f"- {name} is missing" if isinstance(name, str) else "pass inputs= for this model"
        raise ValueError(f"the state does not fit {type(model).__name__}:\n{what}") from None


def _jamfn(model: Any, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    length = 1
    if model.fusion == "jaf":
        length = _shape(state, "jaf.0.fc3.weight")[0] // 2
    width = lambda name: _shape(state, f"{name}.weight_ih_l0")[1]
    return {
        "acoustic": np.zeros((1, length, width("bilstm_a")), np.float32),
        "visual": np.zeros((1, length, width("bilstm_v")), np.float32),
    }


def _amm(model: Any, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    inputs = {}
    streams = {
        "text": ("text_gru", 2 * model.text_hidden, "gender", "t2v"),
        "visual": ("visual_gru", model.visual_hidden, "color", "v2t"),
    }
    for name in model.modalities:
        gru, hidden, knowledge, way = streams[name]
        inputs[name] = np.zeros((1, 2, _shape(state, f"{gru}.weight_ih_l0")[1]), np.float32)
        if model.inter_modal:
            step = _shape(state, f"{way}.q.weight")[1]
        else:
            step = _shape(state, f"lstm_{next(iter(model.tasks))[:3]}.weight_ih_l0")[1]
        if step > hidden:
            inputs[knowledge] = np.zeros((1, step - hidden), np.float32)
    return inputs


def _mddr(model: Any, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    first = {
        "visual": "visual_align.proj.weight",
        "acoustic": "acoustic_align.conv.0.weight",
        "pose": "pose_align.conv.0.weight",
    }
    voice = alignment.reach(1, model.kernels, model.strides)
    frames = {"visual": 1, "acoustic": voice, "pose": 1}
    return {
        name: np.zeros((1, frames[name], state[first[name]].shape[1]), np.float32)
        for name in model.modalities
    }


def _smfl(model: Any, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    inputs = {"sentences": np.zeros((1, 1, 6), np.int32)}
    for name in model.modalities:
        if model.encoder == "lstm":
            width = _shape(state, f"encoder_{name}.weight_ih_l0")[1]
        else:
            width = state[f"tcn_{name}.network.0.conv1.weight_v"].shape[1]
        inputs[name] = np.zeros((1, 1, width), np.float32)
    return inputs


def _smfl_released(model: Any, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    frames = lambda width: np.zeros((1, 1, width), np.float32)
    return {
        "sentences": np.zeros((1, 1, 6), np.int32),
        "acoustic": frames(_shape(state, "conv_audio.0.weight_ih_l0")[1]),
        "visual": frames(_shape(state, "conv_face.0.weight_ih_l0")[1]),
        "text": frames(768),
    }


def _depformer(model: Any, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    names = {"visual": "fc1.weight", "acoustic": "fc2.weight"}
    modalities = getattr(model, "modalities", tuple(names))
    return {
        name: np.zeros((1, model.words, _shape(state, names[name])[1]), np.float32)
        for name in modalities
    }


def _shape(state: Mapping[str, np.ndarray], name: str) -> tuple[int, int]:
    """Of an entry that must be a matrix."""
    shape = state[name].shape
    if len(shape) != 2:
        raise ValueError(f"! {name} has shape {shape}, expected a matrix")
    return shape


_READERS = {
    JAMFN: _jamfn,
    AMM: _amm,
    MDDR: _mddr,
    SMFL: _smfl,
    SMFLReleased: _smfl_released,
    DEPFormer: _depformer,
    DEPFormerReleased: _depformer,
}
