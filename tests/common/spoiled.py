"""Spoils files of arrays."""

import pickle

import numpy as np


def pickled(path):
    with path.open("wb") as file:
        pickle.dump({"rows": 1}, file)


def truncated(path):
    path.write_bytes(path.read_bytes()[:-4])


def nan(path):
    array = np.load(path)
    array[0, 0] = np.nan
    np.save(path, array)
