"""Finds the files of E-DAIC, whose folders differ between copies."""

from __future__ import annotations

from pathlib import Path

FEATURES = {
    "egemaps": "OpenSMILE2.3.0_egemaps.csv",
    "mfcc": "OpenSMILE2.3.0_mfcc.csv",
    "openface": "OpenFace2.1.0_Pose_gaze_AUs.csv",
    "resnet": "CNN_ResNet.mat",
    "vgg": "CNN_VGG.mat",
}
"""Name of each file of features, after the id and an underscore."""

SPLITS = ("train", "dev", "test")

_PARENTS = (".", "data")


def labels(folder: Path) -> dict[str, str]:
    """Path of the file of each split, relative to the folder: in it, or in `labels/`."""
    found = {}
    for split in SPLITS:
        name = f"{split}_split.csv"
        found[split] = f"labels/{name}" if (folder / "labels" / name).exists() else name
    return found


def interviews(folder: Path) -> dict[str, Path]:
    """Folder of each interview by id: `<id>_P` or `<id>`, in the folder or in `data/`."""
    found: dict[str, Path] = {}
    for parent in _PARENTS:
        for path in sorted((folder / parent).glob("*")):
            name = path.name.removesuffix("_P")
            if name.isascii() and name.isdigit() and path.is_dir():
                found.setdefault(name, path)
    return found


def feature_file(directory: Path, name: str, kind: str) -> Path:
    """File of features in `features/` or beside it; upper and lower case do not matter.

    If there is none, the path where it is expected.
    """
    file = f"{name}_{FEATURES[kind]}"
    for place in (directory / "features", directory):
        if not place.is_dir():
            continue
        for path in sorted(place.iterdir()):
            if path.name.lower() == file.lower():
                return path
    return directory / "features" / file
