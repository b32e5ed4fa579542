"""Cases of AMM's attention between modalities, Eq. 3 to 5, and of fusion without it."""

from __future__ import annotations

import numpy as np

from hand_computed import LN2, LN3, NAN, HandComputed, array, linear, matrix
from hand_computed.amm.build import ONE_TASK, clear_gru, clear_lstm, clear_text_gru, same_score, tt


def text_and_image_attend_to_each_other() -> HandComputed:
    """Eq. 3, 4 and 5: who queries, scale by a head's width, contiguous heads, text first."""
    # "we treat textual modality as Query [...] and visual modality as Keys and Values".
    # Equal weights alpha. Tokens: t = (.1, 0), (0, .1), (.1, .2) (h = 3 t);
    # v = (.2, 0), (0, .4) (h = 2 v). Eight features, two heads of four: sqrt(d_k) = 2.
    t = array([[0.1, 0.0], [0.0, 0.1], [0.1, 0.2]])
    v = array([[0.2, 0.0], [0.0, 0.4]])
    state = {
        **clear_text_gru(2),
        **same_score("text", 2),
        **clear_gru("visual_gru", np.eye(2)),
        **same_score("visual", 2),
        # t2v, head 0 (features 0-3), feature 1: q = 10 t_0 = 1, 0, 1; k = 10 ln 3 v_0 = 2 ln 3, 0.
        #   scores / 2: (ln 3, 0), (0, 0), (ln 3, 0).
        # t2v, head 1 (features 4-7), feature 4: q = 10 t_1 = 0, 1, 2; k = 5 ln 2 v_1 = 0, 2 ln 2.
        #   scores / 2: (0, 0), (0, ln 2), (0, 2 ln 2).
        **linear("t2v.q", matrix(8, 2, {(1, 0): 10, (4, 1): 10}), np.zeros(8)),
        **linear("t2v.k", matrix(8, 2, {(1, 0): 10 * LN3, (4, 1): 5 * LN2}), np.zeros(8)),
        # Values, head 0: feature 0 = 5 v_0 = (1, 0); feature 2 = 0.1. Head 1: feature 5 = 2.5 v_1
        # = (0, 1).
        **linear("t2v.v", matrix(8, 2, {(0, 0): 5, (5, 1): 2.5}), [0, 0, 0.1, 0, 0, 0, 0, 0]),
        # v2t, head 0, feature 1: q = 5 v_0 = 1, 0; k = 20 ln 2 t_0 = 2 ln 2, 0, 2 ln 2.
        #   scores / 2: (ln 2, 0, ln 2), (0, 0, 0).
        # v2t, head 1, feature 4: q = 2.5 v_1 = 0, 1; k = 20 ln 3 t_1 = 0, 2 ln 3, 4 ln 3.
        #   scores / 2: (0, 0, 0), (0, ln 3, 2 ln 3).
        **linear("v2t.q", matrix(8, 2, {(1, 0): 5, (4, 1): 2.5}), np.zeros(8)),
        **linear("v2t.k", matrix(8, 2, {(1, 0): 20 * LN2, (4, 1): 20 * LN3}), np.zeros(8)),
        # Values, head 0: feature 0 = 10 t_0 = (1, 0, 1); feature 2 = -0.2. Head 1: feature 5 =
        # -10 t_1 = (0, -1, -2).
        **linear("v2t.v", matrix(8, 2, {(0, 0): 10, (5, 1): -10}), [0, 0, -0.2, 0, 0, 0, 0, 0]),
        # Unit 0 reads feature 0; unit 1 reads feature 5 plus feature 2. Cells add up over steps.
        **clear_lstm("lstm_dep", matrix(2, 8, {(0, 0): 1, (1, 5): 1, (1, 2): 1}), forget=False),
        **linear("classifier.dep", np.eye(2), [0, 0]),
    }
    t2v = [[[3 / 4, 1 / 4], [1 / 2, 1 / 2], [3 / 4, 1 / 4]]]
    t2v += [[[1 / 2, 1 / 2], [1 / 3, 2 / 3], [1 / 5, 4 / 5]]]
    v2t = [[[2 / 5, 1 / 5, 2 / 5], [1 / 3, 1 / 3, 1 / 3]]]
    v2t += [[[1 / 3, 1 / 3, 1 / 3], [1 / 13, 3 / 13, 9 / 13]]]
    # M, features (0, 5): text steps, then visual steps. Feature 2 is 0.1, then -0.2.
    m_0 = array([3 / 4, 1 / 2, 3 / 4, 4 / 5, 2 / 3])
    m_5 = array([1 / 2, 2 / 3, 4 / 5, -1, -21 / 13]) + array([0.1, 0.1, 0.1, -0.2, -0.2])
    unit_0 = np.tanh(np.cumsum(np.tanh(m_0)))
    unit_1 = np.tanh(np.cumsum(np.tanh(m_5)))
    return HandComputed(
        name="text_and_image_attend_to_each_other",
        fields={
            **ONE_TASK,
            "text_hidden": 1,
            "visual_hidden": 2,
            "features": 8,
            "heads": 2,
            "task_hidden": 2,
        },
        state=state,
        inputs={"text": np.arctanh(3 * t)[None], "visual": np.arctanh(2 * v)[None]},
        outputs={"depression": array([[unit_0.mean(), unit_1.mean()]])},
        attention={
            "alpha_text": np.full((1, 3), 1 / 3),
            "alpha_visual": np.full((1, 2), 1 / 2),
            "t2v/attention": array([t2v]),
            "v2t/attention": array([v2t]),
        },
    )


