"""Cases of MDDR's loss, Eq. 3."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_computed import Array


@dataclass(frozen=True)
class LossComputed:
    """Values of `dr_loss` worked out by hand."""

    name: str
    delta: float
    weight: float
    prediction: Array
    target: Array
    loss: Array
    gradient: Array  # of the sum of the losses, with respect to the prediction


# Eq. 3: w L_H if y and f(x) are of one category and |y - f(x)| <= delta, else L_H, with
# L_H = d^2 / 2 if |d| <= delta else delta (|d| - delta / 2), d = f(x) - y; slope d, else
# delta sign(d). Categories of section 4.1: 0-13, 14-19, 20-28, 29-63.

LOSS_CASES: list[LossComputed] = [
    # d = 1, 2, 2.5, 1, -2, -10. The first, second and fifth are close and of one category.
    #     1/2 * 0.1; 4/2 * 0.1 (<= at equality); 2 (2.5 - 1) = 3; 13 | 14 are two categories: 1/2;
    #     4/2 * 0.1; 2 (10 - 1) = 18.
    LossComputed(
        name="small_weight_where_close_and_of_one_category",
        delta=2.0,
        weight=0.1,
        prediction=np.array([6.0, 7, 7.5, 14, 30, 40]),
        target=np.array([5.0, 5, 5, 13, 32, 50]),
        loss=np.array([0.05, 0.2, 3, 0.5, 0.2, 18]),
        gradient=np.array([0.1, 0.2, 2, 1, -0.2, -2]),
    ),
    # Nearest integer, halves upward: 13.5 is 14 (mild), 13.4 is 13 (minimal), 19.5 is 20 and 28.5
    # is 29. Target | prediction of one category: 14 | 13.5, 13 | 13.4, 20 | 19.5, 29 | 28.5 and
    # 28 | 28.4; of two: 13 | 13.5, 19 | 19.5 and 28 | 28.5.
    LossComputed(
        name="category_of_the_nearest_integer_halves_upward",
        delta=2.0,
        weight=0.1,
        prediction=np.array([13.5, 13.5, 13.4, 19.5, 19.5, 28.5, 28.5, 28.4]),
        target=np.array([14.0, 13, 13, 20, 19, 29, 28, 28]),
        loss=np.array([0.0125, 0.125, 0.008, 0.0125, 0.125, 0.0125, 0.125, 0.008]),
        gradient=np.array([-0.05, 0.5, 0.04, -0.05, 0.5, -0.05, 0.5, 0.04]),
    ),
    # delta = 1, d = 1.4 in one category: L_H = 1.4 - 0.5 = 0.9 <= delta, but |d| > delta: eq. 3
    # does not weight it. delta = 4, d = 3: L_H = 4.5 > delta, but |d| <= delta: weighted.
    LossComputed(
        name="the_error_and_not_the_loss_is_compared_with_delta",
        delta=1.0,
        weight=0.25,
        prediction=np.array([6.4, 6.0]),
        target=np.array([5.0, 5.0]),
        loss=np.array([0.9, 0.125]),
        gradient=np.array([1.0, 0.25]),
    ),
    LossComputed(
        name="one_delta_for_the_knee_and_the_condition",
        delta=4.0,
        weight=0.1,
        prediction=np.array([3.0, 35.0]),
        target=np.array([0.0, 30.0]),
        loss=np.array([0.45, 12.0]),  # 0.1 * 9 / 2; 4 (5 - 2)
        gradient=np.array([0.3, 4.0]),
    ),
]
