"""JAMFN: joint attention over multi-scale acoustic and visual features; see README.md."""

from jaxdep.models.jamfn.model import JAMFN

__all__ = ["JAMFN"]
