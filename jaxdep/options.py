"""Options of the command line that `run` and `sweep` share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import arg

from jaxdep.experiment import parse_assignments


@dataclass(frozen=True)
class Options:
    """Which data, which settings, which devices.

    Attributes:
      manual_dir: Folder of the corpus's raw files; without it a synthetic stand-in is used.
      set_: Settings to change.
      out: Folder for what comes out; a new one below runs/ by default.
      resume: Continue what was interrupted, bit for bit.
      devices: How many to use; 0 for all.
      backend: How runs are spread over devices.
      data_dir: Where prepared corpora are kept; the user's cache by default.
      skip_bad: Leave out faulty recordings instead of refusing the corpus.
      signal: Strength of what is planted in the synthetic stand-in.
      distributed: This is one of several processes, which Slurm, Open MPI or Kubernetes started.
      coordinator: The same without them: HOST:PORT of the first process.
      processes: How many there are.
      process: Which of them this is, from 0.
    """

    manual_dir: Path | None = None
    set_: Annotated[tuple[str, ...], arg(name="set", metavar="KEY=VALUE ...")] = ()
    out: Path | None = None
    resume: bool = False
    devices: int = 0
    backend: Literal["jit", "pmap"] = "jit"
    data_dir: Path | None = None
    skip_bad: bool = False
    signal: float = 1.0
    distributed: bool = False
    coordinator: str = ""
    processes: int = 0
    process: int = 0

    def arguments(self) -> dict[str, Any]:
        """As arguments of `jaxdep.run` and `jaxdep.sweep`."""
        return {
            "manual_dir": self.manual_dir,
            "overrides": parse_assignments(list(self.set_)),
            "out": self.out,
            "resume": self.resume,
            "devices": self.devices,
            "backend": self.backend,
            "data_dir": self.data_dir,
            "skip_bad": self.skip_bad,
            "signal": self.signal,
        }
