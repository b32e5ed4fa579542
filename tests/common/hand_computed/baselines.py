"""The audio-visual baseline networks: the worked examples of their specification.

Everything that a case does not name is zero, including the weights of layer normalisations.
"""

from __future__ import annotations

import numpy as np

from hand_computed import LN2, LN3, NAN, Arrays, HandComputed, array

MODALITIES = ("acoustic", "visual")


def zeros(shapes: dict[str, tuple[int, ...]]) -> Arrays:
    """A state of zeros."""
    return {name: np.zeros(shape) for name, shape in shapes.items()}


def layer(name: str, rows: int, columns: int) -> dict[str, tuple[int, ...]]:
    """Shapes of a fully connected layer."""
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def recurrent(name: str, width: int, hidden: int, ends: tuple[str, ...]) -> dict:
    """Shapes of an LSTM of one layer."""
    gates = 4 * hidden
    shapes = {}
    for end in ends:
        shapes |= {f"{name}.weight_ih_l0{end}": (gates, width)}
        shapes |= {f"{name}.weight_hh_l0{end}": (gates, hidden)}
        shapes |= {f"{name}.bias_{part}_l0{end}": (gates,) for part in ("ih", "hh")}
    return shapes


def masked(name: str, values: list, mask: list | None) -> Arrays:
    """Sequences of one feature, a row each, and their mask."""
    x = {name: array(values)[..., None]}
    return x if mask is None else x | {f"{name}_mask": np.array(mask, bool)}


# BLSTM: all gates are 1/2 and g = tanh x.
def blstm() -> HandComputed:
    shapes = layer("fc.0", 1, 4) | layer("fc.3", 2, 1)
    for m in MODALITIES:
        shapes |= recurrent(f"lstm.{m}", 1, 1, ("", "_reverse"))
    state = zeros(shapes)
    for m in MODALITIES:
        for end in ("", "_reverse"):
            state[f"lstm.{m}.weight_ih_l0{end}"] = array([[0], [0], [1], [0]])
    state |= {
        "fc.0.weight": array([[100, 10, 1, 1000]]),
        "fc.0.bias": array([0.5]),
        "fc.3.weight": array([[1], [-1]]),
        "fc.3.bias": array([0, 1]),
    }
    # tanh(ln 2) = 0.6. Forward, c = 0.3 and 0.15; backward from frame 2, c = 0 and 0.3. The mean is
    # over two frames, and the missing face adds zeros.
    forward = (np.tanh(0.3) / 2 + np.tanh(0.15) / 2) / 2
    backward = np.tanh(0.3) / 2 / 2
    z = 100 * forward + 10 * backward + 0.5
    assert round(z, 6) == 12.233223
    return HandComputed(
        name="one frame after another, one modality missing",
        fields={"hidden": 1, "layers": 1},
        state=state,
        inputs=masked("acoustic", [[LN2, 0, NAN]], [[1, 1, 0]])
        | masked("visual", [[7, NAN]], [[0, 0]]),
        outputs={"depression": array([[z, 1 - z]])},
    )


def tfn_state(modalities: tuple[str, ...]) -> Arrays:
    shapes = layer("fc.0", 1, 3 ** len(modalities)) | layer("fc.3", 1, 1) | layer("fc.6", 2, 1)
    for m in modalities:
        for index, width in ((0, 1), (3, 2), (6, 2)):
            shapes |= layer(f"net.{m}.{index}", 2, width)
    state = zeros(shapes)
    for m in modalities:
        state |= {f"net.{m}.{index}.weight": np.eye(2) for index in (3, 6)}
    return state | {
        "net.acoustic.0.weight": array([[1], [1]]),
        "net.acoustic.0.bias": array([0, 1]),
        "net.visual.0.weight": array([[1], [-1]]),
        "fc.0.weight": np.arange(1.0, 1 + 3 ** len(modalities))[None],
    }


# z' of the voice is (2, 3, 1), the mean of 1 and 3 with its successor; of the face, (5, 0, 1).
TFN_INPUTS = masked("acoustic", [[1, 3, NAN]], [[1, 1, 0]]) | {"visual": array([[5]])}


def tfn() -> HandComputed:
    # v = (10, 0, 2, 15, 0, 3, 5, 0, 1), of which 1 v_1 + ... + 9 v_9 = 138.
    state = tfn_state(MODALITIES) | {
        "fc.0.bias": array([-137.5]),
        "fc.3.weight": array([[2]]),
        "fc.6.weight": array([[1], [-3]]),
        "fc.6.bias": array([0, 1]),
    }
    return HandComputed(
        name="two modalities",
        fields={"hidden": 2, "post": 1},
        state=state,
        inputs=TFN_INPUTS,
        outputs={"depression": array([[1, -2]])},
    )


