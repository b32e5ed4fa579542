"""Tests for models of other packages: `ModelBattery`, a base class for pytest."""

from jaxdep.testing.battery import ModelBattery

__all__ = ["ModelBattery"]
