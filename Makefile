# abmloop: two commands matter to a newcomer, `make demo` and `make test`; `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

.PHONY: help setup demo demo-local test check bench faults lock sample docs clean

help: ## say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## install everything into .venv (demo and test do it by themselves)

# Every package is pinned with its hash. uv, itself pinned there, installs them in seconds where pip takes a minute.
$(STAMP): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.txt > $(VENV)/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	@$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "abmloop-root.pth").write_text(str(pathlib.Path.cwd()))'
	@printf '#!%s\nfrom cli.main import main\n\nmain()\n' "$(CURDIR)/$(BIN)/python" > $(BIN)/abmloop && chmod +x $(BIN)/abmloop
	@touch $@

demo: $(STAMP) ## the whole loop on the bundled sample, through Prefect
	@$(BIN)/abmloop demo

demo-local: $(STAMP) ## the same without Prefect
	@$(BIN)/abmloop demo --local

test: $(STAMP) ## all fast tests
	@$(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder -m "not slow"

check: $(STAMP) ## style, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

faults: $(STAMP) ## the long fault runs: a killed process at thirty seeded moments, each with its control
	@$(BIN)/python -m pytest -m slow -s
	@$(BIN)/python -m tests.faults.kill_campaign --moments 30
	@$(BIN)/python -m tests.faults.crm_campaign --leads 500 --kills 10 --random 40 --others 20

bench: $(STAMP) ## every claim about speed, measured here
	@$(BIN)/python -m benchmarks

sample: $(STAMP) ## make the bundled sample world anew from its seed
	@$(BIN)/python -m benchmarks.world --out sample

lock: ## pin requirements.txt anew from requirements.in and requirements-dev.in
	$(BIN)/uv pip compile --quiet --universal --generate-hashes requirements-dev.in -o requirements.txt --python-version 3.11

clean: ## remove the environment and the demo's workspace
	rm -rf $(VENV) demo-workspace

docs: $(STAMP) ## write docs/data-model.md and docs/catalogue.md from declarations and tests
	@$(BIN)/python -m warehouse.document
	@$(BIN)/python -m tests.catalogue
