"""Registries of named values, which other installed packages can extend through entry points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from jaxdep.errors import UserError

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Mapping of names to built-in values and to values from entry points, loaded on first use.

    A package adds a value through an entry point in the registry's group. The name of the entry
    point is the name of the value, and its object is the value::

        [project.entry-points."jaxdep.models"]
        toy = "toy_depression.spec:SPEC"
    """

    def __init__(self, group: str, built_in: Mapping[str, T], kind: type[T]) -> None:
        """Initializes the registry with the built-in values.

        Args:
          group: entry-point group.
          built_in: built-in values; they come first and cannot be replaced by other packages.
          kind: required type of the values.
        """
        self.group, self._kind = group, kind
        self._values = dict(built_in)

    @cached_property
    def _others(self) -> dict[str, EntryPoint]:
        """Entry points of other packages by name, without name conflicts."""
        found: dict[str, EntryPoint] = {}
        for point in sorted(entry_points(group=self.group), key=lambda point: point.name):
            if point.name in self._values or point.name in found:
                raise UserError(
                    f"{_package(point)}: {self.group} already has {point.name!r}: rename either one"
                )
            found[point.name] = point
        return found

    def __getitem__(self, name: str) -> T:
        """Returns the value with this name.

        Raises:
          KeyError: there is no such name.
          UserError: the value cannot be loaded or has the wrong type or name, or names conflict.
        """
        if name not in self._values:
            self._values[name] = self._load(self._others[name])
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        """Iterates over the built-in names, then those of other packages."""
        others = self._others
        yield from [name for name in self._values if name not in others]
        yield from others

    def __len__(self) -> int:
        """Number of names."""
        return sum(1 for _ in self)

    def _load(self, point: EntryPoint) -> T:
        try:
            value = point.load()
        except Exception as error:
            raise UserError(
                f"{_package(point)}: cannot load {self.group} {point.name!r} from"
                f" {point.value}: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(value, self._kind):
            raise UserError(
                f"{_package(point)}: {self.group} {point.name!r} must be of type"
                f" {self._kind.__name__}, but {point.value} is not"
            )
        own_name = getattr(value, "name", point.name)
        if own_name != point.name:
            raise UserError(
                f"{_package(point)}: {self.group} {point.name!r} is named {own_name!r} in"
                f" {point.value}: use one name for both"
            )
        return value


def _package(point: EntryPoint) -> str:
    return f"package {point.dist.name if point.dist else '(unknown)'}"
