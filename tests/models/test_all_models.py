"""The battery over all models of the library, in every variant."""

from jaxdep.models import SPECS
from jaxdep.testing import ModelBattery


class TestAllModels(ModelBattery):
    models = tuple(SPECS)
