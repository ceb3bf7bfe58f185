# Pendopo. `make help` lists what can be made.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTEST ?= .venv/bin/pytest
NAME ?=
JOBS ?= 2

RULES ?=

WHAT ?= attendance
SEEDS ?= 1000
FIRST_SEED ?= 1

.PHONY: help up setup test test-setup check format faults simulate mutants bench bench-report demo demo-verify doctor lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

up: ## Install what is missing and run everything on this machine (PORT=8080 DATA=./data)
	@exec scripts/up.sh

setup: ## Install what the service needs, without starting it
	@scripts/setup.sh

demo: ## Renew the demonstration (DATA=./data)
	@.venv/bin/webinar demo --data "$${DATA:-./data}"

demo-verify: setup ## Verify the hours of a fresh demonstration, and that tampering is found
	@.venv/bin/python -m scripts.demo_verify

doctor: ## Look at every part of a running installation (DATA=./data)
	@.venv/bin/webinar doctor --data "$${DATA:-./data}"

test-setup: ## Install what the tests need
	@scripts/test-setup.sh

test: test-setup ## Run all tests (but those of make faults): two files at a time (JOBS=2), browsers by themselves
	$(PYTEST) -n $(JOBS) --dist loadfile -m "not fault and not browser"
	$(PYTEST) -m "browser and not fault"
	cd frontend && npm test

check: setup ## Format, lint, types, imports
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	cd frontend && npm run check

format: setup ## Format the code, and mend what lint can mend
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

faults: test-setup ## The slow fault tests with real durations
	$(PYTEST) -m fault

simulate: test-setup ## Simulated lectures with faults (SEEDS=10000 FIRST_SEED=1; WHAT=schedulers for those; TRACE=1 prints one in full)
	@.venv/bin/python -m tests.simulation --what $(WHAT) --seeds $(SEEDS) --first $(FIRST_SEED) $(if $(TRACE),--trace)

mutants: test-setup ## Change the rules of attendance and hours in every small way; a test has to notice (RULES=webinar.attendance.rules*)
	.venv/bin/mutmut run $(RULES)
	.venv/bin/mutmut results

bench: test-setup ## Run the benchmarks, or one of them (NAME=webhook); one line of JSON a figure
	@.venv/bin/python -m bench $(NAME)

bench-report: test-setup ## The benchmarks as a table, with what falls short
	@.venv/bin/python -m bench --report $(NAME)

lock: ## Write requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --universal --extra dev --output-file requirements.lock pyproject.toml

clean: ## Remove what was built and installed; not data
	rm -rf .venv build frontend/node_modules webinar/web/static/built mediaserver/bin
