# Everything runs in .venv, which `make setup` builds from pyproject.toml and constraints.txt.
PYTHON ?= python3.11
BIN := .venv/bin
EXTRAS ?= boosting,ray,search,track

export RAY_AUTH_MODE ?= token
export RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO ?= 0
# Real bars and truth cases are not part of the project; where they lie beside it, they are used.
ifneq ($(wildcard $(CURDIR)/../shared/data),)
export FARM_DATA ?= $(abspath $(CURDIR)/../shared/data)
endif
ifneq ($(wildcard $(CURDIR)/../shared/truth),)
export FARM_TRUTH ?= $(abspath $(CURDIR)/../shared/truth)
endif

.PHONY: chaos chaos-search hetero quickstart test test-slow test-nightly lint types contracts real bench bench-check docs docs-stacking docs-judge mutate sweep setup setup-dev clean help

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

quickstart: setup ## set up, run the embedded market to its verdict, say where the report is
	$(BIN)/farm run experiments/quickstart.yaml

test: setup-dev lint types contracts ## set up, lint, check types and contracts, run the tests
	$(BIN)/python -m pytest -m "not slow"

test-slow: setup-dev ## the tests that take minutes
	$(BIN)/python -m pytest -m slow --timeout 3600

test-nightly: setup-dev ## the laws of the core at 500 examples each
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest --timeout 3600 tests/bars tests/labels tests/folds tests/stats tests/backtest tests/stack tests/verdict tests/ledger

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev
	$(BIN)/mypy

contracts: setup-dev
	$(BIN)/lint-imports

real: setup ## minute bars of five markets and sixteen years of EURUSD, under FARM_DATA
	$(BIN)/farm run experiments/real.yaml
	$(BIN)/farm run experiments/real_fx.yaml

sweep: setup ## twenty markets of days, hours and minutes under FARM_DATA as one family; watch it by docs/sweep.md
	$(BIN)/farm run experiments/sweep.yaml

hetero: setup-dev ## five bases on three timeframes that meet at the clock, two symbols under FARM_DATA (minutes)
	$(BIN)/farm run experiments/hetero.yaml

chaos: setup-dev ## 20 runs on two nodes while workers, a node and drivers are killed (an hour); goes on where it stopped
	$(BIN)/python -m scripts.chaos --rounds 20 --page

chaos-search: setup-dev ## the same while a quarter of the sweep is searched, by two samplers, under FARM_DATA (an hour)
	$(BIN)/python -m scripts.chaos --search --page

bench: setup-dev ## the benchmarks, each beside a named peer
	$(BIN)/python -m benchmarks

bench-check: setup-dev ## fail when a benchmark's ratio fell by half against docs/benchmarks.md
	$(BIN)/python -m benchmarks --check

mutate: setup-dev ## break one law at a time and see that tests/leaks goes red
	$(BIN)/python -m scripts.mutate

docs-judge: setup-dev ## regenerate docs/judge.md: hours, and it goes on where it stopped
	$(BIN)/python -m scripts.judge_page --runs 2000 --null-markets 300 --edge-markets 100 --peer-runs 100

docs-stacking: setup-dev ## regenerate docs/stacking.md and its figure, some minutes
	$(BIN)/python -m scripts.stacking_page

docs: setup-dev ## regenerate docs/truth.md and docs/schema.json
	$(BIN)/python -m scripts.truth_table
	$(BIN)/farm schema > docs/schema.json

setup: .venv/.run
setup-dev: .venv/.dev

.venv/.run: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

.venv/.dev: .venv/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS),catboost,torch,xgboost-ray,dev,oracles]'
	touch $@

clean: ## remove the environment and the local home
	rm -rf .venv .farm
