"""Cases of the whole AMM with ordinary recurrences."""

from __future__ import annotations

import numpy as np

from hand_computed import NAN, Arrays, HandComputed, affine
from hand_computed.amm.equations import attended, encoded, exchanged, lstm_states


def transcribed(
    name: str,
    seed: int,
    masks: dict[str, list[list[int]]],
    modalities: tuple[str, ...] = ("text", "visual"),
) -> HandComputed:
    """Case of a whole network with ordinary weights, by the loops of `equations`."""
    rng = np.random.default_rng(seed)
    gender_width, color_width, features, heads, task_hidden = 2, 1, 6, 2, 3
    read, hidden = {"text": 3, "visual": 2}, {"text": 2, "visual": 3}
    wide = {"text": 2 * hidden["text"], "visual": hidden["visual"]}
    token = {"text": wide["text"] + gender_width, "visual": wide["visual"] + color_width}
    classes = {"depression": 2, "emotion": 4}
    w: Arrays = {}

    def draw(*shape: int) -> np.ndarray:
        return rng.uniform(-1.2, 1.2, shape)

    def draw_linear(key: str, width: int, out: int) -> None:
        w[f"{key}.weight"], w[f"{key}.bias"] = draw(out, width), draw(out)

    def draw_recurrent(key: str, gates: int, width: int, size: int, suffix: str = "") -> None:
        w[f"{key}.weight_ih_l0{suffix}"] = draw(gates * size, width)
        w[f"{key}.weight_hh_l0{suffix}"] = draw(gates * size, size)
        w[f"{key}.bias_ih_l0{suffix}"] = draw(gates * size)
        w[f"{key}.bias_hh_l0{suffix}"] = draw(gates * size)

    for modality in modalities:
        draw_recurrent(f"{modality}_gru", 3, read[modality], hidden[modality])
        if modality == "text":
            draw_recurrent("text_gru", 3, read["text"], hidden["text"], "_reverse")
        draw_linear(f"{modality}_attention.proj", wide[modality], wide[modality])
        w[f"{modality}_attention.score.weight"] = 2 * draw(1, wide[modality])
    pairs = {"t2v": ("text", "visual"), "v2t": ("visual", "text")}
    for key, (query, other) in pairs.items():
        if query in modalities:
            other = other if other in modalities else query
            draw_linear(f"{key}.q", token[query], features)
            draw_linear(f"{key}.k", token[other], features)
            draw_linear(f"{key}.v", token[other], features)
    for short in ("dep", "emo"):
        draw_recurrent(f"lstm_{short}", 4, features, task_hidden)
        for part in "qkv":
            draw_linear(f"task_attention.{short}.{part}", task_hidden, task_hidden)
        w[f"task_attention.{short}.q.weight"] *= 3

    draw_linear("classifier.dep", task_hidden, classes["depression"])
    draw_linear("classifier.emo", task_hidden, classes["emotion"])

    rows = len(next(iter(masks.values())))
    inputs: dict[str, np.ndarray] = {}
    for modality in modalities:
        mask = np.array(masks[modality], dtype=bool)
        x = rng.uniform(-2, 2, (*mask.shape, read[modality]))
        x[~mask] = NAN
        inputs[modality], inputs[f"{modality}_mask"] = x, mask
    knowledge = {"text": draw(rows, gender_width), "visual": draw(rows, color_width)}
    for modality, key in (("text", "gender"), ("visual", "color")):
        if modality in modalities:
            inputs[key] = knowledge[modality]

    outputs: dict[str, list[np.ndarray]] = {"depression": [], "emotion": []}
    maps = {f"alpha_{modality}": np.zeros(np.shape(masks[modality])) for modality in modalities}
    for row in range(rows):
        tokens = {}
        for modality in modalities:
            real = inputs[f"{modality}_mask"][row]
            frames = list(inputs[modality][row][real])
            tokens[modality], alpha = encoded(w, modality, frames, knowledge[modality][row])
            maps[f"alpha_{modality}"][row, real] = alpha
        m = []
        for key, (query, other) in pairs.items():  # Eq. 5
            if query in modalities:
                m += attended(w, key, tokens[query], tokens.get(other, tokens[query]), heads)
        states = {short: lstm_states(w, f"lstm_{short}", m) for short in ("dep", "emo")}  # Eq. 6
        h_dep, h_emo = exchanged(w, "dep", "emo", states), exchanged(w, "emo", "dep", states)
        outputs["depression"].append(affine(np.mean(h_dep, 0), w, "classifier.dep"))
        outputs["emotion"].append(affine(np.mean(h_emo, 0), w, "classifier.emo"))
    return HandComputed(
        name=name,
        fields={
            "tasks": classes,
            "modalities": modalities,
            "text_hidden": hidden["text"],
            "visual_hidden": hidden["visual"],
            "features": features,
            "heads": heads,
            "task_hidden": task_hidden,
        },
        state=w,
        inputs=inputs,
        outputs={task: np.stack(rows_) for task, rows_ in outputs.items()},
        attention=maps,
    )


CASES: list[HandComputed] = [
    transcribed(
        "whole_network",
        seed=0,
        masks={"text": [[1, 1, 1, 1], [1, 1, 1, 1]], "visual": [[1, 1, 1], [1, 1, 1]]},
    ),
    transcribed(
        "whole_network_with_padding",
        seed=1,
        masks={
            "text": [[1, 1, 0, 0], [1, 0, 1, 1], [0, 1, 1, 1]],
            "visual": [[1, 1, 1], [0, 1, 0], [1, 0, 1]],
        },
    ),
    transcribed(
        "whole_network_of_text_alone",
        seed=2,
        masks={"text": [[1, 1, 1, 0], [0, 1, 1, 1]]},
        modalities=("text",),
    ),
]
