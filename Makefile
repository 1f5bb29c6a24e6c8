# Pronto. `make call` shows it working, `make test` proves it; both set everything up by themselves, without root.
.DEFAULT_GOAL := help
PY := .venv/bin/python
WORKERS := 3

.PHONY: help setup call up test check format lint types audit lock unit doctor prompts train-demo-model clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 28

setup: ## Fetch Asterisk, Redis, espeak-ng and PostgreSQL, make .venv, build the prompts (the other targets call this)
	@sh scripts/setup.sh
	@$(PY) -m pronto prepare

call: setup ## Place a call: a simulated caller is qualified by the bot through a real Asterisk
	@$(PY) -m pronto call $(or $(SCRIPT),tests/calls/happy_path.yaml) $(ARGS)

up: setup ## Keep the whole stack running for a softphone until Ctrl-C
	@$(PY) -m pronto up $(ARGS)

test: setup lint types unit ## Everything that CI runs

check: setup format lint types audit unit ## Format, ruff, mypy strict, secrets, known vulnerabilities, tests

format: ## Format the code
	@.venv/bin/ruff format .

lint: ## Ruff, and the compose file against its schema
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@if [ -f docker-compose.gpu.yml ]; then .venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.gpu.yml; fi

types: ## mypy --strict
	@.venv/bin/mypy .

audit: ## Secrets in the repository, known vulnerabilities of the pinned packages
	@$(PY) scripts/check_secrets.py
	@$(PY) scripts/check_dependencies.py

lock: ## Resolve the extras of pyproject.toml into locks/ again; ARGS=--upgrade raises what they do not pin
	@$(PY) scripts/lock.py $(ARGS)

# Several at a time (tests/conftest.py says what together): most tests wait for a real service.
unit: ## The tests alone, on an environment that is set up
	@.venv/bin/pytest -n $(WORKERS) --no-loadscope-reorder $(ARGS)

doctor: setup ## Say what is missing or wrong on this machine
	@$(PY) -m pronto doctor

prompts: setup ## Build the prompts that are missing or whose text changed
	@$(PY) -m pronto prompts build

train-demo-model: setup ## Train the demo speech model again (hours on two cores; never part of setup or CI)
	@$(PY) -m models.train

clean: ## Remove everything that setup made
	rm -rf .venv .pronto .mypy_cache .ruff_cache .pytest_cache compiled/*.so
