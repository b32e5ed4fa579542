"""Values of settings are converted, checked and described by the types of their fields."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import jax
import numpy as np
import pytest

from jaxdep.errors import UserError
from jaxdep.settings.checking import convert, describe, fits
from jaxdep.settings.kinds import Classes, Count, Kernel, Name, OneOf, Positive, Rate, Width

Fusion = Literal["jaf", "add"]
Stream = Annotated[str, OneOf(("text", "visual"))]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("3", Count, 3),
        ("3", Positive, 3.0),
        ("1e-3", Positive, 1e-3),
        ("None", Positive | None, None),
        ("2", Positive | None, 2.0),
        ("1,3", tuple[Kernel, ...], (1, 3)),
        ("3", tuple[Kernel, ...], (3,)),
        ("[1, 3]", tuple[Kernel, ...], (1, 3)),
        ("text,visual", tuple[Stream, ...], ("text", "visual")),
        ("text", tuple[Stream, ...], ("text",)),
        ("1,10", tuple[Positive, ...], (1.0, 10.0)),
        ("jaf", Fusion, "jaf"),
        ("True", bool, True),
        ("5", str, "5"),
        ("0.5", Any, 0.5),
        ("wavlm", Any, "wavlm"),
    ],
)
def test_text_becomes_a_value(text, kind, value):
    converted = convert(text, kind, "a.b")
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (0, Count, "an integer of at least 1 and at most 1000000"),
        (10**9, Width, "an integer of at least 1 and at most 65536"),
        (True, Count, "an integer"),
        (1.5, Count, "an integer"),
        ("many", Count, "an integer"),
        (-1.0, Positive, "a number above 0"),
        (float("nan"), Positive, "a number above 0"),
        (float("inf"), Positive, "a number above 0"),
        (10**400, Positive, "a number above 0"),
        ("9" * 400, Positive, "a number above 0"),
        ("{[]: 1}", Positive, "a number above 0"),
        ("-" * 100_000 + "1", Positive, "a number above 0"),
        (1.0, Rate, "a number of at least 0 and below 1"),
        (np.float32(-1), Rate, "a number of at least 0 and below 1"),
        ((2,), tuple[Kernel, ...], "an odd integer of at least 1"),
        (1, Classes | None, "an integer of at least 2 and at most 1000 or None"),
        ("foo", Fusion, "jaf or add"),
        (("sound",), tuple[Stream, ...], "text or visual"),
        ({"acoustic": -5}, Mapping[str, Count], "settings by name, each an integer"),
        ("../../x", Name, "a string of letters, digits"),
        ("", Name, "a string of letters, digits"),
        ("yes", bool, "True or False"),
        (3, str, "a string"),
    ],
)
def test_other_values_are_refused_by_one_message(value, kind, expected):
    assert not fits(value, kind)
    assert expected in describe(kind)
    with pytest.raises(UserError) as refused:
        convert(value, kind, "part.field")
    message = str(refused.value)
    assert message.startswith("part.field=")
    assert message.endswith(f"expected {describe(kind)}")


def test_long_values_are_shortened():
    with pytest.raises(UserError, match=r"part.field=x{77}\.\.\.: expected"):
        convert("x" * 1000, Count, "part.field")


def test_traced_values_are_not_checked():
    jax.eval_shape(lambda rate: convert(rate, Rate, "model.dropout"), 2.0)
