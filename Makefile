# The commands of the README; each sets up .venv by itself the first time. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
NODE := tools/javascript/node_modules
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose) \
	--env-file docker/.env -f docker/compose.yaml
SAMPLE ?= 40
LIMIT ?= 900
STUDY ?= experiments/f17_flagship.py --quick

.DEFAULT_GOAL := help
.PHONY: help study fundamentals docs test check torture coverage mutation lint lint-js bench names ui clean-venv docker-build docker-study docker-down docker-test

help:                           ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

study: $(READY)                 ## the flagship study in its quick form, with its report
	$(BIN)/harness run experiments/f17_flagship.py --quick

fundamentals: $(READY)          ## every shipped study in full, or what is left of it; renews reports/ and the tables of verdicts
	set -e; for spec in experiments/*.py; do $(BIN)/harness run $$spec --reports build/reports; done
	$(BIN)/harness report experiments/*.py --published
	$(BIN)/harness verdicts experiments/*.py --out reports/fundamentals.md
	$(BIN)/harness verdicts experiments/f*.py --into docs/fundamentals.md
	$(BIN)/python tools/fundamentals.py

docs: $(READY)                  ## the site of docs/ into build/docs, with the API reference; every warning and dead link is an error
	rm -rf docs/reference build/docs
	$(BIN)/python tools/api_reference.py docs/reference
	$(BIN)/python -m sphinx -W --keep-going -n -q -b html docs build/docs

test: $(READY)                  ## the whole test suite
	$(BIN)/pytest -n 2 --dist loadgroup

check: $(READY) lint            ## format, lint, types, layers and the quick tests
	$(BIN)/pytest -n 2 --dist loadgroup -m "not slow"

torture: $(READY)               ## studies, workers and servers killed and cut off on purpose, and gone on from; the table of the harm done, in docs/trust.md; minutes
	$(BIN)/python -m tests.torture --into docs/trust.md

coverage: $(READY)              ## the share of harness/ that the tests run, by file, into docs/coverage.md
	rm -f .coverage .coverage.*
	$(BIN)/pytest -n 2 --dist loadgroup --cov --cov-report=
	(echo '# Coverage'; echo; echo 'Lines of `harness/` that the tests run, made by `make coverage`.'; echo; $(BIN)/coverage report --format=markdown) > docs/coverage.md
	tail -n 1 docs/coverage.md

mutation: $(READY)              ## deliberate faults in statistics, claims, keys and protocol, into docs/mutation.md; long: see SAMPLE and LIMIT
	$(BIN)/python tests/mutation.py statistics claims keys protocol --sample $(SAMPLE) --limit $(LIMIT) --out docs/mutation.md

lint: $(READY)                  ## format, lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-js: $(NODE)/.ready         ## lint and types of the report's JavaScript; needs Node.js 18 or newer
	$(NODE)/.bin/tsc --project tools/javascript
	$(NODE)/.bin/eslint --config tools/javascript/eslint.config.js harness/report/assets/page

$(NODE)/.ready: tools/javascript/package-lock.json
	@command -v npm >/dev/null || { echo "make lint-js: expected npm, found none; install Node.js 18 or newer (nodejs.org, or your system's packages nodejs and npm)" >&2; exit 1; }
	cd tools/javascript && npm ci --silent
	touch $@

bench: $(READY)                 ## side-by-side measurements, as tables and JSON
	$(BIN)/python -m benchmarks.throughput
	$(BIN)/python -c 'import jax' 2>/dev/null && $(BIN)/python -m benchmarks.against_jax || echo 'not against JAX: pip install -r benchmarks/jax_requirements.txt'
	$(BIN)/python -m benchmarks.kernels || echo 'not with kernels: harness kernels makes them'
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.first_step
	$(BIN)/python -m benchmarks.probes
	$(BIN)/python -m benchmarks.calibration
	$(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.regret
	$(BIN)/python -m benchmarks.tracking

names: $(READY)                 ## renews the public names that editors see, after a change to harness/catalog.py
	$(BIN)/python -c 'from harness.catalog import stub; print(stub(), end="")' > harness/__init__.pyi

ui: $(READY)                    ## MLflow's UI on this machine
	$(BIN)/harness ui

docker-study: docker-build      ## a study in containers, with PostgreSQL and MLflow's server; another one: STUDY="experiments/mine.py --quick"
	$(COMPOSE) run --rm study $(STUDY)

docker-build: docker/.env       ## builds the images of harness and MLflow's server
	COMMIT=$$(git rev-parse HEAD 2>/dev/null) $(COMPOSE) --profile study build

docker-down: docker/.env        ## stops the containers; the volumes keep all that was recorded
	$(COMPOSE) down

docker-test: $(READY)           ## builds the images and tries them out, on an engine of its own where none answers
	bash docker/test/engine.sh $(CURDIR)/$(BIN)/python -u $(CURDIR)/docker/test/e2e.py

docker/.env: docker/env.example
	sed -e "s/=change-me/=$$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')/" -e "s/_UID=1000/_UID=$$(id -u)/" \
		-e "s/_GID=1000/_GID=$$(id -g)/" docker/env.example > $@
	chmod 600 $@

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "expected Python 3.11 or newer; set PYTHON=python3.x")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(READY)

clean-venv:                     ## removes .venv; the next command makes it anew
	rm -rf .venv
