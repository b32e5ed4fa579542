"""Rows of CSV files, as lists of texts."""

import csv


def read(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def write(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
