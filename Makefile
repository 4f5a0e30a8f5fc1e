# Awa. Every target sets up what it needs and passes ARGS on: make -s demo ARGS=--json
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
WALKED := .walked.json
# What setting up has to say goes to stderr, so that a command's own output stays clean.
STAMP := $(VENV)/.synced

.PHONY: help setup demo test coverage check spec bugs chaos bench docs all nightly clean

help: ## print this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements/dev.txt requirements/uv.txt pyproject.toml
	@echo "setting up $(VENV) ..." >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt >&2
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements/dev.txt requirements/uv.txt >&2
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e . >&2
	@touch $@

setup: $(STAMP) ## make the virtual environment

demo: $(STAMP) ## the main job on an embedded Postgres, with kills
	@$(BIN)/awa demo $(ARGS)

test: $(STAMP) ## the test suite, on an embedded Postgres
	@$(BIN)/python -m pytest -n 2 --walked=$(WALKED) $(ARGS)

coverage: $(STAMP) ## how much of the models the last `make test` has shown, against its floors
	@$(BIN)/python spec/coverage.py $(or $(ARGS),check) $(WALKED)

check: $(STAMP) ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff format --check . $(ARGS)
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

spec: $(STAMP) ## the TLA+ models, their broken variants, some mutants, the stored traces
	@$(BIN)/python spec/tlc.py all --jobs 2 $(ARGS)
	@$(BIN)/python spec/mutants.py sample
	@$(BIN)/python spec/traces.py check

bugs: $(STAMP) ## sow every bug of tests/bugs, and write who catches it into traces/BUGS.md
	@$(BIN)/python -m tests.bugs $(ARGS)

bench: $(STAMP) ## what it costs: make bench ARGS="core --json"
	@$(BIN)/python -m bench $(or $(ARGS),core)

chaos: $(STAMP) ## break it: workers that are killed and stopped, connections that are cut
	@$(BIN)/awa demo $(ARGS)
	@$(BIN)/python -m pytest -n 2 -q tests/runtime

docs: $(STAMP) ## check that the documentation's snippets run
	@$(BIN)/python -m pytest -q tests/test_docs.py $(ARGS)

all: ## what CI runs
	@.ci/run

nightly: $(STAMP) ## what is too long for CI
	@$(BIN)/python -m pytest -n 2 -m "" --slow
	@$(BIN)/python spec/tlc.py all --nightly
	@$(BIN)/python spec/mutants.py again
	@$(BIN)/python -m bench core

clean: ## remove what was set up
	rm -rf $(VENV) .tools .pytest_cache .mypy_cache .ruff_cache
