# `make help` lists the targets. Everything below `.venv/` is made by `make setup`; nothing else is installed anywhere.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
GRADED ?= # of `make desk`: the folder that `autograder grade` wrote

.PHONY: help setup setup-latest lock demo desk formgrader test test-all test-latest test-slow fuzz lint release bundle docs check tiny-t5 tiny-summarizer clean

# What a set-up may be told on the command line, e.g. `make setup PYTHON=python3.12`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
TORCH ?= # another torch than lock/torch.txt has, with the torchvision that belongs to it: TORCH=2.12.0 TORCHVISION=0.27.0
TORCHVISION ?=
TORCH_INDEX ?= # an index to take torch from, e.g. PyTorch's own with CPU builds; else what pip is configured to use
VENV ?= .venv
LATEST ?= # not empty: the newest versions that pyproject.toml allows, not those of the lock
UV := 0.13.9
WORKERS ?= 2 # processes of pytest; each imports everything, and its tests keep a core busy
OUT ?= build/student
PORT ?= 8888
PROBLEM ?= # of `make test`: only the tests of this problem
MINUTES ?= 10 # of `make fuzz`
SEED ?= # of the first class of `make fuzz`; the time if not given
REPLAY ?= # of `make fuzz`: the folder of a finding

BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
UV_PIP := VIRTUAL_ENV=$(VENV) $(BIN)/uv -q pip

# nbgrader starts `alembic` by name, and kernels start `python` by name.
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONPATH
# As in grading (MALLOC in autograder/sandbox/filesystem.py): freed memory is kept for reuse, which halves the time that tests spend in the kernel.
export GLIBC_TUNABLES := glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=1073741824
# Where this is set, every process compiles all of torch anew.
unexport PYTHONDONTWRITEBYTECODE

help:  ## lists the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

setup: $(READY)  ## makes .venv from the lock: the student package, the autograder, the test tools (skipped when up to date)

setup-latest:  ## makes .venv-latest with the newest versions that pyproject.toml allows
	@rm -f .venv-latest/.ready
	@$(MAKE) --no-print-directory setup VENV=.venv-latest LATEST=yes

$(READY): pyproject.toml autograder/pyproject.toml lock/requirements.txt lock/torch.txt
	@echo "setup: $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "setup: Python 3.11 or newer is needed; say make setup PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@rm -f $@
	@$(PIP) install uv==$(UV) || echo "setup: uv cannot be installed; pip does its work, which takes some minutes more"
	@$(MAKE) --no-print-directory $(if $(strip $(LATEST)),install-latest,install-locked)
	@$(BIN)/python -c 'from importlib.metadata import distributions, version; n = [x.name for x in distributions()]; t = version("torch"); \
		extra = [x for x in n if x.startswith("nvidia-")] if "+cpu" in t else []; \
		exit(f"setup: CUDA packages came along with the CPU build of torch: {extra}. Remove $(VENV) and try again.") if extra else print(f"setup: done, {len(n)} packages, torch {t}")'
	@echo "setup: compiling what is imported most"
	@$(BIN)/python -W ignore -c 'import homework, torch._dynamo, torchvision, sklearn.datasets, matplotlib.pyplot, autograder.cli.main, autograder.cli.demo, autograder.gradebook.nbgrader_plugin, pytest, hypothesis'
	@echo $(if $(strip $(LATEST)),latest,locked) > $@

# torch comes through pip, so that pip's own configuration (indexes, wheel folders) decides which build it is. uv brings the
# rest, several times faster than pip would; where uv does not run, pip reads the same lock.
TORCH_WANTED = $(if $(strip $(TORCH)),torch==$(strip $(TORCH)) torchvision==$(strip $(TORCHVISION)),$(1))
INSTALL_TORCH = $(PIP) install --no-compile $(if $(strip $(TORCH_INDEX)),--index-url $(strip $(TORCH_INDEX))) $(TORCH_WANTED)

.PHONY: install-locked install-latest
install-locked:
	@echo "setup: the packages of lock/requirements.txt"
	@$(UV_PIP) install --no-deps --require-hashes -r lock/requirements.txt \
		|| $(PIP) install --no-compile --no-deps --require-hashes -r lock/requirements.txt
	@echo "setup: $(call TORCH_WANTED,torch as in lock/torch.txt)"
	@$(call INSTALL_TORCH,-r lock/torch.txt)
	@$(PIP) install --no-deps --no-build-isolation -e . -e ./autograder
	@$(BIN)/python -m pip check > $(VENV)/check.txt || { cat $(VENV)/check.txt; echo "setup: these versions do not fit together"; exit 1; }