def tfn_of_three() -> HandComputed:
    # v = (70,0,10, 0,0,0, 14,0,2, 105,0,15, 0,0,0, 21,0,3, 35,0,5, 0,0,0, 7,0,1).
    modalities = (*MODALITIES, "text")
    state = tfn_state(modalities) | {
        "net.text.0.bias": array([7, 0]),
        "fc.3.weight": array([[1]]),
        "fc.6.weight": array([[1], [-1]]),
    }
    return HandComputed(
        name="three modalities",
        fields={"hidden": 2, "post": 1, "modalities": modalities},
        state=state,
        inputs={**TFN_INPUTS, "text": array([[0]])},
        outputs={"depression": array([[2808, -2808]])},
    )


def encoders() -> dict[str, tuple[int, ...]]:
    """Shapes of the encoders of width 2, with one layer, one head and one hidden unit."""
    shapes = {}
    for m in MODALITIES:
        path = f"encoder.{m}.layers.0"
        shapes |= layer(f"proj.{m}", 2, 1) | layer(f"{path}.self_attn.out_proj", 2, 2)
        shapes |= {f"{path}.self_attn.in_proj_weight": (6, 2)}
        shapes |= {f"{path}.self_attn.in_proj_bias": (6,)}
        shapes |= layer(f"{path}.linear1", 1, 2) | layer(f"{path}.linear2", 2, 1)
        shapes |= {f"{path}.norm{n}.{part}": (2,) for n in (1, 2) for part in ("weight", "bias")}
    return shapes


SMALL = {"hidden": 2, "layers": 1, "heads": 1, "feed_forward": 1}


def fusion(kind: str, weight: list, outputs: list) -> HandComputed:
    # Each encoder outputs the bias of its last normalisation. The second face is missing.
    state = zeros(encoders() | layer("fc.0", 2, len(weight[0])) | layer("fc.3", 2, 2)) | {
        "encoder.acoustic.layers.0.norm2.bias": array([1, 2]),
        "encoder.visual.layers.0.norm2.bias": array([3, -1]),
        "fc.0.weight": array(weight),
        "fc.0.bias": array([0, 3]),
        "fc.3.weight": np.eye(2),
    }
    return HandComputed(
        name=kind,
        fields={**SMALL, "fusion": kind},
        state=state,
        inputs=masked("acoustic", [[0.3, -2], [5, 1]], None)
        | masked("visual", [[1, 2, NAN], [NAN, 4, 5]], [[1, 1, 0], [0, 0, 0]]),
        outputs={"depression": array(outputs)},
    )


def detector() -> HandComputed:
    shapes = encoders() | layer("fc.0", 2, 2) | layer("fc.3", 2, 2) | layer("aggregate.proj", 2, 2)
    shapes |= {"aggregate.score.weight": (1, 2)}
    for m, n in (MODALITIES, MODALITIES[::-1]):
        for part in ("q", "k", "v"):
            shapes |= layer(f"cross.{m}.attn.{n}.{part}", 2, 2)
        shapes |= layer(f"cross.{m}.linear1", 1, 2) | layer(f"cross.{m}.linear2", 2, 1)
        shapes |= {f"cross.{m}.norm{i}.{part}": (2,) for i in (1, 2) for part in ("weight", "bias")}
    state = zeros(shapes)
    for m in MODALITIES:
        # A normalised pair of numbers only says which of them is larger: u = sign(x) (1, -1).
        state[f"proj.{m}.weight"] = array([[1000], [-1000]])
        state[f"encoder.{m}.layers.0.norm1.weight"] = array([1000, 1000])
        state[f"encoder.{m}.layers.0.norm2.weight"] = array([1, 1])
    state |= {
        "cross.acoustic.attn.visual.q.bias": array([np.sqrt(2), 0]),
        "cross.acoustic.attn.visual.k.weight": array([[LN3 / 4, -LN3 / 4], [0, 0]]),
        "cross.acoustic.norm2.bias": array([LN2, 0]),
        "cross.visual.norm2.bias": array([0, LN3]),
        "aggregate.proj.weight": np.eye(2),
        "aggregate.score.weight": array([[LN3 / 0.6, 0]]),  # tanh(ln 2) = 0.6
        "fc.0.weight": np.eye(2),
        "fc.3.weight": np.eye(2),
    }
    return HandComputed(
        name="weighted, one modality missing in the second recording",
        fields=SMALL,
        state=state,
        inputs=masked("acoustic", [[2], [2]], None)
        | masked("visual", [[3, -1, NAN], [3, -1, NAN]], [[1, 1, 0], [0, 0, 0]]),
        outputs={"depression": array([[0.75 * LN2, 0.25 * LN3], [LN2, 0]])},
        attention={
            "cross.acoustic.attn.visual/attention": array([[3 / 4, 1 / 4, 0], [0, 0, 0]])[
                :, None, None
            ],
            "modality_weights": array([[3 / 4, 1 / 4], [1, 0]]),
        },
    )


