"""Specifications of the text and image baseline networks for tests, parity and figures."""

from __future__ import annotations

from functools import partial
from typing import Any

from jaxdep.models.baselines.bert import BERT
from jaxdep.models.baselines.bigru import BiGRU
from jaxdep.models.baselines.dcnn import DCNN
from jaxdep.models.baselines.han import HAN
from jaxdep.models.baselines.mha_bilstm import MHABiLSTM
from jaxdep.models.baselines.mult import MulT
from jaxdep.models.baselines.rcnn import RCNN
from jaxdep.models.baselines.spec_parts import baseline_spec
from jaxdep.models.spec import Arrays, InputSampler, State, matrix_shape, zeros

_THREE = {"modalities": ("text", "visual", "color"), "classes": None}
_ONE = {"modalities": ("text",)}
_OF_ONE_FRAME = ("color/weight_hh_l0", "color/weight_hh_l0_reverse")
"""Recurrent weights that read a vector: of its only frame, the state before is zero."""

_VARIANTS = {"paper": {}, "three modalities": _THREE, "text": _ONE}


def _example_inputs(model: Any, drawn: InputSampler) -> Arrays:
    """Draws a sequence of words, a shorter one of image zones, and a vector of colours."""
    inputs = {
        "text": lambda: drawn.sequence("text", 6),
        "visual": lambda: drawn.sequence("visual", 5, drawn.length + 1),
        "color": lambda: drawn.vector("color", 4),
    }
    return {key: x for name in model.modalities for key, x in inputs[name]().items()}


def _shares_of_the_classifier(model: Any, state: State) -> Arrays:
    """Widths that a state of BERT may have: only their sum is known."""
    total, rest = matrix_shape(state, "classifier.weight")[1], len(model.modalities) - 1
    widths = [total - rest, *[1] * rest]
    return {name: zeros(1, 1, w) for name, w in zip(model.modalities, widths, strict=True)}


def _inputs_of_convolutions(model: Any, state: State, entry: str) -> Arrays:
    width = lambda name: state[entry.format(name)].shape[1]
    return {name: zeros(1, 1, width(name)) for name in model.modalities}


_spec = partial(baseline_spec, example_inputs=_example_inputs, widths={"text": 768, "visual": 1280})

SPECS = (
    _spec(
        "bigru",
        BiGRU,
        base={"hidden": 4},
        changes=_VARIANTS,
        width_of="gru.{}.weight_ih_l0",
        without_gradient={"three modalities": _OF_ONE_FRAME},
    ),
    _spec(
        "han",
        HAN,
        base={"hidden": 4, "attention": 3, "segment": 2},
        changes=_VARIANTS,
        width_of="word_gru.{}.weight_ih_l0",
        # A vector is the only word of its only segment: its attention is constant.
        without_gradient={
            "three modalities": (
                *_OF_ONE_FRAME,
                *("attention.color/proj/kernel", "attention.color/proj/bias"),
                "attention.color/score/kernel",
            )
        },
    ),
    _spec(
        "mha_bilstm",
        MHABiLSTM,
        base={"hidden": 4, "attention": 3, "heads": 2},
        changes=_VARIANTS,
        width_of="lstm.{}.weight_ih_l0",
        # A vector is the only frame: its attention is constant.
        without_gradient={
            "three modalities": (
                *_OF_ONE_FRAME,
                *("attention.color/proj/kernel", "attention.color/score/kernel"),
            )
        },
    ),
    _spec(
        "dcnn",
        DCNN,
        base={"channels": 6, "features": 4, "visual_layers": 3},
        changes=_VARIANTS,
        inputs_of_state=partial(_inputs_of_convolutions, entry="conv.{}.0.weight"),
        # Nothing bounds its layers: under the usual factor, the softmax of the loss saturates.
        enlarge=2.0,
        gradient_scale=2.0,
    ),
    _spec(
        "bert",
        BERT,
        base={},
        changes=_VARIANTS,
        inputs_of_state=_shares_of_the_classifier,
    ),
    _spec(
        "rcnn",
        RCNN,
        base={"hidden": 4, "features": 5},
        changes=_VARIANTS,
        width_of="lstm.{}.weight_ih_l0",
        without_gradient={"three modalities": _OF_ONE_FRAME},
    ),
    _spec(
        "mult",
        MulT,
        base={"features": 8, "heads": 2, "cross_layers": 1, "memory_layers": 1},
        changes={**_VARIANTS, "two layers": {"cross_layers": 2, "memory_layers": 2}},
        inputs_of_state=partial(_inputs_of_convolutions, entry="conv.{}.weight"),
        enlarge=2.0,  # nothing bounds its output block, as in DCNN
        without_gradient={
            # A key bias shifts all scores of a query equally, which does not change the softmax.
            "*": ("/k/bias",),
            # A vector is the only frame that the others can attend to.
            "three modalities": tuple(
                f"cross.color_to_{target}/layers.0/attention/{path}"
                for target in ("text", "visual")
                for path in ("q/kernel", "q/bias", "k/kernel")
            ),
        },
    ),
)
"""Specifications of BiGRU, HAN, MHABiLSTM, DCNN, BERT, RCNN and MulT."""
