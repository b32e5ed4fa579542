"""Recordings and models that several modules of tests read."""

import pytest
import recordings
from tiny_encoders import tiny_whisper


@pytest.fixture(scope="session")
def talking(tmp_path_factory):
    """Six seconds of a moving face with sound, without loss, [512, 512] at 10 frames a second."""
    return recordings.talking(tmp_path_factory.mktemp("media") / "anna.mkv")


@pytest.fixture(scope="session")
def whisper(tmp_path_factory):
    """The folder of a recogniser with random weights."""
    return str(tiny_whisper(tmp_path_factory.mktemp("words") / "whisper"))