def tamfn_state() -> Arrays:
    """One channel, one level, kernel size 2; `weight_v` is 1, for it must have a direction."""
    shapes = layer("fc.0", 1, 1) | layer("fc.3", 2, 1)
    for path in ("gtcn.acoustic.0", "gtcn.visual.0", "ife.0"):
        shapes |= layer(f"{path}.context", 1, 1)
        for n in (1, 2):
            shapes |= {f"{path}.conv{n}.weight_v": (1, 1, 2), f"{path}.conv{n}.bias": (1,)}
            shapes |= {f"{path}.conv{n}.weight_g": (1, 1, 1)}
    for p in range(3):
        shapes |= recurrent(f"tamf.{p}.lstm1", 1, 1, ("",))
        shapes |= recurrent(f"tamf.{p}.lstm2", 1, 1, ("",))
        shapes |= recurrent(f"tamf.{p}.time", 2, 2, ("", "_reverse"))
        shapes |= {f"tamf.{p}.score.weight": (2, 4)}
    state = zeros(shapes)
    state |= {name: np.ones_like(x) for name, x in state.items() if name.endswith("weight_v")}
    return state | {
        "fc.0.weight": array([[1]]),
        "fc.3.weight": array([[1], [-2]]),
        "fc.3.bias": array([0, 1]),
    }


def memoryless(name: str, size: int) -> Arrays:
    """An LSTM that forgets everything: tanh(tanh(x))."""
    gate, zero = np.ones(size), np.zeros((size, size))
    return {
        f"{name}.weight_ih_l0": np.concatenate([zero, zero, np.eye(size), zero]),
        f"{name}.bias_ih_l0": np.concatenate([50 * gate, -50 * gate, 0 * gate, 50 * gate]),
    }


def drive(f: float) -> float:
    """Input to which a memoryless LSTM answers `f`."""
    return float(np.arctanh(np.arctanh(f)))


TAMFN_FIELDS = {"channels": 1, "layers": 1, "kernel_size": 2}


def time_aware_attention() -> HandComputed:
    # All convolutions are zero, so that the blocks pass what is positive.
    state = tamfn_state() | memoryless("tamf.0.lstm1", 1) | memoryless("tamf.0.lstm2", 1)
    state |= memoryless("tamf.0.time", 2)
    state["tamf.0.score.weight"] = array([[2 * LN3, 0, 0, 0], [0, 0, 0, 0]])
    first = drive(0.5)  # the voice's H, so that V = 0.5 and E = ln 3
    z = 0.75 * first + 0.25
    assert round(z, 6) == 0.71304
    return HandComputed(
        name="time-aware attention",
        fields=TAMFN_FIELDS,
        state=state,
        inputs=masked("acoustic", [[drive(first), 0, NAN]], [[1, 1, 0]])
        | masked("visual", [[drive(0.25), NAN, NAN]], [[1, 0, 0]]),
        outputs={"depression": array([[z, 1 - 2 * z]])},
        attention={
            "tamf.0/A_1": array([[3 / 4, 1 / 4, 0]]),
            "tamf.0/A_2": array([[1, 0, 0]]),
        },
    )


def block() -> HandComputed:
    state = tamfn_state() | memoryless("tamf.0.lstm1", 1)
    for n in (1, 2):  # both taps are sqrt 2 * 3 / (3 sqrt 2) = 1
        state[f"gtcn.acoustic.0.conv{n}.weight_v"] = array([[[3, 3]]])
        state[f"gtcn.acoustic.0.conv{n}.weight_g"] = array([[[np.sqrt(2)]]])
    state["gtcn.acoustic.0.context.weight"] = array([[0.5]])
    state["gtcn.acoustic.0.context.bias"] = array([-0.005])
    # Convolutions 0.02, 0.06, 0.10, then 0.02, 0.08, 0.16; the recording's mean gives 0.015.
    outputs = array([0.02 + 0.015 + 0.02, 0.08 + 0.015 + 0.04, 0.16 + 0.015 + 0.06])
    z = np.tanh(np.tanh(outputs)).mean()
    assert round(z, 6) == 0.138344
    return HandComputed(
        name="a block of GTCN",
        fields=TAMFN_FIELDS,
        state=state,
        inputs=masked("acoustic", [[0.02, 0.04, 0.06, NAN]], [[1, 1, 1, 0]])
        | masked("visual", [[0, 0, 0, 0]], None),
        outputs={"depression": array([[z, 1 - 2 * z]])},
        attention={"tamf.0/A_1": array([[1 / 3, 1 / 3, 1 / 3, 0]])},
    )


BLSTM = [blstm()]
TFN = [tfn(), tfn_of_three()]
FEATURE_FUSION = [
    fusion("concat", [[1, 10, 100, -1000], [0, 0, 0, 1]], [[1321, 2], [21, 3]]),
    fusion("add", [[1, 10], [0, 1]], [[14, 4], [21, 5]]),
    fusion("multiply", [[10, 1], [0, 1]], [[28, 1], [12, 5]]),
]
DEPRESSION_DETECTOR = [detector()]
TAMFN = [time_aware_attention(), block()]
