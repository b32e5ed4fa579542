"""Model specifications for tests, parity, benchmarks and figures."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import flax.linen as nn
import numpy as np

from jaxdep.models.modalities import Parts

Arrays = dict[str, np.ndarray]
State = Mapping[str, np.ndarray]

EMPTY: Mapping[str, Any] = MappingProxyType({})


def one_input_each(names: Iterable[str]) -> Parts:
    """Modalities that consist of one input each, which has the same name."""
    return {name: (name,) for name in names}


@dataclass(frozen=True)
class InputSampler:
    """Settings and generator of random example inputs.

    Attributes:
      batch: number of examples.
      length: number of steps of the model's reference sequence, see the model's spec.
      rng: random number generator.
      masked: whether the inputs include masks; without masks, every frame is real.
      frames: number of frames of the longest recording by input, where it does not follow from
        `length`.
    """

    batch: int
    length: int
    rng: np.random.Generator
    masked: bool = True
    frames: Mapping[str, int] = field(default_factory=dict)

    def sequence(self, name: str, features: int, length: int = 0) -> Arrays:
        """Draws a sequence [batch, length, features]; if masked, ragged and zero at padding."""
        shape = (self.batch, length or self.length, features)
        x = self.rng.normal(size=shape).astype(np.float32)
        if not self.masked:
            return {name: x}
        lengths = self.rng.integers(1, shape[1] + 1, shape[0])
        lengths[0] = shape[1]
        mask = np.arange(shape[1]) < lengths[:, None]
        return {name: x * mask[..., None], f"{name}_mask": mask}

    def vector(self, name: str, features: int) -> Arrays:
        """Draws a vector [batch, features]."""
        return {name: self.rng.normal(size=(self.batch, features)).astype(np.float32)}


@dataclass(frozen=True)
class Case:
    """A model configuration and the inputs for comparing or benchmarking it.

    Attributes:
      label: unique label among the model's cases.
      model: configured model.
      batch: number of examples.
      length: number of steps, as in `InputSampler`.
      masked: whether the inputs include masks.
      uneven: whether every third training batch has one example fewer.
      empty: inputs without a real frame in the last example; True: all inputs.
      only: names of the inputs to keep; empty: all.
      widths: numbers of features by input, where they differ from the example inputs.
      frames: numbers of frames by input, as in `InputSampler`.
      finish: function that modifies the drawn inputs, `finish(case, inputs, seed)`.
      enlarge: as `ModelSpec.enlarge`, for this case; None: that of the spec. Recurrences of
        hundreds of features are chaotic under a factor that suits a few, and amplify rounding.
      float32_gradients: whether gradients are compared in float32, too. Of very many rectified
        units, one or another lies within a rounding error of zero, and is open on one side only.
    """

    label: str
    model: nn.Module
    batch: int = 3
    length: int = 7
    masked: bool = True
    uneven: bool = False
    empty: bool | tuple[str, ...] = False
    only: tuple[str, ...] = ()
    widths: Mapping[str, int] = field(default_factory=dict)
    frames: Mapping[str, int] = field(default_factory=dict)
    finish: Callable[[Case, Arrays, int], Arrays] | None = None
    enlarge: float | None = None
    float32_gradients: bool = True


@dataclass(frozen=True, kw_only=True)
class BenchmarkSpec:
    """Benchmarks of a model for `jaxdep bench`.

    Attributes:
      sizes: cases by name; `paper` has the paper's sizes.
      experiment: experiment whose synthetic corpus is read from disk; empty: none.
      references: dotted paths, by name, of PyTorch modules to time in addition to `stock`, the
        model's reference.
    """

    sizes: Callable[[], Mapping[str, Case]]
    experiment: str = ""
    references: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stream:
    """Legend and colour of a curve in the figure of attention over time."""

    label: str
    color: str = "grey"


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A model and its description for the rest of the library.

    Attributes:
      name: name in the registry, in `config.json` and on the command line.
      model: Flax module; its fields are its configuration.
      variants: fields of small models by label, the paper's variant first.
      example_inputs: function that draws random inputs of a small model.
      inputs_of_state: function that returns zero inputs with the widths and lengths implied by a
        PyTorch state; raises KeyError with the name of a missing entry.
      modalities: function that returns the inputs of each modality of a model, without their masks;
        by default, each entry of the model's field `modalities` is one input. Only declared
        modalities can be absent in `jaxdep missing` and with `training.modality_dropout`.
      aligned: whether the modalities of a recording must have the same frames.
      structure: further inputs, which stay if a modality is absent, by name, with a description of
        what they tell the model.
      reference: dotted path of the PyTorch module, `package.module:Class`; its arguments are the
        model's fields and the width of each floating-point input.
      reference_sizes: function from the inputs to further arguments of the reference.
      extra_inputs: function `extra_inputs(model, seed)` that returns the inputs which both sides of
        a comparison need in addition to a corpus's inputs, such as random keys that each side would
        otherwise draw itself.
      edges: function that returns further cases of `jaxdep parity`, in addition to the variants.
      paper_size: function that returns the case with the paper's sizes.
      batch: number of examples in a comparison.
      mixes_examples: whether the examples of a batch depend on one another, which only released
        networks may do.
      enlarge: factor of the initial weight matrices in float64 comparisons, so that attention is
        not nearly uniform.
      gradient_scale: factor of the initial weights in tests of gradients.
      without_gradient: endings of the names of parameters whose gradient is zero by construction,
        by variant label, or `*` for all variants.
      slow_variants: labels of variants whose code other variants cover; run by `make test-slow`.
      optimizer: fields of the paper's `Optimizer`, for comparisons of updates.
      tasks: function that returns the fields of each `Task` of a comparison by name.
      targets: function `targets(model, batch, rng)` that draws random targets of these tasks.
      streams: curves of attention maps over time by symbol.
      panels: column titles in the figure by prefix of an attention map.
      unused_weights: pattern of state entries that a released network stores but never uses.
      measured: benchmarks of the model; None: none.
    """

    name: str
    model: type[nn.Module]
    variants: Mapping[str, Mapping[str, Any]]
    example_inputs: Callable[[nn.Module, InputSampler], Arrays]
    inputs_of_state: Callable[[Any, State], Arrays]
    modalities: Callable[[Any], Parts] = lambda model: one_input_each(
        getattr(model, "modalities", ())
    )
    aligned: bool = False
    structure: Mapping[str, str] = field(default_factory=dict)
    reference: str
    reference_sizes: Callable[[Mapping[str, Any]], dict[str, Any]] = lambda inputs: {}
    extra_inputs: Callable[[Any, int], Arrays] = lambda model, seed: {}
    edges: Callable[[nn.Module], list[Case]] = lambda model: []
    paper_size: Callable[[], Case]
    batch: int = 3
    mixes_examples: bool = False
    enlarge: float = 4.0
    gradient_scale: float = 4.0
    without_gradient: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    slow_variants: frozenset[str] = frozenset()
    optimizer: Mapping[str, Any] = field(default_factory=dict)
    tasks: Callable[[Any], Mapping[str, Mapping[str, Any]]] = lambda model: {"depression": {}}
    targets: Callable[[Any, int, np.random.Generator], Arrays]
    streams: Mapping[str, Stream] = field(default_factory=dict)
    panels: Mapping[str, str] = field(default_factory=dict)
    unused_weights: str = r"(?!)"
    measured: BenchmarkSpec | None = None

    def small(self) -> dict[str, nn.Module]:
        """Returns a small model of each variant by label."""
        return {label: self.model(**fields) for label, fields in self.variants.items()}

    def inputs(
        self,
        model: nn.Module,
        batch: int,
        length: int,
        seed: int = 0,
        masked: bool = True,
        frames: Mapping[str, int] = EMPTY,
    ) -> Arrays:
        """Draws random inputs of a model; arguments as in `InputSampler`."""
        drawn = InputSampler(batch, length, np.random.default_rng(seed), masked, frames)
        return self.example_inputs(model, drawn)

    def case_inputs(self, case: Case, seed: int = 0, batch: int = 0) -> Arrays:
        """Draws random inputs of a case; `batch=0` uses the batch size of the case."""
        size = batch or case.batch
        drawn = self.inputs(case.model, size, case.length, seed, case.masked, case.frames)
        rng = np.random.default_rng(seed)
        for name, width in case.widths.items():
            shape = (*drawn[name].shape[:-1], width)
            drawn[name] = rng.normal(size=shape).astype(np.float32)
        for mask in [name for name in drawn if name.endswith("_mask")]:
            name = mask.removesuffix("_mask")
            if case.empty is True or (case.empty and name in case.empty):
                drawn[mask][-1] = False
            drawn[name] *= drawn[mask][..., None]
        drawn |= self.extra_inputs(case.model, seed)
        if case.finish:
            drawn = case.finish(case, drawn, seed)
        return {name: x for name, x in drawn.items() if not case.only or name in case.only}

    def variant_cases(self) -> list[Case]:
        """Returns one case per variant, with masks and without dropout."""
        models = self.small().items()
        return [Case(label, without_dropout(model), self.batch) for label, model in models]

    def cases(self) -> list[Case]:
        """Returns all variants with and without masks, common edge cases, and the model's own."""
        cases = self.variant_cases()
        first = cases[0]
        unmasked = [replace(case, label=f"{case.label}, no mask", masked=False) for case in cases]
        edges = [
            replace(first, label="length 1", length=1),
            replace(first, label="empty row", empty=True),
        ]
        if not self.mixes_examples:  # such models may need an even batch
            edges += [
                replace(first, label="batch of 1", batch=1),
                replace(first, label="batch of 5", batch=5, uneven=True),
            ]
        return [*cases, *unmasked, *edges, *self.edges(first.model)]

    def load_reference(self, path: str = "") -> Any:
        """Imports the PyTorch class of `reference`, or of another dotted path."""
        module, _, name = (path or self.reference).partition(":")
        return getattr(importlib.import_module(module), name)


def without_dropout(model: nn.Module) -> nn.Module:
    """Returns the model with all dropout rates set to 0."""
    rates = [entry.name for entry in dataclasses.fields(model) if entry.name.endswith("dropout")]
    changes: dict[str, Any] = dict.fromkeys(rates, 0.0)
    return model.clone(**changes)


def variants(
    base: Mapping[str, Any], changes: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Returns the fields of each variant by label: `base` updated with the variant's changes."""
    return {label: {**base, **fields} for label, fields in changes.items()}


def classes(number: int, batch: int, rng: np.random.Generator) -> np.ndarray:
    """Draws random classes [batch]."""
    return rng.integers(0, number, batch).astype(np.int32)


def matrix_shape(state: State, name: str) -> tuple[int, int]:
    """Shape of a state entry that must be a matrix.

    Raises:
      KeyError: the entry is missing.
      ValueError: the entry is not a matrix.
    """
    shape = state[name].shape
    if len(shape) != 2:
        raise ValueError(f"! {name} has shape {shape}, expected a matrix")
    return shape


def zeros(*shape: int) -> np.ndarray:
    """Zeros of a given shape in float32."""
    return np.zeros(shape, np.float32)
