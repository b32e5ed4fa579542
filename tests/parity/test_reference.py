"""The twins against the papers' equations, element by element, and against their own padding."""

import numpy as np
import pytest
import torch
from torch import nn

from jaxdep.errors import UserError
from jaxdep.parity import reference
from jaxdep.parity.reference import AMM, JAMFN, sequences


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
    for row, real, own in zip(x[:-1], mask[:-1], out[:-1], strict=True):
        torch.testing.assert_close(own[real], layer(row[real][None])[0][0])


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
    """As the list `Weight names` of the specification, at the paper's sizes."""
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
    """As the list `Weight names` of the specification, at the paper's sizes."""
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


def test_jamfn_by_the_papers_equations():
    """Eq. 5-14 in NumPy, with loops over scales and frames; recurrences are PyTorch's."""
    torch.manual_seed(0)
    module = JAMFN(length=5, acoustic_width=3, visual_width=4, hidden=3, layers=2, channels=6)
    module = module.double()
    x = {"acoustic": torch.randn(2, 5, 3).double(), "visual": torch.randn(2, 5, 4).double()}
    w = {name: value.numpy() for name, value in module.state_dict().items()}
    softmax = lambda z: np.exp(z) / np.exp(z).sum()
    with torch.no_grad():
        halves = {m: getattr(module, f"bilstm_{m[0]}")(x[m])[0].numpy() for m in x}
        result = module(x)["depression"].numpy()
    for row, logits in enumerate(result):
        f_out = np.zeros(6)
        for scale, size in enumerate((1, 3, 5)):
            maps = {}
            for name in x:
                both = halves[name][row]
                f = np.pad(both[:, :3] + both[:, 3:], ((size // 2, size // 2), (0, 0)))
                kernel = w[f"conv_{name[0]}.{scale}.weight"]
                bias = w[f"conv_{name[0]}.{scale}.bias"]
                frames = [
                    np.einsum("oki,ki->o", kernel.transpose(0, 2, 1), f[t : t + size]) + bias
                    for t in range(5)
                ]
                maps[name] = np.array(frames)
            jaf = lambda part, leaf, scale=scale: w[f"jaf.{scale}.{part}.{leaf}"]
            t_a = maps["acoustic"] @ jaf("fc1", "weight")[0] + jaf("fc1", "bias")
            t_v = maps["visual"] @ jaf("fc2", "weight")[0] + jaf("fc2", "bias")
            mixed = jaf("fc3", "weight") @ np.concatenate([t_a, t_v]) + jaf("fc3", "bias")
            f_out += softmax(t_a * mixed[:5]) @ maps["acoustic"]
            f_out += softmax(t_v * mixed[5:]) @ maps["visual"]
        expected = w["classifier.weight"] @ f_out + w["classifier.bias"]
        np.testing.assert_allclose(logits, expected, rtol=1e-12)


SMALL_AMM = {
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


def test_amm_by_the_papers_equations():
    """Eq. 2-6 in NumPy for one example without masks; recurrences are PyTorch's."""
    torch.manual_seed(0)
    module = AMM(**SMALL_AMM).double().eval()
    x = {name: v[:1] for name, v in amm_inputs().items() if not name.endswith("_mask")}
    w = {name: value.numpy() for name, value in module.state_dict().items()}
    linear = lambda name, z: z @ w[f"{name}.weight"].T + w[f"{name}.bias"]
    softmax = lambda z: np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    steps = {}
    for name, knowledge in (("text", "gender"), ("visual", "color")):
        h = getattr(module, f"{name}_gru")(x[name])[0][0].detach().numpy()
        d = np.tanh(linear(f"{name}_attention.proj", h))
        alpha = softmax(d @ w[f"{name}_attention.score.weight"][0])
        fixed = np.tile(x[knowledge][0].numpy(), (len(h), 1))
        steps[name] = np.concatenate([alpha[:, None] * h, fixed], 1)
    m = []
    for way, (a, b) in {"t2v": ("text", "visual"), "v2t": ("visual", "text")}.items():
        q, k, v = (linear(f"{way}.{p}", steps[s]) for p, s in (("q", a), ("k", b), ("v", b)))
        heads = [slice(0, 2), slice(2, 4)]
        m.append(
            np.concatenate([softmax(q[:, i] @ k[:, i].T / np.sqrt(2)) @ v[:, i] for i in heads], 1)
        )
    m = torch.as_tensor(np.concatenate(m))[None]
    own = {t: getattr(module, f"lstm_{t}")(m)[0][0].detach().numpy() for t in ("dep", "emo")}
    result = module(x)
    for task, other in (("dep", "emo"), ("emo", "dep")):
        q = linear(f"task_attention.{task}.q", own[task])
        k, v = (linear(f"task_attention.{other}.{p}", own[other]) for p in "kv")
        expected = linear(f"classifier.{task}", (softmax(q @ k.T) @ v).mean(0))
        full = {"dep": "depression", "emo": "emotion"}[task]
        np.testing.assert_allclose(result[full][0].detach().numpy(), expected, rtol=1e-12)


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
        sum(output.square().sum() for output in outputs.values()).backward()
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


def test_unknown_twin():
    with pytest.raises(UserError, match="there are jamfn, amm"):
        reference.twin("bert", {}, {})
