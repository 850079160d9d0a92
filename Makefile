# The commands of the README; each sets up .venv by itself the first time.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: study fundamentals test check lint bench ui clean-venv

study: $(READY)                 ## the flagship study in its quick form, with its report
	$(BIN)/harness run experiments/f17_flagship.py --quick

fundamentals: $(READY)          ## every shipped study in full, and the table of their verdicts; what is known is not trained again
	set -e; for spec in experiments/*.py; do $(BIN)/harness run $$spec; done
	$(BIN)/harness verdicts experiments/*.py --out reports/fundamentals.md
	$(BIN)/harness verdicts experiments/f*.py --into README.md

test: $(READY)                  ## the whole test suite
	$(BIN)/pytest -n 2 --dist loadgroup

check: $(READY) lint            ## format, lint, types, layers and the quick tests
	$(BIN)/pytest -n 2 --dist loadgroup -m "not slow"

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)                 ## side-by-side measurements, as tables and JSON
	$(BIN)/python -m benchmarks.throughput
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.probes
	$(BIN)/python -m benchmarks.calibration
	$(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.tracking

ui: $(READY)                    ## MLflow's UI on this machine
	$(BIN)/harness ui

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "expected Python 3.11 or newer; set PYTHON=python3.x")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(READY)

clean-venv:
	rm -rf .venv
