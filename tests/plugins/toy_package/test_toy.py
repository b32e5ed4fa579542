"""The battery on the toy."""

from jaxdep.testing import ModelBattery


class TestToy(ModelBattery):
    models = ("toy",)
