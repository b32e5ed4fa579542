"""Cases of AMM's attention between tasks, Eq. 6, and of tasks without it."""

from __future__ import annotations

import numpy as np

from hand_computed import LN2, LN3, HandComputed, array, linear
from hand_computed.amm.build import TEXT_ONLY, att, clear_lstm, clear_text_gru, same_score

# Two tasks over two words. M is half of h_i; the LSTM of depression has W = 2 I, so that
# h*_dep = tt(h); h is chosen such that h*_dep = (.5, 0), (0, .5). The LSTM of emotion has
# W = 2 [[0, 1], [-1, 0]]: h*_emo = (0, -.5), (.5, 0).
TWO_TASKS = {
    **TEXT_ONLY,
    "tasks": {"depression": 2, "emotion": 3},
    "text_hidden": 1,
    "task_hidden": 2,
}
TWO_TASKS_INPUTS = {"text": np.arctanh(att([[[0.5, 0.0], [0.0, 0.5]]]))}
TWO_TASKS_STATE = {
    **clear_text_gru(2),
    **same_score("text", 2),
    **clear_lstm("lstm_dep", [[2, 0], [0, 2]], forget=True),
    **clear_lstm("lstm_emo", [[0, 2], [-2, 0]], forget=True),
    **linear("classifier.dep", [[1, 0], [0, 1]], [0, 0.1]),
    **linear("classifier.emo", [[1, 1], [1, -1], [0, 1]], [0, 0, 0.2]),
}
# Eq. 6, Attention(h*_dep, h*_emo) = softmax(Q^dep K^emo) V^emo, not scaled:
#   Q^dep = (1, 0), (0, -2); K^emo = 2 ln 3 h*_emo = (0, -ln 3), (ln 3, 0).
#   scores: (0, ln 3), (2 ln 3, 0)  ->  weights (1/4, 3/4), (9/10, 1/10).
#   V^emo = 2 h*_emo + (1, 0) = (1, -1), (2, 0).
#   h_dep = (1/4 + 6/4, -1/4) = (1.75, -.25), (.9 + .2, -.9) = (1.1, -.9); mean (1.425, -.575).
# Attention(h*_emo, h*_dep) = softmax(Q^emo K^dep) V^dep:
#   Q^emo = 2 h*_emo = (0, -1), (1, 0); K^dep = (ln 2, 0), (0, ln 3).
#   scores: (0, -ln 3), (ln 2, 0)  ->  weights (3/4, 1/4), (2/3, 1/3).
#   V^dep = 2 h*_dep + (0, 3) = (1, 3), (0, 4).
#   h_emo = (3/4, 13/4), (2/3, 10/3); mean (17/24, 79/24).
TASK_ATTENTION = {
    **linear("task_attention.dep.q", [[2, 0], [0, -4]], [0, 0]),
    **linear("task_attention.dep.k", [[2 * LN2, 0], [0, 2 * LN3]], [0, 0]),
    **linear("task_attention.dep.v", [[2, 0], [0, 2]], [0, 3]),
    **linear("task_attention.emo.q", [[2, 0], [0, 2]], [0, 0]),
    **linear("task_attention.emo.k", [[2 * LN3, 0], [0, 2 * LN3]], [0, 0]),
    **linear("task_attention.emo.v", [[2, 0], [0, 2]], [1, 0]),
}
TASK_MAPS = {
    "attention_depression": array([[[1 / 4, 3 / 4], [9 / 10, 1 / 10]]]),
    "attention_emotion": array([[[3 / 4, 1 / 4], [2 / 3, 1 / 3]]]),
}


def each_task_queries_the_other() -> HandComputed:
    """Eq. 6: h^dep = Attention(h*_dep, h*_emo), softmax(Q K) V without a scale."""
    # depression: (1.425, -.575 + .1); emotion: (17 + 79, 17 - 79, 79) / 24 + (0, 0, .2).
    return HandComputed(
        name="each_task_queries_the_other",
        fields=TWO_TASKS,
        state={**TWO_TASKS_STATE, **TASK_ATTENTION},
        inputs=TWO_TASKS_INPUTS,
        outputs={
            "depression": array([[1.425, -0.475]]),
            "emotion": array([[4.0, -62 / 24, 79 / 24 + 0.2]]),
        },
        attention=TASK_MAPS,
    )


def residual_adds_the_state_of_the_querying_task() -> HandComputed:
    """Reading 14: `residual` adds h*_task to the result of Eq. 6."""
    # Means of h*_dep (.25, .25) and of h*_emo (.25, -.25) are added to the means above:
    # depression (1.675, -.325); emotion (23/24, 73/24).
    return HandComputed(
        name="residual_adds_the_state_of_the_querying_task",
        fields={**TWO_TASKS, "residual": True},
        state={**TWO_TASKS_STATE, **TASK_ATTENTION},
        inputs=TWO_TASKS_INPUTS,
        outputs={
            "depression": array([[1.675, -0.225]]),
            "emotion": array([[4.0, -50 / 24, 73 / 24 + 0.2]]),
        },
        attention=TASK_MAPS,
    )


def tasks_without_attention() -> HandComputed:
    """Departure (README.md): `inter_task=False` keeps both tasks; h_task = h*_task."""
    # Means (.25, .25) and (.25, -.25).
    return HandComputed(
        name="tasks_without_attention",
        fields={**TWO_TASKS, "inter_task": False},
        state=TWO_TASKS_STATE,
        inputs=TWO_TASKS_INPUTS,
        outputs={
            "depression": array([[0.25, 0.35]]),
            "emotion": array([[0.0, 0.5, -0.05]]),
        },
    )


def emotion_alone() -> HandComputed:
    """Reading 13: one task alone has one LSTM, named after it, and no attention between tasks."""
    # Mean of h*_emo (.25, -.25).
    kept = ("text_gru", "text_attention", "lstm_emo", "classifier.emo")
    return HandComputed(
        name="emotion_alone",
        fields={**TWO_TASKS, "tasks": {"emotion": 3}},
        state={key: value for key, value in TWO_TASKS_STATE.items() if key.startswith(kept)},
        inputs=TWO_TASKS_INPUTS,
        outputs={"emotion": array([[0.0, 0.5, -0.05]])},
    )


CASES: list[HandComputed] = [
    each_task_queries_the_other(),
    residual_adds_the_state_of_the_querying_task(),
    tasks_without_attention(),
    emotion_alone(),
]
