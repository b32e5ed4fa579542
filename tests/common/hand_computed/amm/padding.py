"""Cases of padded frames, words and modalities in AMM."""

from __future__ import annotations

import numpy as np

from hand_computed import LN2, NAN, HandComputed, array, linear
from hand_computed.amm.build import ONE_TASK, clear_gru, clear_lstm, clear_text_gru, same_score


def padding_is_skipped_everywhere() -> HandComputed:
    """Padding: alpha, keys, LSTM steps, task keys and the mean leave it out, NaN or not."""
    # Row 0: words real, padded, real (a hole); two visual steps. Row 1: one word; visual step 2.
    # h: words .4, -, .8 (row 0), .3 (row 1); visual .5, .7 (row 0), -, .6 (row 1). W_d = I and
    # w = ln 2 / (tanh .8 - tanh .4) on unit 0: row 0 has alpha = (1/3, 0, 2/3); row 1 (1, 0, 0).
    # Visual: equal weights, (1/2, 1/2) and (0, 1). Tokens (second half of h is 0):
    #   row 0: t = .4/3, -, 1.6/3; v = .25, .35.     row 1: t = .3; v = .6.
    # t2v: q = k = 0, so equal weights over the real visual steps; value = v:
    #   row 0: M_text = .3, -, .3;  row 1: M_text = .6.
    # v2t: likewise; value = 3 t: row 0: (.4 + 1.6) / 2 = 1 for both visual steps; row 1: .9.
    # The LSTMs add up over the real steps of M (row 0: T, F, T, T; row 1: T, F, F, F, T):
    #   row 0: tanh of .3, .3, 1, 1; row 1: tanh of .6, .9.
    # Task attention: scores 0: equal weights over the real steps. V^emo = 2 h*_emo + 1 and V^dep =
    # h*_dep, so h^dep is 2 mean(h*_emo) + 1 at every step, and h^emo is mean(h*_dep).
    words = array([[[0.4, 0], [NAN, NAN], [0.8, 0]], [[0.3, 0], [NAN, 1e30], [-1e30, NAN]]])
    clips = array([[[0.5], [0.7]], [[NAN], [0.6]]])
    finite = np.abs(words) < 1
    words[finite] = np.arctanh(words[finite])
    w = LN2 / (np.tanh(0.8) - np.tanh(0.4))
    state = {
        **clear_text_gru(2),
        **linear("text_attention.proj", np.eye(2), [0, 0]),
        "text_attention.score.weight": array([[w, 0]]),
        **clear_gru("visual_gru", [[1]]),
        **same_score("visual", 1),
        **linear("t2v.q", [[0, 0]], [0]),
        **linear("t2v.k", [[0]], [0]),
        **linear("t2v.v", [[1]], [0]),
        **linear("v2t.q", [[0]], [0]),
        **linear("v2t.k", [[0, 0]], [0]),
        **linear("v2t.v", [[3, 0]], [0]),
        **clear_lstm("lstm_dep", [[1]], forget=False),
        **clear_lstm("lstm_emo", [[-1]], forget=False, bias=0.5),
        **linear("task_attention.dep.q", [[0]], [0]),
        **linear("task_attention.dep.k", [[0]], [0]),
        **linear("task_attention.dep.v", [[1]], [0]),
        **linear("task_attention.emo.q", [[0]], [0]),
        **linear("task_attention.emo.k", [[0]], [0]),
        **linear("task_attention.emo.v", [[2]], [1]),
        **linear("classifier.dep", [[1], [10]], [0, 0]),
        **linear("classifier.emo", [[1], [-10]], [0, 0]),
    }

    def mean_state(real: np.ndarray) -> float:
        return np.tanh(np.cumsum(np.tanh(real))).mean()

    rows = [array([0.3, 0.3, 1.0, 1.0]), array([0.6, 0.9])]
    dep = array([mean_state(row) for row in rows])
    emo = array([mean_state(0.5 - row) for row in rows])
    first, second = 2 * emo + 1, dep
    return HandComputed(
        name="padding_is_skipped_everywhere",
        fields={
            "tasks": {"depression": 2, "emotion": 2},
            "text_hidden": 1,
            "visual_hidden": 1,
            "features": 1,
            "heads": 1,
            "task_hidden": 1,
        },
        state=state,
        inputs={
            "text": words,
            "visual": np.arctanh(clips),
            "text_mask": np.array([[True, False, True], [True, False, False]]),
            "visual_mask": np.array([[True, True], [False, True]]),
        },
        outputs={
            "depression": np.stack([first, 10 * first], 1),
            "emotion": np.stack([second, -10 * second], 1),
        },
        attention={
            "alpha_text": array([[1 / 3, 0, 2 / 3], [1, 0, 0]]),
            "alpha_visual": array([[1 / 2, 1 / 2], [0, 1]]),
        },
    )


