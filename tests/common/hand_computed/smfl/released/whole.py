"""Cases of the whole released SMFL network."""

from __future__ import annotations

import numpy as np

from hand_computed import NAN, Arrays, HandComputed, affine, relu
from hand_computed.smfl.build import table
from hand_computed.smfl.equations import lstm_last
from hand_computed.smfl.released.build import released_state

CASES: list[HandComputed] = []


# ---------------------------------------------------------------------------------------------
# R6, R7. The whole released network by loops, random weights, one recording at a time.
# Row 0: 4 real sentences, max_sentences 3; the audio window of sentence 1 and the face window of
# sentence 0 are empty (zeros for those states). Row 1: one sentence. Row 2: none.
# The last frame of a text window is the sentence's embedding.
# ---------------------------------------------------------------------------------------------
def conv(x: np.ndarray, state: Arrays, name: str, stride: int) -> np.ndarray:
    """[I, L] -> [O, L']: no padding."""
    w, b = state[f"{name}.weight"], state[f"{name}.bias"]
    size = (x.shape[1] - w.shape[2]) // stride + 1
    out = np.zeros((w.shape[0], size))
    for o in range(w.shape[0]):
        for p in range(size):
            out[o, p] = (w[o] * x[:, p * stride : p * stride + w.shape[2]]).sum() + b[o]
    return out


def norm(x: np.ndarray, state: Arrays, name: str) -> np.ndarray:
    """Batch norm of [C, L] by its running statistics, epsilon 1e-5."""
    mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    y = (x - mean[:, None]) / np.sqrt(var[:, None] + 1e-5)
    return state[f"{name}.weight"][:, None] * y + state[f"{name}.bias"][:, None]


def embed(x: np.ndarray, state: Arrays) -> np.ndarray:
    """Text encoder 768 -> 153 -> 50 -> 16."""
    y = x[None]
    for layer, after, stride in ((0, 2, 5), (3, 5, 3), (6, 8, 3)):
        y = norm(relu(conv(y, state, f"conv_text.{layer}", stride)), state, f"conv_text.{after}")
    return y[0]


def fuse(a: np.ndarray, f: np.ndarray, t: np.ndarray, state: Arrays) -> np.ndarray:
    """Three vectors of 16 as channels -> 14."""
    y = norm(relu(conv(np.stack([a, f, t]), state, "fusion_layer.0", 1)), state, "fusion_layer.2")
    return norm(relu(conv(y, state, "fusion_layer.3", 1)), state, "fusion_layer.5")[0]


def released_whole(name: str, fix_history: bool, target: str) -> HandComputed:
    rng = np.random.default_rng(106)
    state = released_state(rng, 3, 2, 2)
    x = {
        "acoustic": rng.uniform(-2, 2, (3, 8, 3)),
        "visual": rng.uniform(-2, 2, (3, 7, 2)),
        "text": rng.uniform(-1, 1, (3, 5, 768)),
    }
    counts = {"acoustic": (8, 4, 2), "visual": (7, 3, 5), "text": (5, 2, 1)}
    sentences = np.stack(
        [
            table((0, 3, 2, 2, 0, 1), (3, 3, 0, 3, 1, 2), (2, 9, 3, 5, 2, 4), (5, 8, 5, 7, 4, 5)),
            table((1, 6, 0, 2, 0, 2), (0, 4, 0, 3, 0, 1), (0, 4, 0, 3, 0, 1), (0, 4, 0, 3, 0, 1)),
            table(*[(0, 2, 0, 5, 0, 1)] * 4),
        ]
    )
    real = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]], bool)
    inputs: Arrays = {"sentences": sentences, "sentences_mask": real}
    for m, values in x.items():
        mask = np.arange(values.shape[1])[None] < np.array(counts[m])[:, None]
        values[~mask] = NAN
        inputs |= {m: values, f"{m}_mask": mask}
    logits = []
    for b, n in enumerate((3, 1, 0)):
        if n == 0:
            face = lstm_last(list(x["visual"][b, :5]), state, "conv_face.0")
            logits.append(affine(face, state, "linear_face"))
            continue
        a, f, t, c = [], [], [], []
        for s in range(n):
            cuts = {}
            for column, m in zip((0, 2, 4), x, strict=True):
                start, end = sentences[b, s, column : column + 2]
                cuts[m] = list(x[m][b, start : min(end, counts[m][b])])
            a.append(lstm_last(cuts["acoustic"], state, "conv_audio.0"))
            f.append(lstm_last(cuts["visual"], state, "conv_face.0"))
            t.append(embed(cuts["text"][-1], state))
            c.append(fuse(a[-1], f[-1], t[-1], state))
        if n > 1 and not fix_history:
            f, t = [f[-1], f[-1]], [t[-1], t[-1]]
        audio = lstm_last(a, state, "conv_audio_all")
        face = lstm_last(f, state, "conv_face_all")
        text = lstm_last(t, state, "conv_text_all")
        u = lstm_last(c, state, "conv_fusion_all")
        weak = audio if target == "acoustic" else face
        mixed = 0.75 * affine(text, state, "jointAtt.qkv")[16:]
        mixed = mixed + 0.25 * affine(weak, state, "jointAtt.qkv")[16:]
        enhanced = affine(mixed, state, "jointAtt.proj")
        first, second = (enhanced, face) if target == "acoustic" else (audio, enhanced)
        logits.append(affine(np.concatenate([first, second, text, u]), state, "linear"))
    return HandComputed(
        name=name,
        fields={
            "max_sentences": 3,
            "fix_history": fix_history,
            "cmjat_target": target,
        },
        state=state,
        inputs=inputs,
        outputs={"depression": np.stack(logits)},
    )


CASES.append(released_whole("released_whole_network", False, "acoustic"))
CASES.append(released_whole("released_whole_network_true_history_on_face", True, "visual"))
