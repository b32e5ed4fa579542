# `make demo` and `make test` need only Python 3.11 or newer; the rest is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The version that parity was seen with. Where a CPU build of it is at hand, pip takes that.
TORCH ?= torch==2.13.0

.PHONY: demo test test-slow fuzz lint format audit wheel clean

demo: $(VENV)/.installed
	$(BIN)/jaxdep run jamfn-demo --seeds 4

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" tests

test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow tests

# About twelve minutes on two cores; `python -m fuzz --help` has the options to repeat single cases.
fuzz: $(VENV)/.installed-test
	PYTHONPATH=tests/common $(BIN)/python -m fuzz --out docs/robustness.md

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Compares the installed versions with published vulnerabilities, for which it needs a network.
# Without one no version is found, and with --strict that is an error instead of a success.
audit: $(VENV)/.installed-test
	@$(BIN)/pip freeze --exclude-editable | sed -E 's/\+[a-z0-9.]+$$//' > $(VENV)/frozen.txt
	$(BIN)/pip-audit --strict --disable-pip --no-deps --requirement $(VENV)/frozen.txt || \
	  { echo "jaxdep: update what is listed above; if nothing was found, check the network"; exit 1; }

# The same commit makes the same wheel: files have the time of the commit. The bill of materials lists
# what a new environment gets with it.
wheel: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 315532800)
wheel: $(VENV)/.installed-test
	rm -rf build dist
	$(BIN)/python -m build
	$(BIN)/python -m venv --without-pip build/venv
	$(BIN)/python -m pip --python build/venv install --quiet dist/*.whl
	$(BIN)/cyclonedx-py environment build/venv --pyproject pyproject.toml --mc-type library \
	  --output-reproducible --of JSON --output-file dist/jaxdep.cdx.json
	cd dist && sha256sum * > SHA256SUMS

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "jaxdep needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet "$(TORCH)"
	$(BIN)/pip install --quiet --editable ".[test]"
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build dist *.egg-info runs
