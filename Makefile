# Each target sets up what it needs in .venv; nothing has to be installed beforehand but Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Hundreds of processes are started, and each would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help serve test check lint types coverage bench explore crowd wheel docs clean

help:  ## list these targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

serve: $(VENV)/serve  ## run the sandbox on http://127.0.0.1:8462
	$(BIN)/cobalt-sandbox serve $(ARGS)

test: $(VENV)/dev  ## run the tests
	$(BIN)/pytest -n auto $(ARGS)

check: lint types coverage  ## everything that CI checks

lint: $(VENV)/dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(VENV)/dev
	$(BIN)/mypy --num-workers 2

# The driver of the browser has greenlets, and to look out for them doubles what the measuring takes.
coverage: $(VENV)/dev
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto --ignore=tests/browser
	$(BIN)/coverage run --concurrency=thread,greenlet -m pytest -n auto tests/browser
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: $(VENV)/dev  ## measure the speed budgets
	$(BIN)/python tests/bench/run.py $(ARGS)

explore: $(VENV)/dev  ## try the laws on ten times as many examples as check does, and on new ones (minutes)
	COBALT_EXPLORE=10 $(BIN)/pytest -n auto tests/properties $(ARGS)

crowd: $(VENV)/dev  ## hold worlds apart under load: 16 workers on one server (minutes)
	$(BIN)/python tests/bench/crowd.py $(ARGS)

wheel: $(VENV)/dev  ## build the wheel, install it elsewhere, and run a suite that uses the pytest plugin
	PYTHONPATH=tests $(BIN)/python tests/bench/wheel.py

docs: $(VENV)/dev  ## rewrite the derived tables of the README
	$(BIN)/python tests/readme.py --write

clean:
	rm -rf $(VENV) .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/serve: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cobalt-sandbox needs Python 3.11 or newer: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/dev: $(VENV)/serve
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
