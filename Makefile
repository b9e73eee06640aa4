# Two commands: `make run` starts a school, `make test` proves it. `make` lists the others.

BIN := .venv/bin
READY := .venv/ready
DEV := .venv/ready-for-tests
DESKTOP := .venv/ready-for-the-window
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help setup run desktop demo test check format lock migration migrate bench mutants

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

setup: $(READY) $(DEV) ## make .venv and install what LUMA and its tests need

run: $(READY) ## start LUMA: database, server, worker, demo school
	@$(BIN)/python main.py

desktop: $(READY) $(DESKTOP) ## start LUMA with the studio in a window
	@$(BIN)/python main.py --native

demo: $(READY) ## load the demo school into an empty database
	@$(BIN)/python -m luma.cli demo

test: $(READY) $(DEV) $(DESKTOP) ## run every test: services, models, pages, real browser, window
	@$(BIN)/python -m tests.needs
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(READY) $(DEV) ## what has to hold before a commit: style, types, layers, migrations
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy main.py
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/test_architecture.py tests/test_database.py

format: $(DEV) ## put the code into its usual form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: $(DEV) ## lock the packages again after a change in pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 -q --no-header pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 -q --no-header -c requirements.txt --extra dev pyproject.toml -o requirements-dev.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 -q --no-header -c requirements.txt --extra desktop pyproject.toml -o requirements-desktop.txt

migration: $(READY) ## write a migration from the models: make migration name="add course language"
	@test -n "$(name)" || { echo 'Say what it does: make migration name="add course language"'; exit 1; }
	@$(BIN)/python -m luma.cli migrate
	@$(BIN)/alembic revision --autogenerate -m "$(name)"

migrate: $(READY) ## bring the database's tables to this version
	@$(BIN)/python -m luma.cli migrate

bench: $(READY) $(DEV) ## measure LUMA beside the floor it stands on
	@$(BIN)/python -m tests.bench

mutants: $(READY) $(DEV) ## take the safeguards of money out one by one: a test must notice each
	@$(BIN)/python -m tests.mutants

$(READY): requirements.txt
	@sh .ci/venv
	@echo "Installing what LUMA needs. This takes a minute, once."
	@$(PIP) -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt $(READY)
	@echo "Installing what the tests need."
	@$(PIP) -r requirements-dev.txt
	@touch $@

$(DESKTOP): requirements-desktop.txt $(READY)
	@echo "Installing the window. It brings a browser of its own: 250 MB to fetch."
	@$(PIP) -r requirements-desktop.txt
	@touch $@
