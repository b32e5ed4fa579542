"""The text and image baseline networks: the worked examples of their specification."""

from __future__ import annotations

import numpy as np

from hand_computed import LN3, NAN, Arrays, HandComputed, array, linear, matrix


def recurrent(name: str, bias: list, rows: list) -> Arrays:
    """A bidirectional recurrence of one unit, without memory of its own states.

    Args:
      bias: of each gate.
      rows: weights of the new state in the forward and the backward direction.
    """
    state, gates = {}, len(bias)
    for end, row in zip(("", "_reverse"), rows, strict=True):
        state |= {
            f"{name}.weight_ih_l0{end}": matrix(
                gates, len(row), {(2, place): value for place, value in enumerate(row)}
            ),
            f"{name}.weight_hh_l0{end}": np.zeros((gates, 1)),
            f"{name}.bias_ih_l0{end}": array(bias),
            f"{name}.bias_hh_l0{end}": np.zeros(gates),
        }
    return state


HALVING = [0, 0, 0]  # a GRU: r = z = 1/2, so that h_t = (tanh x_t + h_{t-1}) / 2
CLEAR = [0, -60, 0]  # a GRU: h_t = tanh x_t
FORGETTING = [60, -60, 0, 60]  # an LSTM: h_t = tanh(tanh x_t)
ADDING = [60, 60, 0, 60]  # an LSTM: c_t = c_{t-1} + tanh x_t
BOTH = [[1, 0], [0, 1]]  # the forward direction reads feature 0, the backward one feature 1
HALF = np.tanh(0.5)


def bigru() -> HandComputed:
    # Text: forward 0.2, 0.4; backward from the second frame 0.3, 0.35. Image: 0.4 both ways.
    return HandComputed(
        name="a text and one image zone",
        fields={"hidden": 1},
        state=recurrent("gru.text", HALVING, [[1], [1]])
        | recurrent("gru.visual", HALVING, [[1], [1]])
        | linear("classifier", [[1, 2, 3, 4], [-1, 0, 2, 1]], [0.1, -0.3]),
        inputs={
            "text": array([[[np.arctanh(0.4)], [np.arctanh(0.6)], [NAN]]]),
            "text_mask": np.array([[True, True, False]]),
            "visual": array([[np.arctanh(0.8)]]),
        },
        outputs={"depression": array([[4, 0.5]])},
    )


