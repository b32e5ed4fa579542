"""AMM: joint classification of depression and emotion from text and images; see README.md."""

from jaxdep.models.amm.model import AMM

__all__ = ["AMM"]
