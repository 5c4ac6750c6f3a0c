# `make help` lists the targets. Everything below `.venv/` is made by `make setup`; nothing else is installed anywhere.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo formgrader test test-slow lint release bundle docs check tiny-t5 tiny-summarizer clean

# What a set-up may be told on the command line, e.g. `make setup PYTHON=python3.12`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
TORCH ?= 2.13.0
TORCHVISION ?= 0.28.0
TORCH_INDEX ?= # an index to take torch from, e.g. PyTorch's own with CPU builds; else what pip is configured to use
WORKERS ?= 2
OUT ?= build/student
PORT ?= 8888

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# nbgrader starts `alembic` by name, and kernels start `python` by name.
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONPATH
# Where this is set, every process compiles all of torch anew.
unexport PYTHONDONTWRITEBYTECODE

help:  ## lists the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

setup: $(READY)  ## makes .venv with the student package, the autograder and the test tools (skipped when up to date)

# torch comes first and through pip, so that pip's own configuration (indexes, wheel folders) decides which build it is;
# uv then brings the rest, several times faster than pip would, and leaves the torch that is there alone.
$(READY): pyproject.toml autograder/pyproject.toml
	@echo "setup: $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "setup: Python 3.11 or newer is needed; say make setup PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check uv || true
	@echo "setup: torch $(TORCH) and torchvision $(TORCHVISION)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
		$(if $(strip $(TORCH_INDEX)),--index-url $(strip $(TORCH_INDEX))) torch==$(TORCH) torchvision==$(TORCHVISION)
	@echo "setup: everything else (pyproject.toml)"
	@$(BIN)/python -c 'from importlib.metadata import version as v; print("torch==" + v("torch")); print("torchvision==" + v("torchvision"))' > $(VENV)/constraints.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q -c $(VENV)/constraints.txt -e ".[staff,test]" -e ./autograder \
		|| { echo "setup: uv did not manage; now with pip, which takes some minutes"; \
		$(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile -c $(VENV)/constraints.txt -e ".[staff,test]" -e ./autograder; }
	@$(BIN)/python -c 'from importlib.metadata import distributions as d; n = [x.name for x in d()]; t = open("$(VENV)/constraints.txt").readline().strip(); \
		extra = [x for x in n if x.startswith("nvidia-")] if "+cpu" in t else []; \
		exit(f"setup: CUDA packages came along with the CPU build of torch: {extra}. Remove $(VENV) and try again.") if extra else print(f"setup: done, {len(n)} packages, {t}")'
	@echo "setup: compiling what is imported most"
	@$(BIN)/python -W ignore -c 'import homework, torch._dynamo, torchvision, sklearn.datasets, matplotlib.pyplot, autograder.cli, autograder.demo, autograder.nbgrader_steps, pytest, hypothesis'
	@touch $@

demo: $(READY)  ## releases all problems, grades a small made-up class and shows its grades
	$(BIN)/autograder demo

test: lint  ## runs the linters and all tests but the slow ones
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist loadgroup

test-slow: $(READY)  ## runs the slow tests, then grades every wrong solution and every right alternative
	$(BIN)/python -m pytest -m slow -n $(WORKERS) --dist loadgroup
	$(BIN)/autograder check

lint: $(READY)  ## ruff, mypy and the linter for problem sources
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/autograder lint

release: $(READY)  ## writes notebooks/ from solutions/
	$(BIN)/autograder release

bundle: $(READY)  ## writes the public student repository into OUT (build/student if not given)
	$(BIN)/autograder bundle --out $(OUT)

docs: $(READY)  ## builds the documentation in build/docs
	$(BIN)/python -m typer autograder.cli utils docs --name autograder --output docs/commands.md
	$(BIN)/python -m sphinx -q -E -W --keep-going -b html docs build/docs
	@echo "docs: build/docs/index.html"

check: $(READY)  ## grades the solution, the untouched release, every wrong solution and every right alternative
	$(BIN)/autograder check

formgrader: $(READY)  ## opens nbgrader's form grader on the course, for points and comments that people give
	@test -f course/gradebook.db || $(BIN)/autograder release
	@echo "formgrader: stop it with Ctrl-C; then grade again with the same command as before, which takes the points over"
	cd course && jupyter server --ServerApp.default_url=/formgrader --ServerApp.open_browser=True --port=$(PORT) --ServerApp.port_retries=0 \
		$(if $(filter 0,$(shell id -u)),--allow-root)

tiny-t5: $(READY)  ## pre-trains the tiny T5 in homework/embedded/ (goes on where it was)
	$(BIN)/python data/build_tiny_t5.py

tiny-summarizer: $(READY)  ## fine-tunes the tiny T5 into the summarizer in homework/embedded/
	$(BIN)/python data/build_tiny_summarizer.py

clean:  ## removes the environment and caches; never course/, which holds grades
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info autograder/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
