# Python 3.11, a shell and make are all that must be there.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
ALERTS := .venv/bin/alerts
KEEP ?=
BENCH ?= pipeline

.DEFAULT_GOAL := help
.PHONY: help install browser demo check lint test test-unit docs bench clean

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile

install: ## Make .venv with everything the project needs
	@"$(PYTHON)" -m install

demo: install ## Real bookings become alerts before your eyes; KEEP=1 leaves it running
	@$(ALERTS) demo $(if $(KEEP),--keep)

lint: install ## Check style, types and layers
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy account_alerts ingest udfs jobs delivery operations web devenv demo alerts_cli install docs_generator tests
	@.venv/bin/lint-imports --no-cache

check: lint test-unit ## What to run before a commit: lint and the unit tests

test-unit: install ## Run the tests that start no service: some minutes
	@.venv/bin/python -m pytest --numprocesses logical --maxprocesses 3 tests/unit tests/plans

browser: install
	@"$(PYTHON)" -m install --tests

test: lint browser ## Run all tests: as many processes as processors, three at most, the long tests first
	@.venv/bin/python -m pytest --numprocesses logical --maxprocesses 3 --dist loadscope --no-loadscope-reorder

docs: install ## Write the generated pages of docs/reference from the code
	@.venv/bin/python -m docs_generator

bench: install ## Measure throughput, latency, and cost of state; BENCH="end-to-end --rate 100" chooses
	@.venv/bin/python -c "import matplotlib" 2>/dev/null || .venv/bin/python -m pip --disable-pip-version-check \
		install --quiet --progress-bar off --constraint conf/constraints.txt --editable ".[bench]"
	@.venv/bin/python -m bench $(BENCH)

clean: ## Stop the environment and remove its state and all that was installed
	@if [ -x $(ALERTS) ]; then $(ALERTS) down; fi
	@rm -rf .venv .local build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