def row_without_a_real_word() -> HandComputed:
    """Padding: without a real key all weights are zero; neither b_v nor the gender gets in."""
    # Text is all padding. v2t: the weights over the words are zero, so that the two visual steps
    # of M are 0 (not b_v = 3, not a mean over padding). Text steps are skipped. The LSTM has
    # W = 1 and cell bias .5, and adds up: tanh(tanh .5), tanh(2 tanh .5).
    state = {
        **clear_text_gru(2),
        **linear("text_attention.proj", np.eye(2), [1, 1]),
        "text_attention.score.weight": array([[1, 1]]),
        **clear_gru("visual_gru", [[1]]),
        **same_score("visual", 1),
        **linear("t2v.q", [[1, 1, 1]], [1]),
        **linear("t2v.k", [[1]], [1]),
        **linear("t2v.v", [[1]], [2]),
        **linear("v2t.q", [[1]], [1]),
        **linear("v2t.k", [[1, 1, 1]], [1]),
        **linear("v2t.v", [[1, 1, 1]], [3]),
        **clear_lstm("lstm_dep", [[1]], forget=False, bias=0.5),
        **linear("classifier.dep", [[1], [-1]], [0, 2]),
    }
    mean = (np.tanh(np.tanh(0.5)) + np.tanh(2 * np.tanh(0.5))) / 2
    return HandComputed(
        name="row_without_a_real_word",
        fields={
            **ONE_TASK,
            "text_hidden": 1,
            "visual_hidden": 1,
            "features": 1,
            "heads": 1,
            "task_hidden": 1,
        },
        state=state,
        inputs={
            "text": np.full((1, 2, 2), NAN),
            "gender": array([[4]]),
            "visual": np.arctanh([[[0.2], [0.6]]]),
            "text_mask": np.zeros((1, 2), dtype=bool),
        },
        outputs={"depression": array([[mean, 2 - mean]])},
        attention={
            "alpha_text": np.zeros((1, 2)),
            "alpha_visual": np.full((1, 2), 1 / 2),
            "v2t/attention": np.zeros((1, 1, 2, 2)),
        },
    )


def pooled_step_of_a_padded_modality() -> HandComputed:
    """Padding: "pooled": a modality's step is real if it has any real frame."""
    # Row 0: both modalities real, M = [t2v, v2t]. h^t = (.6, -.2) (second word only),
    # h^v = (.1 + .5) / 2 = .3. One key each: t2v = V h^v = 2 * .3 + .1 = .7; v2t = .6 - .2 = .4.
    #   LSTM: tanh(tanh .7), tanh(tanh .7 + tanh .4); mean of two.
    # Row 1: no real clip. The visual step of M is no step. The text step has no key: M = 0 there
    # (not b_v = .1), and with no cell bias the state and so the mean are 0.
    # Row 2: no real word. Likewise 0. So rows 1 and 2 give the bias of the classifier.
    text = np.zeros((3, 2, 2))
    text[0] = [[NAN, NAN], [0.6, -0.2]]
    text[1] = [[0.9, 0.9], [0.9, 0.9]]
    text[2] = NAN
    state = {
        **clear_text_gru(2),
        **same_score("text", 2),
        **clear_gru("visual_gru", [[1]]),
        **same_score("visual", 1),
        **linear("t2v.q", [[1, 1]], [1]),
        **linear("t2v.k", [[1]], [1]),
        **linear("t2v.v", [[2]], [0.1]),
        **linear("v2t.q", [[1]], [1]),
        **linear("v2t.k", [[1, 1]], [1]),
        **linear("v2t.v", [[1, 1]], [0]),
        **clear_lstm("lstm_dep", [[1]], forget=False),
        **linear("classifier.dep", [[1], [-1]], [0.25, 2]),
    }
    mean = (np.tanh(np.tanh(0.7)) + np.tanh(np.tanh(0.7) + np.tanh(0.4))) / 2
    return HandComputed(
        name="pooled_step_of_a_padded_modality",
        fields={
            **ONE_TASK,
            "tokens": "pooled",
            "text_hidden": 1,
            "visual_hidden": 1,
            "features": 1,
            "heads": 1,
            "task_hidden": 1,
        },
        state=state,
        inputs={
            "text": np.arctanh(text),
            "visual": np.arctanh([[[0.1], [0.5]], [[NAN], [NAN]], [[0.2], [0.2]]]),
            "text_mask": np.array([[False, True], [True, True], [False, False]]),
            "visual_mask": np.array([[True, True], [False, False], [True, True]]),
        },
        outputs={"depression": array([[0.25 + mean, 2 - mean], [0.25, 2], [0.25, 2]])},
        attention={
            "alpha_text": array([[0, 1], [1 / 2, 1 / 2], [0, 0]]),
            "alpha_visual": array([[1 / 2, 1 / 2], [0, 0], [1 / 2, 1 / 2]]),
        },
    )


CASES: list[HandComputed] = [
    padding_is_skipped_everywhere(),
    row_without_a_real_word(),
    pooled_step_of_a_padded_modality(),
]
