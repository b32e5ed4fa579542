"""The system of `tests/plugins`, registered in this process as if its package were installed."""

import sys
from pathlib import Path

import pytest

from jaxdep.models import SPECS

sys.path.append(str(Path(__file__).parents[1] / "plugins" / "toy_package"))


@pytest.fixture(scope="module")
def toy_demo():
    """Its experiment, whose programs compile in a fraction of the time of JAMFN's."""
    from toy_depression.experiment import DEMO
    from toy_depression.spec import SPEC

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vars(SPECS)["_values"], SPEC.name, SPEC)
        yield DEMO
