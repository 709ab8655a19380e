# tradecore: `make run` and `make test` are all a reader needs; `make help` lists the rest.
# PYTHON=python3.12 picks the interpreter, ARGS adds arguments to `run`, `test` and `bench`.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test setup dev check lint types docs generate rust fuzz miri nightly promises promises-nightly bench bench-live bench-peers bench-check bench-fills profile mutants lock clean python

VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
ARGS ?=
UV_VERSION := 0.13.8
CARGO := cargo
# The binding crate asks an interpreter for its ABI: always the one in .venv.
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

ifeq ($(origin PYTHON),undefined)
PYTHON := $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$name"; break; }; done)
endif

help: ## List the targets.
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  \1	/' | expand -t 14

run: python ## Set up what is needed, built quickly, and show the demo, live on the local venue (ARGS=--chaos adds faults and kills).
	@$(PYTHON) tools/setup.py --quick
	@$(BIN)/tradecore demo --live $(ARGS)

test: dev ## Set everything up and run all Python tests.
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal $(ARGS)

setup: python ## Prepare .venv with the `tradecore` command, built for speed.
	@$(PYTHON) tools/setup.py

dev: python
	@$(PYTHON) tools/setup.py --dev

python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer not found: install it from https://www.python.org, or name it: make PYTHON=/path/to/python3" >&2; exit 2; }

check: lint types docs rust bench-check ## Run formatters, linters, type checks, Rust tests, documentation and speed checks.

lint: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache --no-logo

types: dev
	$(BIN)/mypy

rust: dev
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked --quiet -- -D warnings
	$(CARGO) test --workspace --locked --quiet

docs: dev ## Build the Rust documentation; a broken link or an undocumented item is an error.
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --quiet

generate: dev ## Write the generated files and parts of the documents anew.
	@$(BIN)/python tools/generate_indicators.py
	@$(BIN)/python tools/generate_docs.py

fuzz: ## Fuzz every entry point for FUZZ_SECONDS (60) each; needs a nightly toolchain and cargo-fuzz.
	@sh tools/fuzz.sh $(or $(FUZZ_SECONDS),60) $(ARGS)

miri: ## Watch the memory that is lent to numpy under Miri; needs a nightly toolchain with it.
	@$(CARGO) +nightly miri --version >/dev/null 2>&1 || { echo "miri not found: rustup toolchain install nightly --component miri" >&2; exit 2; }
	$(CARGO) +nightly miri test --locked --quiet -p tradecore-ledger --lib lendable
	$(CARGO) +nightly miri test --locked --quiet --manifest-path miri/Cargo.toml --target-dir target

mutants: dev ## Plant faults that a seed draws and see which the tests notice (hours; ARGS="--seed 7"); needs cargo-mutants.
	@test -x build/cosmic-ray/bin/cosmic-ray || { $(PYTHON) -m venv build/cosmic-ray && \
		build/cosmic-ray/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements/mutants.txt; }
	@ended=0; for language in rust python; do $(BIN)/python tools/mutants.py $$language $(ARGS) || ended=$$?; done; exit $$ended

nightly: dev ## Run what is too long for each change: races, broken streams and load on the local venue (about three hours, one of them a soak).
	@TRADECORE_NIGHTLY=1 $(BIN)/python -m pytest -q -m nightly $(ARGS)
	@$(BIN)/python benches/stop_latency.py
	@for seed in 1 2 3 4 5; do $(BIN)/tradecore demo --chaos --seconds 120 --seed $$seed || exit $$?; done
	@$(BIN)/python benches/live_durable.py
	@$(BIN)/python benches/live_sending.py
	@$(BIN)/python benches/live_load.py

promises: dev ## Try every promise, within eight minutes, and print the table of them (ARGS="--seed 7").
	@PYTHONPATH=tests $(BIN)/python -m promises $(ARGS)

promises-nightly: dev ## The same, ten times as much, within 45 minutes (ARGS=--keep writes docs/promises.json).
	@PYTHONPATH=tests $(BIN)/python -m promises --nightly $(ARGS)

bench-live: dev ## Measure live orders: until durable, until sent, and at the local venue with faults and kills (ARGS="--rate 500").
	@$(BIN)/python benches/live_durable.py
	@$(BIN)/python benches/live_sending.py
	@$(BIN)/python benches/live_load.py $(ARGS)

bench: dev ## Run the workloads beside their baselines, then the native benches; also to benches/results/.
	@$(BIN)/python benches/run.py $(ARGS)

bench-peers: dev ## Run other libraries and tradecore in turn on the same data; one table (ARGS=--save keeps it).
	@$(BIN)/python benches/peers/run.py $(ARGS)

bench-check: dev ## Fail when a ratio to a light peer fell by more than 15% against benches/baseline.json.
	@$(BIN)/python benches/peers/run.py --check $(ARGS)

bench-fills: dev ## Compare the fills of a maker on a real capture with hftbacktest's, order by order.
	@PYTHONPATH=benches:tests $(BIN)/python benches/peers/compare_fills.py

profile: dev ## Show where the time of a workload goes, e.g. make profile WORKLOAD=b6 [PROFILER=callgrind].
	@$(BIN)/python benches/profile_run.py "$(WORKLOAD)" $(PROFILER)

lock: python ## Resolve requirements/*.in anew into hash-locked files (UPGRADE=1 takes newer versions).
	@$(PYTHON) -m venv build/lock && build/lock/bin/python -m pip install --quiet uv==$(UV_VERSION)
	@for name in dev setup runtime mutants; do \
		build/lock/bin/uv pip compile requirements/$$name.in --output-file requirements/$$name.txt --universal \
			--python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet \
			$(if $(UPGRADE),--upgrade) $$(case $$name in (dev|mutants) ;; (*) echo --constraints requirements/dev.txt;; esac) || exit 1; done
	@for name in benches/peers/requirements-*.in; do \
		build/lock/bin/uv pip compile $$name --output-file $${name%.in}.txt --universal --generate-hashes \
			--python-version $$(case $$name in (*nautilus*) echo 3.13 --prerelease allow;; (*) echo 3.11;; esac) \
			--no-header --no-annotate --no-emit-index-url --quiet $(if $(UPGRADE),--upgrade) || exit 1; done
	@echo "requirements/*.txt and benches/peers/requirements-*.txt are up to date"

clean: ## Remove everything that was made.
	rm -rf $(VENV) target build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks benches/results
	rm -f python/tradecore/_core*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
