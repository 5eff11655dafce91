# Everything a newcomer runs. `make help` lists it; each target does its own set-up.
# Python 3.11 or newer, make and git are all a machine needs: PostgreSQL and Envoy come as Python wheels.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.kagami-installed
UV_VERSION := 0.13.8

export PYTHONUNBUFFERED := 1
# Numerical libraries must not start a thread pool per process.
export OMP_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo up test chaos quota-proof check bench bench-quota eval-pii proto lock clean format

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Create .venv with the pinned packages (quick when up to date)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Kagami needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	@test -x $(BIN)/python || { echo "[1/3] creating $(VENV)"; $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "python -m venv failed; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }; }
	@echo "[2/3] installing pinned packages (about 400 MB unpacked; the first time takes a minute or so)"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --require-hashes --no-deps -r requirements.lock
	@echo "[3/3] installing kagami itself"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $(STAMP)
	@echo "ready: $(BIN)/kagami --help"

demo: setup ## Start everything and show the main job: a redacted, audited, budgeted stream
	@$(BIN)/kagami demo

up: setup ## Run the whole gateway on this machine until Ctrl-C
	@$(BIN)/kagami up

test: setup ## Run every test (real Envoy, real PostgreSQL)
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --ignore tests/e2e
	@$(BIN)/python -m pytest tests/e2e

chaos: setup ## Kill everything at random for a minute under load, then compare the books of both sides
	@KAGAMI_CHAOS_SECONDS=$${KAGAMI_CHAOS_SECONDS:-60} $(BIN)/python -m pytest tests/e2e/test_gateway_chaos.py -o log_cli=true -o log_cli_level=INFO

quota-proof: setup ## Eighty requests at once on a cap of four, 50 times over, in money, tokens and requests
	@KAGAMI_QUOTA_PROOF_REPEATS=$${KAGAMI_QUOTA_PROOF_REPEATS:-50} $(BIN)/python -m pytest tests/e2e/test_gateway_quota_proof.py -o log_cli=true -o log_cli_level=INFO

check: setup ## Lint, types, import rules, generated code
	@echo "ruff";         $(BIN)/ruff check .
	@echo "ruff format";  $(BIN)/ruff format --check .
	@echo "mypy";         $(BIN)/mypy
	@echo "import rules"; PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH=.:proto:proto/gen $(BIN)/lint-imports --no-cache
	@echo "proto";        tmp=$$(mktemp -d) && PATH="$(CURDIR)/$(BIN):$$PATH" proto/generate.sh $$tmp && diff -r -x __pycache__ $$tmp proto/gen && rm -r $$tmp
	@echo "check: all good"

format: setup ## Format and fix what can be fixed
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

proto: setup ## Generate Python from proto/kagamipb
	@PATH="$(CURDIR)/$(BIN):$$PATH" proto/generate.sh

bench: setup ## Measure the gateway against Envoy alone; every figure in the README comes from here
	@$(BIN)/python -m bench

bench-quota: setup ## Measure what quotas cost: decisions in-process, then the whole gateway with and without
	@$(BIN)/python -m bench.quota && $(BIN)/python -m bench.quota_load

eval-pii: setup ## Score detection: make eval-pii DEV=path/to/set (a folder with dev.jsonl)
	@test -n "$(DEV)" || { echo 'usage: make eval-pii DEV=PATH'; exit 2; }
	@$(BIN)/python -m bench.eval_pii "$(DEV)"

lock: setup ## Pin every dependency with hashes into requirements.lock
	@$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements.lock

clean: ## Remove everything made here, the local state included
	@rm -rf $(VENV) .kagami .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
