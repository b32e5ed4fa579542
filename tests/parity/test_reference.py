"""The references' recurrences, names and padding; their formulas are in the hand-computed cases."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from jaxdep.models import torch_sequences as sequences
from jaxdep.models.amm.reference import AMM
from jaxdep.models.jamfn.reference import JAMFN


def ragged(rng, *shape):
    """Values, and a mask with holes whose last row is empty."""
    mask = rng.random(shape[:2]) < 0.6
    mask[0], mask[-1] = True, False
    return torch.as_tensor(rng.normal(size=shape)), torch.as_tensor(mask)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_masked_run_is_a_run_of_each_row_alone(kind):
    rng = np.random.default_rng(0)
    x, mask = ragged(rng, 5, 8, 3)
    layer = kind(3, 4, num_layers=2, batch_first=True, bidirectional=True).double()
    out = sequences.run(layer, x, mask)
    assert not out[~mask].any()
    assert not out[-1].any()
    for row, real, row_out in zip(x[:-1], mask[:-1], out[:-1], strict=True):
        torch.testing.assert_close(row_out[real], layer(row[real][None])[0][0])


def test_run_of_empty_rows_alone_is_zero():
    layer = nn.LSTM(3, 4, batch_first=True)
    out = sequences.run(layer, torch.randn(2, 5, 3), torch.zeros(2, 5, dtype=torch.bool))
    torch.testing.assert_close(out, torch.zeros(2, 5, 4))


def test_softmax_and_mean_over_real_frames():
    x, mask = ragged(np.random.default_rng(1), 4, 6, 2)
    weights, mean = sequences.softmax(x[..., 0], mask), sequences.mean(x, mask)
    for row, real, weight, centre in zip(x[:-1], mask[:-1], weights, mean, strict=False):
        torch.testing.assert_close(weight[real], row[real, 0].softmax(0))
        torch.testing.assert_close(centre, row[real].mean(0))
    assert not weights[~mask].any()
    assert not mean[-1].any()


def names(module):
    return {name: tuple(x.shape) for name, x in module.state_dict().items()}


def test_names_and_shapes_of_jamfn():
    """Those of published checkpoints, at the paper's sizes."""
    shapes = names(JAMFN(length=596))
    assert shapes["bilstm_a.weight_ih_l0"] == (800, 25)
    assert shapes["bilstm_v.weight_ih_l0_reverse"] == (800, 136)
    assert shapes["bilstm_a.weight_ih_l5"] == (800, 400)
    assert shapes["conv_v.2.weight"] == (512, 200, 5)
    assert shapes["jaf.2.fc1.weight"] == (1, 512)
    assert shapes["jaf.0.fc3.weight"] == (1192, 1192)
    assert shapes["classifier.weight"] == (2, 512)
    assert len(shapes) == 2 * 6 * 2 * 4 + 2 * 3 * 2 + 3 * 3 * 2 + 2
    assert names(JAMFN(length=4, hidden=3, scales=()))["jaf.0.fc1.weight"] == (1, 3)


def test_names_and_shapes_of_amm():
    """Those of published checkpoints, at the paper's sizes."""
    shapes = names(AMM(text_width=768, visual_width=768, gender_width=768, color_width=64))
    assert shapes["text_gru.weight_ih_l0_reverse"] == (3 * 384, 768)
    assert shapes["visual_gru.weight_hh_l0"] == (3 * 768, 768)
    assert shapes["text_attention.proj.weight"] == (768, 768)
    assert shapes["visual_attention.score.weight"] == (1, 768)
    assert "text_attention.score.bias" not in shapes
    assert shapes["t2v.q.weight"] == (768, 768 + 768)
    assert shapes["t2v.k.weight"] == (768, 768 + 64)
    assert shapes["lstm_dep.weight_ih_l0"] == (4 * 256, 768)
    assert shapes["task_attention.emo.v.weight"] == (256, 256)
    assert shapes["classifier.emo.weight"] == (6, 256)
    assert len(shapes) == (8 + 4) + 2 * 3 + 2 * 3 * 2 + 2 * 4 + 2 * 3 * 2 + 2 * 2


SMALL_AMM: dict[str, Any] = {
    "text_hidden": 2,
    "visual_hidden": 3,
    "features": 4,
    "heads": 2,
    "task_hidden": 3,
    "gender_width": 2,
    "color_width": 1,
    "text_width": 5,
    "visual_width": 6,
}


def amm_inputs(seed=0):
    rng = np.random.default_rng(seed)
    text, text_mask = ragged(rng, 3, 4, 5)
    visual, visual_mask = ragged(rng, 3, 5, 6)
    return {
        "text": text,
        "text_mask": text_mask,
        "visual": visual,
        "visual_mask": visual_mask,
        "gender": torch.as_tensor(rng.normal(size=(3, 2))),
        "color": torch.as_tensor(rng.normal(size=(3, 1))),
    }


def jamfn_inputs(seed=0):
    rng = np.random.default_rng(seed)
    acoustic, acoustic_mask = ragged(rng, 3, 4, 5)
    visual, visual_mask = ragged(rng, 3, 4, 6)
    return {
        "acoustic": acoustic,
        "acoustic_mask": acoustic_mask,
        "visual": visual,
        "visual_mask": visual_mask,
    }


def jamfn(**fields):
    widths = {"length": 4, "acoustic_width": 5, "visual_width": 6}
    return JAMFN(hidden=2, layers=2, channels=3, **widths, **fields)


MASKED = [
    (lambda: jamfn(masked=True), jamfn_inputs),
    (jamfn, jamfn_inputs),
    (lambda: jamfn(masked=True, fusion="multiply"), jamfn_inputs),
    (lambda: AMM(**SMALL_AMM).eval(), amm_inputs),
    (lambda: AMM(**SMALL_AMM, tokens="pooled").eval(), amm_inputs),
    (lambda: AMM(**SMALL_AMM, inter_modal=False).eval(), amm_inputs),
]


@pytest.mark.parametrize(("make", "inputs"), MASKED)
def test_what_padding_holds_changes_neither_outputs_nor_gradients(make, inputs):
    torch.manual_seed(0)
    module, x = make().double(), inputs()
    found = []
    for filler in (0.0, float("nan")):
        filled = dict(x)
        for name in [name for name in x if f"{name}_mask" in x]:
            filled[name] = x[name].masked_fill(~x[f"{name}_mask"][..., None], filler)
        module.zero_grad()
        outputs = module(filled)
        torch.stack([output.square().sum() for output in outputs.values()]).sum().backward()
        gradients = [p.grad.clone() for p in module.parameters() if p.grad is not None]
        found.append([*outputs.values(), *gradients])
    for first, second in zip(*found, strict=True):
        assert torch.isfinite(second).all()
        torch.testing.assert_close(first, second, rtol=0, atol=0)


DROPPED = [
    (lambda: jamfn(dropout=0.5), jamfn_inputs),
    (lambda: AMM(**SMALL_AMM, dropout=0.5), amm_inputs),
]


@pytest.mark.parametrize(("make", "inputs"), DROPPED)
def test_dropout_acts_in_training_alone(make, inputs):
    module, x = make().double(), inputs()
    same = lambda: torch.equal(module(x)["depression"], module(x)["depression"])
    module.train()
    assert not same()
    module.eval()
    assert same()