def image_alone_attends_to_itself() -> HandComputed:
    """Reading 9: a modality alone attends to itself as `v2t`; one that is not named is not read."""
    # h = 0.4, 0.8, equal weights: v = 0.2, 0.4. q = 5 v = 1, 2; k = 10 ln 2 v = 2 ln 2, 4 ln 2.
    # One head of width 4 (feature 2 carries the score): scores / 2 = (ln 2, 2 ln 2) for the first
    # step and (2 ln 2, 4 ln 2) for the second: weights (1/3, 2/3) and (1/5, 4/5).
    # Value feature 0 = 5 v - 1 = 0, 1: M = 2/3, 4/5. The text holds NaN: not read.
    state = {
        **clear_gru("visual_gru", [[1]]),
        **same_score("visual", 1),
        **linear("v2t.q", matrix(4, 1, {(2, 0): 5}), np.zeros(4)),
        **linear("v2t.k", matrix(4, 1, {(2, 0): 10 * LN2}), np.zeros(4)),
        **linear("v2t.v", matrix(4, 1, {(0, 0): 5}), [-1, 0, 0, 0]),
        **clear_lstm("lstm_dep", matrix(1, 4, {(0, 0): 1}), forget=True),
        **linear("classifier.dep", [[1], [-2]], [0, 1]),
    }
    mean = (tt(2 / 3) + tt(4 / 5)) / 2
    return HandComputed(
        name="image_alone_attends_to_itself",
        fields={
            **ONE_TASK,
            "modalities": ("visual",),
            "visual_hidden": 1,
            "features": 4,
            "heads": 1,
            "task_hidden": 1,
        },
        state=state,
        inputs={
            "visual": np.arctanh([[[0.4], [0.8]]]),
            "text": np.full((1, 3, 2), NAN),
            "gender": np.full((1, 1), NAN),
        },
        outputs={"depression": array([[mean, 1 - 2 * mean]])},
        attention={"v2t/attention": array([[[[1 / 3, 2 / 3], [1 / 5, 4 / 5]]]])},
    )


def narrow_modality_is_filled_on_the_right() -> HandComputed:
    """Reading 10 (No I_e): text first, the narrower filled with zeros on the right."""
    # Text width 2, visual width 2 + color 1 = 3. h_t = (.3, -.6), one word: token (.3, -.6, 0).
    # h_v = (.2, .4) and (.6, -.8), equal weights: (.1, .2, .5) and (.3, -.4, .5), color .5.
    # The LSTM has W = diag(1, 2, 3) and adds up; the arguments of tanh, step by step:
    steps = array([[0.3, -1.2, 0.0], [0.1, 0.4, 1.5], [0.3, -0.8, 1.5]])
    state = {
        **clear_text_gru(2),
        **same_score("text", 2),
        **clear_gru("visual_gru", np.eye(2)),
        **same_score("visual", 2),
        **clear_lstm("lstm_dep", np.diag([1, 2, 3]), forget=False),
        **linear("classifier.dep", np.eye(3), [0, 0, 0]),
    }
    return HandComputed(
        name="narrow_modality_is_filled_on_the_right",
        fields={
            "tasks": {"depression": 3},
            "inter_modal": False,
            "text_hidden": 1,
            "visual_hidden": 2,
            "task_hidden": 3,
        },
        state=state,
        inputs={
            "text": np.arctanh([[[0.3, -0.6]]]),
            "visual": np.arctanh([[[0.2, 0.4], [0.6, -0.8]]]),
            "color": array([[0.5]]),
        },
        outputs={"depression": np.tanh(np.cumsum(np.tanh(steps), 0)).mean(0)[None]},
    )


def pooled_without_inter_modal_attention() -> HandComputed:
    """Readings 1 ("pooled") and 10 (No I_e): [h^t with zeros; h^v], one step a modality."""
    # Row 0: h^t = ((.2 + .4) / 2, (-.6 + .2) / 2) = (.3, -.2), filled to (.3, -.2, 0);
    # h^v = (.5, -.1), color .7: (.5, -.1, .7). LSTM W = diag(1, 2, 1), adding up over two steps.
    # Row 1: no real word: M has the visual step only: (.5, -.1, .7), mean of one step.
    text = array([[[0.2, -0.6], [0.4, 0.2]], [[NAN, NAN], [NAN, NAN]]])
    state = {
        **clear_text_gru(2),
        **same_score("text", 2),
        **clear_gru("visual_gru", np.eye(2)),
        **same_score("visual", 2),
        **clear_lstm("lstm_dep", np.diag([1, 2, 1]), forget=False),
        **linear("classifier.dep", np.eye(3), [0, 0, 0]),
    }
    t, v = np.tanh([0.3, -0.4, 0.0]), np.tanh([0.5, -0.2, 0.7])
    return HandComputed(
        name="pooled_without_inter_modal_attention",
        fields={
            "tasks": {"depression": 3},
            "tokens": "pooled",
            "inter_modal": False,
            "text_hidden": 1,
            "visual_hidden": 2,
            "task_hidden": 3,
        },
        state=state,
        inputs={
            "text": np.arctanh(text),
            "visual": np.arctanh([[[0.5, -0.1]], [[0.5, -0.1]]]),
            "color": array([[0.7], [0.7]]),
            "text_mask": np.array([[True, True], [False, False]]),
        },
        outputs={"depression": np.stack([(np.tanh(t) + np.tanh(t + v)) / 2, np.tanh(v)])},
    )


CASES: list[HandComputed] = [
    text_and_image_attend_to_each_other(),
    image_alone_attends_to_itself(),
    narrow_modality_is_filled_on_the_right(),
    pooled_without_inter_modal_attention(),
]
