"""From recordings to features: voice, face and words, in the files of a corpus."""

from jaxdep.extract.job import Outcome, extract
from jaxdep.extract.recording import extract_file
from jaxdep.extract.settings import Settings

__all__ = ["Outcome", "Settings", "extract", "extract_file"]
