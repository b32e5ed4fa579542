"""Compiler options that this version of XLA does not know are left out."""

from jaxdep.train import compiler


def test_unknown_options_are_left_out():
    known = {"xla_backend_optimization_level": 0}
    unknown = {"xla_no_such_option": 1}
    assert compiler.supported(known | unknown) == known
