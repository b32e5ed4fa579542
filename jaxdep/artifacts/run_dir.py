"""Layout of a run directory: paths of its files, creation, and checks before resuming."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jaxdep.artifacts import lock, schema
from jaxdep.artifacts.files import check_writable, write_text
from jaxdep.errors import UserError
from jaxdep.settings.paths import differences, flat


@dataclass(frozen=True)
class RunDir:
    """Paths of the files of one run.

    Attributes:
      path: directory that this process writes to.
      shared: the run directory. Of several processes, only the first writes there, except for
        checkpoints, which all processes write together.
    """

    path: Path
    shared: Path

    @staticmethod
    def at(path: Path) -> RunDir:
        """The run directory of a single process."""
        return RunDir(path, path)

    def subdirectory(self, name: str) -> RunDir:
        """A run directory nested in this one."""
        return RunDir(self.path / name, self.shared / name)

    @property
    def config(self) -> Path:
        """The experiment's configuration."""
        return self.path / "config.json"

    @property
    def environment(self) -> Path:
        """Versions, devices, commit, command line, and the folder of the prepared corpus."""
        return self.path / "environment.json"

    @property
    def meta(self) -> Path:
        """Corpus, splits and the outcome of each run."""
        return self.path / "meta.json"

    @property
    def metrics(self) -> Path:
        """Training history, one line per run and epoch."""
        return self.path / "metrics.jsonl"

    @property
    def predictions(self) -> Path:
        """Predictions, one line per run and recording of the evaluated split."""
        return self.path / "predictions.csv"

    @property
    def recordings(self) -> Path:
        """Subject and attributes of each recording of the evaluated split."""
        return self.path / "recordings.csv"

    @property
    def folds(self) -> Path:
        """Fold of each recording in each repeat of a cross-validation."""
        return self.path / "folds.csv"

    @property
    def validation(self) -> Path:
        """Predictions for the validation split, to fit what must not be fitted on test data."""
        return self.path / "validation.csv"

    @property
    def validation_recordings(self) -> Path:
        """Subject and attributes of each recording of the validation split."""
        return self.path / "validation_recordings.csv"

    @property
    def inputs(self) -> Path:
        """Description of the inputs, to predict new recordings without the corpus."""
        return self.path / "inputs.npz"

    @property
    def attention(self) -> Path:
        """Attention maps of a few recordings."""
        return self.path / "attention.npz"

    @property
    def words(self) -> Path:
        """Attention to each word of the evaluated split."""
        return self.path / "words.npz"

    @property
    def checkpoints(self) -> Path:
        """Directory of the Orbax checkpoints."""
        return self.shared / "checkpoints"

    @property
    def estimators(self) -> Path:
        """Directory of the fitted estimators of a scikit-learn baseline."""
        return self.path / "estimators"

    @property
    def finished(self) -> bool:
        """Whether the run is complete."""
        shared = RunDir.at(self.shared)
        return shared.meta.is_file() and shared.predictions.is_file()

    def read(self, file: Path) -> Any:
        """Reads one of the JSON files.

        Raises:
          UserError: this is not a run directory.
        """
        try:
            return schema.read(file)
        except (OSError, ValueError) as error:
            raise UserError(
                f"{self.path} is not a run directory: {file.name} cannot be read ({error});"
                " pass a folder created by `jaxdep run`"
            ) from None


def open_run_dir(name: str, out: str | Path | None, resume: bool) -> RunDir:
    """Chooses a run directory and checks that nothing in it would be overwritten.

    Args:
      name: name of the experiment, used to name a new directory under `runs/`.
      out: output directory given by the user, if any.
      resume: whether to resume an existing run in the directory.

    Raises:
      UserError: the directory is not empty or cannot be written, or there is nothing to resume.
    """
    if out is not None:
        path = Path(out)
    else:
        number = 1
        while (path := Path("runs") / f"{name}-{number:03d}").exists():
            number += 1
        path = Path("runs") / f"{name}-{number - 1:03d}" if resume else path
    run_dir = RunDir.at(path)
    check_writable(path)
    if resume and not run_dir.config.is_file():
        raise UserError(f"{path} contains nothing to resume; omit --resume")
    if not resume and path.exists() and not _is_unused(path):
        raise UserError(f"{path} is not empty; set --resume or another --out")
    return run_dir


def _is_unused(folder: Path) -> bool:
    """Whether a folder is empty, or holds only what precedes `config.json` in a run.

    A run that is killed while it writes these files can neither be resumed nor loses anything.
    """
    names = {path.name for path in folder.iterdir()}
    first = {lock.NAME, "environment.json", "environment.json.part", "config.json.part"}
    return not names or (lock.NAME in names and names <= first)


def check_same(run_dir: RunDir, config: Mapping[str, Any]) -> None:
    """Checks that the run in a directory has the requested configuration.

    Args:
      run_dir: directory of the existing run.
      config: content of `config.json` for the requested run, including its `identity`.

    Raises:
      UserError: the configurations differ; the message lists every difference.
    """
    old = _compared(run_dir.read(run_dir.config))
    new = _compared(json.loads(json.dumps(config)))
    differing = differences(old, new)
    if not differing:
        return
    lines = [
        f"  {key}: existing {str(existing)[:40]}, requested {str(requested)[:40]}"
        for key, (existing, requested) in differing.items()
    ]
    raise UserError(
        f"{run_dir.path} holds a different run:\n" + "\n".join(lines) + "\nRepeat its"
        f" command ({run_dir.read(run_dir.environment)['command']}) with --resume, or set another"
        " --out"
    )


def _compared(config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that a resumed run must share: all but the words about it, by dotted path."""
    return flat({key: value for key, value in config.items() if key not in ("title", "paper")})


@dataclass(frozen=True)
class History:
    """Writer of `metrics.jsonl`: one line per run and epoch, in order, even after interruptions."""

    path: Path

    @cached_property
    def _lines(self) -> dict[tuple[int, int], str]:
        """Text of each line by epoch and run; the file is read once, and not after every epoch."""
        return _texts(schema.read_history(self.path))

    def add(self, epoch: int, lines: list[dict[str, Any]]) -> None:
        """Adds the lines of an epoch, replacing any lines of these runs for later epochs."""
        # A resumed run repeats the epochs after the checkpoint that it resumes from.
        again = {line["run"] for line in lines}
        kept = {key: text for key, text in self._lines.items() if not _repeated(key, epoch, again)}
        self._lines.clear()
        self._lines.update(sorted((kept | _texts(lines)).items()))
        write_text(self.path, "".join(f"{text}\n" for text in self._lines.values()))


def _repeated(key: tuple[int, int], epoch: int, again: set[int]) -> bool:
    return key[0] >= epoch and key[1] in again


def _texts(lines: list[dict[str, Any]]) -> dict[tuple[int, int], str]:
    return {(line["epoch"], line["run"]): json.dumps(line) for line in lines}
