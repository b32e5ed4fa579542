"""Hand computed cases of AMM (Zhang et al., BIBM 2021), in NumPy.

"Reading 1" and so on are the rows of the table "What the paper leaves open" in
`jaxdep/models/amm/README.md`, and "Padding" is its section of that name.

Most cases use *transparent* recurrences, so that every number can be followed on paper:

- GRU: the update gate is shut by its bias (z = sigmoid(-60) < 1e-26), the matrices of the previous
  state are zero and the input matrix of the candidate is the identity: h_i = tanh(x_i). Cases state
  the hidden states h and give arctanh(h) as the input.
- LSTM: input and output gates are open (sigmoid(60) = 1). `forget` (forget gate shut): h_i =
  tanh(tanh(W m_i)). Otherwise the cell adds up: c_i = c_{i-1} + tanh(W m_i), h_i = tanh(c_i),
  which depends on the order and on the number of the steps.

The last cases use ordinary recurrences and transcribe the printed equations in explicit loops, for
one row of the batch at a time and for its real frames only (`whole.transcribed`).
"""

from __future__ import annotations

from hand_computed import HandComputed
from hand_computed.amm import attention, fusion, padding, recurrence, tasks, whole

CASES: list[HandComputed] = [
    *attention.CASES,
    *fusion.CASES,
    *tasks.CASES,
    *padding.CASES,
    *recurrence.CASES,
    *whole.CASES,
]
