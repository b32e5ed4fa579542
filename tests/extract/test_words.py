"""Words: a recogniser of random weights gives records in the order of time, and languages."""

import numpy as np
import pytest
import recordings

from jaxdep.errors import UserError
from jaxdep.extract import words


@pytest.mark.parametrize("seconds", [4.0, 40.0])
def test_sentences_have_times_within_the_recording(whisper, seconds):
    found = words.Recogniser(whisper, "en").recognise(recordings.voice(seconds))
    assert found.dtype.names == ("start", "stop", "text")
    assert len(found)
    assert (found["start"] <= found["stop"]).all()
    assert (np.diff(found["start"]) >= 0).all()
    assert ((found["start"] >= 0) & (found["stop"] <= seconds)).all()
    assert all(text == text.strip() and text for text in found["text"])


def test_a_model_that_is_no_recogniser(tmp_path):
    with pytest.raises(UserError, match="There is no folder"):
        words.Recogniser(str(tmp_path / "none"), None)
