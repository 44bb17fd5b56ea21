# Everything a fresh clone needs, behind `make demo` and `make test`. Python 3.11 or later is all that must be there.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOAK ?=
# One stamp for the pinned packages, one for the checkout in it: what didn't change isn't done again.
PROJECTS := pyproject.toml lakegate/pyproject.toml
PACKAGES := $(VENV)/packages-$(shell cksum < requirements/dev.txt | tr -d ' ')
READY := $(VENV)/checkout-$(shell cat $(PROJECTS) | cksum | tr -d ' ')

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start hundreds of processes, and each would compile Lakegate for itself.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help:  ## Show this list.
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r target text; do printf 'make %-13s %s\n' "$$target" "$$text"; done

.PHONY: demo
demo: $(READY)  ## Carry a year of real flights from drop to tagged version.
	@$(BIN)/lakegate demo

.PHONY: dev
dev: $(READY)  ## Open Dagster's UI on it, with everything it needs.
	@$(BIN)/lakegate dev

# One run of pytest for all tests: short ones fill the gaps that the longest leave, and nothing is imported twice.
.PHONY: check test lint unit all
check: $(READY)  ## Lint, types, import rules and the unit tests: seconds, no server.
	@$(MAKE) --no-print-directory --jobs=2 unit lint

test: $(READY)  ## All of check, and every other test, with a real lakeFS.
	@$(MAKE) --no-print-directory --jobs=2 all lint

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy

unit: $(READY)
	$(BIN)/pytest tests/unit --numprocesses=2

all: $(READY)
	$(BIN)/pytest tests --numprocesses=4 --dist=loadfile --no-loadscope-reorder --durations=8

.PHONY: soak
soak: $(READY)  ## The crash tests at length, each step and hundreds of deaths: an hour.
	LAKEGATE_CRASH_EVERY=1 LAKEGATE_CRASH_MONTHS=12 LAKEGATE_SOAK_KILLS=300 LAKEGATE_BACKFILL_DROPS=200 LAKEGATE_DAMAGE_TRIES=100 \
	LAKEGATE_STALL_SECONDS=60 LAKEGATE_STALL_WORKERS=8 LAKEGATE_STALL_DROPS=100 LAKEGATE_DISK_STEPS=4 LAKEGATE_GHOSTS=50 \
	LAKEGATE_WRITERS=8 LAKEGATE_WRITERS_DROPS=40 LAKEGATE_MACHINE_RUNS=100 LAKEGATE_MACHINE_STEPS=30 LAKEGATE_CLEANUP_RUNS=30 \
	LAKEGATE_REDO_RUNS=15 LAKEGATE_SOAK_TABLE=1 \
	$(BIN)/pytest tests/crash --numprocesses=2 --dist=loadfile --no-loadscope-reorder --timeout=14400 --durations=0 $(SOAK)

.PHONY: docs
docs: $(READY)  ## Write the pages of docs/ that are made from the code.
	@PYTHONPATH=. $(BIN)/python tools/rules_page.py
	@PYTHONPATH=. $(BIN)/python tools/sql_page.py

# `make bench` comes with the benchmarks.
-include benchmarks/targets.mk

.PHONY: clean
clean:  ## Remove the environment and the caches; the lake in .lakegate stays.
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -not -path './.git/*' -exec rm -rf {} +

$(PACKAGES):
	@command -v $(PYTHON) >/dev/null || { echo "No $(PYTHON) here. Install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "$(PYTHON) is $$($(PYTHON) --version 2>&1); Lakegate needs 3.11, 3.12 or 3.13. Name one: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) can't make virtual environments. Install its venv package (Debian: apt install python3-venv)" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..." >&2
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@echo "Installing $$(grep -c == requirements/dev.txt) pinned packages, hashes checked; a few minutes the first time ..." >&2
	@# --no-deps: the file is complete, and pip's own search takes `gql[requests]` for a package without a hash.
	@# --no-compile: compileall does it on all cores. What stays uncompiled every test process would compile for itself, at once.
	@$(BIN)/python -m pip install --quiet --no-compile --no-deps --require-hashes --requirement requirements/dev.txt
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null || true  # some packages bring templates that are no Python
	@touch $@

$(READY): $(PACKAGES)
	@echo "Installing this checkout ..." >&2
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable ./lakegate --editable .
	@touch $@
