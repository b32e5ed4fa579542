"""Checks annotations at run time, the shapes and types of arrays included."""

from beartype import BeartypeConf, beartype

# As in pyright, an integer passes where a float is expected.
typechecked = beartype(conf=BeartypeConf(is_pep484_tower=True))
