"""Specifications of SMFL and its released network for tests, parity, benchmarks, figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import numpy as np

from jaxdep.data import dialogue
from jaxdep.models.inputs import MODALITIES
from jaxdep.models.smfl.model import SMFL
from jaxdep.models.smfl.released import SMFLReleased
from jaxdep.models.spec import (
    Arrays,
    BenchmarkSpec,
    Case,
    InputSampler,
    ModelSpec,
    State,
    classes,
    matrix_shape,
    one_input_each,
    variants,
    zeros,
)

_FRAMES = {"acoustic": 9, "visual": 3}
"""Numbers of frames of the longest sentence, unless a case overrides them."""

_WIDTHS = {"acoustic": 7, "visual": 5}

# Where a modality is absent, its windows are clipped to no frames.
_STRUCTURE = {"sentences": "the number of sentences, and their times, from the transcript"}


def _example_inputs(model: nn.Module, drawn: InputSampler) -> Arrays:
    """Draws `length` consecutive sentences, some without a frame of voice or face."""
    batch, length, rng, masked = drawn.batch, drawn.length, drawn.rng, drawn.masked
    inputs = drawn.sequence("text", 768)
    counts = inputs.get("text_mask", np.ones((batch, length), bool)).sum(1)
    table = np.zeros((batch, length, 6), np.int32)
    table[..., 4:] = np.arange(length)[:, None] + np.array([0, 1])
    for column, (name, width) in enumerate(_WIDTHS.items()):
        longest = {**_FRAMES, **drawn.frames}[name]
        sizes = rng.integers(0, longest + 1, (batch, length))
        sizes[:, 0], sizes[0] = longest, longest
        ends = sizes.cumsum(1)
        table[..., 2 * column], table[..., 2 * column + 1] = ends - sizes, ends
        x = rng.normal(size=(batch, longest * length, width)).astype(np.float32)
        real = ends[np.arange(batch), counts - 1]
        mask = np.arange(x.shape[1]) < real[:, None]
        inputs[name] = x * mask[..., None] if masked else x
        if masked:
            inputs[f"{name}_mask"] = mask
    if masked:
        inputs["sentences_mask"] = inputs["text_mask"]
        table *= inputs["text_mask"][..., None]
    return inputs | {"sentences": table}


def _inputs_of_state(model: Any, state: State) -> Arrays:
    inputs: Arrays = {"sentences": np.zeros((1, 1, 6), np.int32)}
    for name in model.modalities:
        if model.encoder == "lstm":
            width = matrix_shape(state, f"encoder_{name}.weight_ih_l0")[1]
        else:
            width = state[f"tcn_{name}.network.0.conv1.weight_v"].shape[1]
        inputs[name] = zeros(1, 1, width)
    return inputs


def _inputs_of_released_state(model: nn.Module, state: State) -> Arrays:
    return {
        "sentences": np.zeros((1, 1, 6), np.int32),
        "acoustic": zeros(1, 1, matrix_shape(state, "conv_audio.0.weight_ih_l0")[1]),
        "visual": zeros(1, 1, matrix_shape(state, "conv_face.0.weight_ih_l0")[1]),
        "text": zeros(1, 1, 768),
    }


def _case(label: str, batch: int, length: int, frames: Mapping[str, int], **fields: Any) -> Case:
    widths = {"acoustic": 79, "visual": 242}
    return Case(label, SMFL(**fields), batch, length, frames=frames, widths=widths)


def _sizes() -> Mapping[str, Case]:
    return {
        # DAIC-WOZ: sentences of up to ten seconds.
        "paper": _case("paper", 8, 21, {"acoustic": 1000, "visual": 300}),
        "tiny": _case("tiny", 3, 3, _FRAMES, channels=4, layers=1),
    }


def _paper_size() -> Case:
    model = SMFL(dropout=0.0, fusion_dropout=0.0)
    widths = {"acoustic": 25, "visual": 204}
    return Case("the paper's size", model, batch=2, length=21, widths=widths)


def _released_windows(case: Case, inputs: Arrays, seed: int) -> Arrays:
    """Sets the windows of the released network, which grow from sentence to sentence."""
    table = inputs["sentences"]
    rng = np.random.default_rng(seed)
    rates = {name: longest // 10 for name, longest in case.frames.items()}
    for row in range(len(table)):
        stops = rng.integers(1, 11, table.shape[1]).cumsum()
        times = np.stack([np.concatenate([[0], stops[:-1]]), stops], 1)
        windows = dialogue.released_windows(times, rates)
        table[row, :, :4] = np.concatenate([windows["acoustic"], windows["visual"]], 1)
    return inputs


def _released_sizes() -> Mapping[str, Case]:
    return {
        # The PyTorch reference processes one patient at a time; frame rates as released.
        "paper": Case(
            "paper",
            SMFLReleased(),
            8,
            21,
            masked=False,
            frames={"acoustic": 1720, "visual": 300},
            widths={"acoustic": 513, "visual": 204},
            finish=_released_windows,
        ),
        "tiny": Case(
            "tiny",
            SMFLReleased(max_sentences=5),
            2,
            3,
            masked=False,
            frames={"acoustic": 30, "visual": 10},
            finish=_released_windows,
        ),
    }


def _released_paper_size() -> Case:
    model = SMFLReleased(fusion_dropout=0.0)
    widths = {"acoustic": 513, "visual": 204}
    return Case("the paper's size", model, batch=2, length=21, widths=widths)


def _tasks(model: Any) -> dict[str, dict[str, Any]]:
    heads = model.cmjat_targets if model.cmjat_head else ()
    return {"depression": {}, **{f"cmjat_{target}": {} for target in heads}}


def _targets(model: Any, batch: int, rng: np.random.Generator) -> Arrays:
    return {task: classes(2, batch, rng) for task in _tasks(model)}


def _released_targets(model: Any, batch: int, rng: np.random.Generator) -> Arrays:
    return {"depression": classes(2, batch, rng)}


_PLAIN = {"self_attention": False, "lstm": False, "cmjat_targets": (), "cross_attention": False}

SPEC = ModelSpec(
    name="smfl",
    model=SMFL,
    variants=variants(
        {
            "channels": 8,
            "layers": 2,
            "kernel": 3,
            "heads": 2,
            "hidden": 3,
            "max_sentences": 5,
            "fusion_dropout": 0.0,
        },
        {
            "paper": {},
            "scaled": {"scale": True},
            "TCN (all)": {**_PLAIN, "split": False, "pooling": "mean"},
            "TCN (all), last": {**_PLAIN, "split": False},
            "TCN (sentence)": _PLAIN,
            "LSTM": {"encoder": "lstm", "cmjat_targets": ()},
            "LSTM (all)": {"encoder": "lstm", "split": False, "pooling": "mean"},
            "no LSTM": {"lstm": False},
            "no CMJAT": {"cmjat_targets": ()},
            "both targets, heads": {
                "cmjat_targets": ("visual", "acoustic"),
                "cmjat_head": True,
                "modalities": ("text", "visual", "acoustic"),
            },
            "acoustic and text": {
                "modalities": ("acoustic", "text"),
                "cmjat_targets": ("acoustic",),
            },
            "acoustic": {"modalities": ("acoustic",), "cmjat_targets": ()},
            "visual": {"modalities": ("visual",), "cmjat_targets": ()},
            "text": {"modalities": ("text",), "cmjat_targets": ()},
        },
    ),
    slow_variants=frozenset(
        {
            *("scaled", "TCN (all), last", "LSTM", "no LSTM", "no CMJAT", "LSTM (all)"),
            *("acoustic", "visual", "text", "acoustic and text", "TCN (sentence)"),
        }
    ),
    example_inputs=_example_inputs,
    inputs_of_state=_inputs_of_state,
    structure=_STRUCTURE,
    reference="jaxdep.models.smfl.reference:SMFL",
    edges=lambda first: [Case("one sentence of all", first.clone(split=False))],
    paper_size=_paper_size,
    enlarge=2.5,
    gradient_scale=2.0,
    without_gradient={
        # Biases of keys, values and outputs shift all logits of a softmax equally.
        "*": tuple(
            f"cross_{modality}/{leaf}"
            for modality in ("acoustic", "visual", "text")
            for leaf in ("k/bias", "v/bias", "out/bias")
        ),
        # The text of a sentence is one frame, at which the LSTM's state is still zero.
        "LSTM": ("encoder_text/weight_hh_l0",),
        # A single sentence is one step, with a zero state.
        "LSTM (all)": tuple(
            f"lstm_{modality}/weight_hh_l0" for modality in ("fusion", "acoustic", "visual", "text")
        ),
    },
    optimizer={"name": "adam", "learning_rate": 1e-3, "decay_every": 5},
    tasks=_tasks,
    targets=_targets,
    measured=BenchmarkSpec(sizes=_sizes),
)

RELEASED = ModelSpec(
    name="smfl_released",
    model=SMFLReleased,
    variants=variants(
        {"max_sentences": 5, "fusion_dropout": 0.0},
        {"published": {}, "mended": {"fix_history": True, "cmjat_target": "visual"}},
    ),
    slow_variants=frozenset({"published", "mended"}),
    example_inputs=_example_inputs,
    inputs_of_state=_inputs_of_released_state,
    modalities=lambda model: one_input_each(MODALITIES),
    structure=_STRUCTURE,
    reference="jaxdep.models.smfl.reference:SMFLReleased",
    edges=lambda first: [Case("7 sentences of 5", first, batch=1, length=7)],
    paper_size=_released_paper_size,
    # Attention over one step is constant, and the face-only layer needs a case without sentences.
    without_gradient={
        "*": (
            "Fusion.attention_weights/kernel",
            "Fusion.attention_weights/bias",
            "Fusion.context_vector/kernel",
            "linear_face/kernel",
            "linear_face/bias",
        )
    },
    optimizer={"name": "adam", "learning_rate": 2e-3, "decay_every": 10},
    targets=_released_targets,
    measured=BenchmarkSpec(sizes=_released_sizes),
)