install-latest:
	@echo "setup: $(call TORCH_WANTED,the newest torch that pip finds)"
	@$(call INSTALL_TORCH,--upgrade torch torchvision)
	@$(BIN)/python -c 'from importlib.metadata import version as v; print("torch==" + v("torch")); print("torchvision==" + v("torchvision"))' > $(VENV)/torch.txt
	@echo "setup: everything else, the newest that pyproject.toml allows"
	@$(UV_PIP) install --upgrade -c $(VENV)/torch.txt -e ".[staff,test]" -e ./autograder \
		|| $(PIP) install --no-compile --upgrade -c $(VENV)/torch.txt -e ".[staff,test]" -e ./autograder

# The versions for every platform and Python that pyproject.toml allows, newest first, with the hashes of their files.
lock: $(READY)  ## renews lock/requirements.txt with the newest versions that pyproject.toml allows
	$(BIN)/uv -q --config-file lock/uv.toml pip compile pyproject.toml --extra staff --extra test --constraint lock/torch.txt \
		--no-emit-package torch --no-emit-package torchvision --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-annotate --custom-compile-command "make lock" --output-file lock/requirements.txt
	@for python in 3.11 3.12 3.13; do \
		echo "lock: what students install, on Python $$python: $$($(BIN)/uv -q pip compile pyproject.toml --python-version $$python --no-header --no-annotate | wc -l) packages"; done

demo: $(READY)  ## releases all problems, grades a small made-up class and shows its grades
	$(BIN)/autograder demo

desk: $(READY)  ## opens the page for grading by hand over the folder GRADED (`graded`, or the demonstration's)
	$(BIN)/autograder desk $(PROBLEM) $(if $(strip $(GRADED)),--out $(GRADED))

ifeq ($(strip $(PROBLEM)),)
test: $(READY)  ## runs the linters and the tests that take seconds; with PROBLEM=vae only those of one problem
	@$(MAKE) --no-print-directory -j2 lint pytest MARKERS="not long and not slow"
else
test: $(READY)
	$(BIN)/autograder lint $(PROBLEM)
	$(BIN)/python -m pytest tests/problems -k $(PROBLEM) -m "not long and not slow" -n $(WORKERS) --dist load
endif

test-all: $(READY)  ## runs the linters and all tests but the slow ones; continuous integration runs this
	@$(MAKE) --no-print-directory -j2 lint pytest MARKERS="not slow"

.PHONY: pytest
pytest: $(READY)  # beside the linters, which use one core
	$(BIN)/python -m pytest -m "$(MARKERS)" -n $(WORKERS) --dist loadgroup

test-latest: setup-latest  ## runs what `test-all` runs in .venv-latest, with the newest versions that pyproject.toml allows
	$(MAKE) --no-print-directory test-all VENV=.venv-latest LATEST=yes

test-slow: $(READY)  ## runs the slow tests, then grades all known answers and all mutants
	$(BIN)/python -m pytest -m slow -n $(WORKERS) --dist loadgroup
	$(BIN)/autograder check
	$(BIN)/autograder check --mutants

fuzz: $(READY)  ## grades random hostile classes for MINUTES (10 if not given); with REPLAY=<folder> those of a finding
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES) $(if $(strip $(SEED)),--seed $(SEED)) $(if $(strip $(REPLAY)),--replay $(REPLAY))

lint: $(READY)  ## ruff, mypy, the layers of autograder/ and the linter for problem sources
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/autograder lint

release: $(READY)  ## writes notebooks/ from solutions/
	$(BIN)/autograder release

bundle: $(READY)  ## writes the public student repository into OUT (build/student if not given)
	$(BIN)/autograder bundle --out $(OUT)

docs: $(READY)  ## writes the lists of commands, problems and names, and builds the documentation in build/docs
	$(BIN)/python -m autograder.release.overview
	$(BIN)/python -m autograder.release.reference_page
	$(BIN)/python -m typer autograder.cli.main utils docs --name autograder --output docs/commands.md
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
	rm -rf .venv .venv-latest build dist .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info autograder/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
