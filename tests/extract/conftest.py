"""Recordings that several modules of tests read."""

import pytest
import recordings


@pytest.fixture(scope="session")
def talking(tmp_path_factory):
    """Six seconds of a moving face with sound, without loss, [512, 512] at 10 frames a second."""
    return recordings.talking(tmp_path_factory.mktemp("media") / "anna.mkv")