def han(padding: int) -> HandComputed:
    # The sentences' states are tanh(0.25, 0.3) and tanh(0.8, -0.4).
    first, second = np.tanh(np.tanh(0.3)), np.tanh(np.tanh(-0.4))
    state = (
        recurrent("word_gru.text", CLEAR, BOTH)
        | recurrent("sentence_gru.text", CLEAR, BOTH)
        | linear("word_attention.text.proj", [[1, 0]], [0])
        | linear("sentence_attention.text.proj", [[0, 1]], [0])
        | linear("classifier", [[10, 0], [0, 10]], [0.5, -0.5])
    )
    state["word_attention.text.score.weight"] = array([[LN3 / (2 * HALF)]])
    state["sentence_attention.text.score.weight"] = array([[np.log(4) / (first - second)]])
    words = np.arctanh([[0.5, 0.2], [-0.5, 0.6], [0.8, -0.4]])
    inputs = {"text": words[None]}
    if padding:
        inputs["text"] = np.pad(inputs["text"], ((0, 0), (0, padding), (0, 0)), constant_values=7)
        inputs["text_mask"] = np.arange(3 + padding)[None] < 3
    segments = -(-(3 + padding) // 2)
    return HandComputed(
        name=f"two segments, {padding} frames of padding",
        fields={"hidden": 1, "attention": 1, "segment": 2, "modalities": ("text",)},
        state=state,
        inputs=inputs,
        outputs={"depression": array([[3.7874228398, 1.0706029751]])},
        attention={
            "alpha_word_text": array([[[3 / 4, 1 / 4], [1, 0], *[[0, 0]] * (segments - 2)]]),
            "alpha_sentence_text": array([[4 / 5, 1 / 5, *[0] * (segments - 2)]]),
        },
    )


def mha_bilstm() -> HandComputed:
    # The states are (0.5, 0.1) and (-0.5, 0.3), so that M = (0.25, 0.15), (-0.4, 0.28).
    frames = np.arctanh(np.arctanh([[0.5, 0.1], [-0.5, 0.3]]))
    state = recurrent("lstm.text", FORGETTING, BOTH)
    state |= linear("classifier", [[1, 2, 3, 4], [4, -1, 1, 0.5]], [0.03, 0.01])
    state["attention.text.proj.weight"] = array([[1, 0]])
    state["attention.text.score.weight"] = array([[LN3 / (2 * HALF)], [-LN3 / HALF]])
    return HandComputed(
        name="two heads",
        fields={"hidden": 1, "attention": 1, "heads": 2, "modalities": ("text",)},
        state=state,
        inputs={
            "text": np.concatenate([frames, [[NAN, 9]]])[None],
            "text_mask": np.array([[True, True, False]]),
        },
        outputs={"depression": array([[0.5, 0.6]])},
        attention={"attention_text": array([[[3 / 4, 1 / 4, 0], [1 / 10, 9 / 10, 0]]])},
    )


def dcnn() -> HandComputed:
    # Text: 0, 0, 3, (2, masked), then 0, 1, 2.5. Image: five halvings of 1.5's distance from 1.
    state = {
        "conv.text.0.weight": array([[[1, 0, -2]]]),
        "conv.text.0.bias": array([1]),
        "conv.text.1.weight": array([[[0, 1, 0.5]]]),
        "conv.text.1.bias": array([-0.5]),
    }
    for layer in range(6):
        state[f"conv.visual.{layer}.weight"] = array([[[9, 0.5, 7]]])
        state[f"conv.visual.{layer}.bias"] = array([0.5])
    state |= linear("fc.text", [[2], [-1]], [0, 1]) | linear("fc.visual", [[1], [0]], [0, 0])
    state |= linear("classifier", [[1, 1, 8, 1], [-1, 3, 16, 0]], [0, 0.5])
    return HandComputed(
        name="shallow for texts, deep for images",
        fields={"channels": 1, "features": 2, "kernel": 3},
        state=state,
        inputs={
            "text": array([[[1], [2], [1], [NAN]]]),
            "text_mask": np.array([[True, True, True, False]]),
            "visual": array([[2]]),
        },
        outputs={"depression": array([[13.125, 11.75]])},
    )


def bert() -> HandComputed:
    return HandComputed(
        name="means",
        fields={},
        state=linear("classifier", [[1, 0.5, 0.1], [0, -1, 0.2]], [0.5, 0]),
        inputs={
            "text": array([[[1, 2], [3, 6], [NAN, 5]]]),
            "text_mask": np.array([[True, True, False]]),
            "visual": array([[[10], [20]]]),
        },
        outputs={"depression": array([[6, -1]])},
    )


def rcnn() -> HandComputed:
    # The maxima are of different frames; the masked one would have the larger second feature.
    frames = np.arctanh([[0.2, 0.1], [0.4, 0.3], [0.9, 0.99]])
    return HandComputed(
        name="maxima of two frames",
        fields={"hidden": 1, "features": 2, "modalities": ("text",)},
        state=recurrent("lstm.text", ADDING, BOTH)
        | linear("proj.text", [[1, 0, 0, 1], [0, -1, 1, 0]], [0, 0.5])
        | linear("classifier", [[1, 0], [1, 1]], [0, 0.25]),
        inputs={"text": frames[None], "text_mask": np.array([[True, True, False]])},
        outputs={"depression": array([[0.6795955940, 1.3074915476]])},
    )


def silent(name: str, rows: int, columns: int) -> Arrays:
    """A fully connected layer of zeros."""
    return linear(name, np.zeros((rows, columns)), np.zeros(rows))


def plain(name: str, width: int) -> Arrays:
    """An affine layer normalisation as it is initialised."""
    return {f"{name}.weight": np.ones(width), f"{name}.bias": np.zeros(width)}


def mult_of_zeros() -> Arrays:
    """A complete state, zero but for the normalisations."""
    state = silent("proj1", 8, 8) | silent("proj2", 8, 8) | silent("classifier", 2, 8)
    for name, source in (("text", "visual"), ("visual", "text")):
        cross, memory = f"cross.{source}_to_{name}", f"memory.{name}.layers.0"
        layer = f"{cross}.layers.0"
        state |= {f"conv.{name}.weight": np.eye(4)[..., None], f"conv.{name}.bias": np.zeros(4)}
        for path in (*(f"{layer}.attention.{part}" for part in "qkv"), f"{layer}.out"):
            state |= silent(path, 4, 4)
        for path in (layer, memory):
            state |= silent(f"{path}.linear1", 16, 4) | silent(f"{path}.linear2", 4, 16)
            state |= plain(f"{path}.norm1", 4) | plain(f"{path}.norm2", 4)
        state |= plain(f"{cross}.norm", 4) | silent(f"{memory}.self_attn.out_proj", 4, 4)
        state[f"{memory}.self_attn.in_proj_weight"] = np.zeros((12, 4))
        state[f"{memory}.self_attn.in_proj_bias"] = np.zeros(12)
    return state


def mult() -> HandComputed:
    state = mult_of_zeros()
    texts, images = "cross.visual_to_text.layers.0", "cross.text_to_visual.layers.0"
    memory = "memory.visual.layers.0.self_attn"
    state |= {
        f"{texts}.attention.q.weight": matrix(4, 4, {(0, 1): 1}),
        f"{texts}.attention.k.weight": matrix(4, 4, {(0, 1): LN3}),
        f"{texts}.attention.v.weight": np.eye(4),
        f"{texts}.out.weight": np.eye(4),
        f"{images}.attention.q.weight": np.eye(4),
        f"{images}.attention.k.weight": np.eye(4),
        f"{images}.attention.v.weight": np.eye(4) / 2,
        f"{images}.out.weight": np.eye(4),
        f"{images}.linear1.weight": matrix(16, 4, {(0, 0): np.sqrt(5) / 2}),
        f"{images}.linear2.weight": matrix(4, 16, {(1, 0): 1, (3, 0): -1}),
        f"{memory}.in_proj_weight": np.concatenate([np.zeros((8, 4)), np.eye(4)]),
        f"{memory}.out_proj.weight": np.eye(4),
        "proj1.weight": matrix(8, 8, {(0, 0): 1}),
        "proj2.weight": matrix(8, 8, {(7, 0): 1}),
        "classifier.weight": matrix(2, 8, {(0, 0): 1, (0, 1): 2, (0, 4): 3, (0, 5): 4, (1, 7): 1}),
        "classifier.bias": array([0.1, 0]),
    }
    both = lambda a, b: array([a, b, -a, -b])
    positions = array([[0, 1, 0, 1], [np.sin(1), np.cos(1), np.sin(0.01), np.cos(0.01)]])
    zones = np.stack([both(2, 2), both(1, -1)]) - positions
    return HandComputed(
        name="a word and two image zones",
        fields={
            "features": 4,
            "heads": 1,
            "kernel": 1,
            "cross_layers": 1,
            "memory_layers": 1,
        },
        state=state,
        inputs={
            "text": (both(1, 1) - positions[0])[None, None],
            "visual": np.concatenate([zones, np.full((1, 4), NAN)])[None],
            "visual_mask": np.array([[True, True, False]]),
        },
        outputs={"depression": array([[9.7872350121, 0.2402720128]])},
        attention={
            # 3/4 and 1/4, but for the epsilon of the normalisation.
            "cross.visual_to_text/layers.0/attention/attention": array(
                [[[[0.7499983263, 0.2500016737, 0]]]]
            ),
            "cross.text_to_visual/layers.0/attention/attention": np.ones((1, 1, 3, 1)),
        },
    )


CASES = {
    "bigru": [bigru()],
    "han": [han(0), han(4)],
    "mha_bilstm": [mha_bilstm()],
    "dcnn": [dcnn()],
    "bert": [bert()],
    "rcnn": [rcnn()],
    "mult": [mult()],
}
