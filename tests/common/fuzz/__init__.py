"""Damages corpora, files, settings and run folders at random, and checks what becomes of them.

`make fuzz` tries all subjects and writes `docs/robustness.md`; `make test` tries a few cases of
each.
"""
