"""Cases of AMM's attention within a modality, Eq. 2, and of the knowledge vectors."""

from __future__ import annotations

import numpy as np

from hand_computed import LN3, HandComputed, array, linear
from hand_computed.amm.build import (
    ONE_TASK,
    TEXT_ONLY,
    clear_gru,
    clear_lstm,
    clear_text_gru,
    same_score,
    tt,
)


def weights_of_the_words() -> HandComputed:
    """Eq. 2: D = tanh(W_d H + b_d), alpha = softmax(w^T D); the summands stay (reading 1)."""
    # Two words with h_1 = (0.5, 0.1), h_2 = (-0.5, 0.3). W_d = [[0, 0], [1, 0]] and
    # b_d = (arctanh 0.4, 0) give D_i = (0.4, tanh h_i0). With w = (7, 2 ln 3 / (2 tanh 0.5)):
    #   score_1 = 2.8 + ln 3,  score_2 = 2.8 - ln 3   ->  alpha = 9 : 1 = (0.9, 0.1).
    # (Without tanh, or with w^T H, the quotient is not 9.)
    h = array([[0.5, 0.1], [-0.5, 0.3]])
    state = {
        **clear_text_gru(2),
        **linear("text_attention.proj", [[0, 0], [1, 0]], [np.arctanh(0.4), 0]),
        "text_attention.score.weight": array([[7, LN3 / np.tanh(0.5)]]),
        **clear_lstm("lstm_dep", np.eye(2), forget=True),
        **linear("classifier.dep", [[10, 0], [0, 10]], [0.5, -0.5]),
    }
    # Summands alpha_i h_i: (0.45, 0.09) and (-0.05, 0.03). LSTM: tt of each. Mean of the two steps.
    mean_0 = (tt(0.45) + tt(-0.05)) / 2
    mean_1 = (tt(0.09) + tt(0.03)) / 2
    return HandComputed(
        name="weights_of_the_words",
        fields={**TEXT_ONLY, **ONE_TASK, "text_hidden": 1, "task_hidden": 2},
        state=state,
        inputs={"text": np.arctanh(h)[None]},
        outputs={"depression": array([[10 * mean_0 + 0.5, 10 * mean_1 - 0.5]])},
        attention={"alpha_text": array([[0.9, 0.1]])},
    )


def pooled_vector_then_gender() -> HandComputed:
    """Eq. 2 and "h^tg = h^t (+) h^gen" (Sec. III-C): the pooled vector stands before the gender."""
    # h_1 = (0.2, 0.4), h_2 = (0.6, -0.4); w = 0 on D except w_1 = ln 3 / tanh(0.4) / 2:
    #   score_1 = ln 3 / 2, score_2 = -ln 3 / 2  ->  alpha = (3/4, 1/4).
    # h^t = (0.15 + 0.15, 0.3 - 0.1) = (0.3, 0.2); gender (2, -1): h^tg = (0.3, 0.2, 2, -1).
    # Text alone: self-attention over the one vector, whose weight is 1 in every head; the result
    # is V h^tg + b_v. Rows of V: 0.3 + 2 * 0.1 = 0.5; 10 * 0.2 - 1 = 1.
    h = array([[0.2, 0.4], [0.6, -0.4]])
    state = {
        **clear_text_gru(2),
        **linear("text_attention.proj", np.eye(2), [0, 0]),
        "text_attention.score.weight": array([[0, LN3 / np.tanh(0.4) / 2]]),
        **linear("t2v.q", [[1, 2, 3, 4], [4, 3, 2, 1]], [1, 1]),
        **linear("t2v.k", [[1, -2, 1, 4], [4, 3, -2, 1]], [1, -1]),
        **linear("t2v.v", [[1, 0, 0.1, 0], [0, 10, 0, 1]], [0, 0]),
        **clear_lstm("lstm_dep", np.eye(2), forget=True),
        **linear("classifier.dep", [[2, 0], [0, 3]], [0, 0]),
    }
    return HandComputed(
        name="pooled_vector_then_gender",
        fields={
            **ONE_TASK,
            "modalities": ("text",),
            "tokens": "pooled",
            "text_hidden": 1,
            "features": 2,
            "heads": 2,
            "task_hidden": 2,
        },
        state=state,
        inputs={"text": np.arctanh(h)[None], "gender": array([[2, -1]])},
        outputs={"depression": array([[2 * tt(0.5), 3 * tt(1.0)]])},
        attention={"alpha_text": array([[0.75, 0.25]]), "t2v/attention": np.ones((1, 2, 1, 1))},
    )


def color_after_every_weighted_step() -> HandComputed:
    """Reading 2: the knowledge vector is appended, unweighted, to each summand alpha_i h_i."""
    # Three visual steps with h = 0.3, 0.6, 0.9 and equal weights: alpha h = 0.1, 0.2, 0.3.
    # Color (5, 7): tokens (0.1, 5, 7), (0.2, 5, 7), (0.3, 5, 7). No I_e attention, one modality:
    # M is the tokens. The LSTM reads unit 0: 2 m_0, unit 1: 0.1 m_1, unit 2: 0.1 m_2, adding up.
    h = array([[0.3], [0.6], [0.9]])
    state = {
        **clear_gru("visual_gru", [[1]]),
        **same_score("visual", 1),
        **clear_lstm("lstm_dep", [[2, 0, 0], [0, 0.1, 0], [0, 0, 0.1]], forget=False),
        **linear("classifier.dep", np.eye(3), [0, 0, 0]),
    }
    # Cells: unit 0: tanh .2, + tanh .4, + tanh .6; unit 1: j tanh .5; unit 2: j tanh .7.
    unit_0 = np.tanh([np.tanh(0.2), np.tanh(0.2) + np.tanh(0.4), np.tanh([0.2, 0.4, 0.6]).sum()])
    unit_1 = np.tanh([np.tanh(0.5), 2 * np.tanh(0.5), 3 * np.tanh(0.5)])
    unit_2 = np.tanh([np.tanh(0.7), 2 * np.tanh(0.7), 3 * np.tanh(0.7)])
    return HandComputed(
        name="color_after_every_weighted_step",
        fields={
            "tasks": {"depression": 3},
            "modalities": ("visual",),
            "inter_modal": False,
            "visual_hidden": 1,
            "task_hidden": 3,
        },
        state=state,
        inputs={"visual": np.arctanh(h)[None], "color": array([[5, 7]])},
        outputs={"depression": array([[unit_0.sum(), unit_1.sum(), unit_2.sum()]]) / 3},
        attention={"alpha_visual": np.full((1, 3), 1 / 3)},
    )


CASES: list[HandComputed] = [
    weights_of_the_words(),
    pooled_vector_then_gender(),
    color_after_every_weighted_step(),
]
