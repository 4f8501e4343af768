# Each target does all of the set-up it needs; nothing but Python 3.11, a C compiler, git and make
# has to be there first.
.DEFAULT_GOAL := help
.PHONY: help demo test chromium check bench serve clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# Another package index for torch: a CPU-only or a CUDA build.
TORCH_INDEX ?=
INDEX := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(INDEX) -c constraints.txt
REQUIRE ?=
DATA ?=
ARGS ?=

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.run: pyproject.toml constraints.txt Makefile
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: install it, or make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing into $(VENV) (two to four minutes the first time)"
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt pip setuptools wheel
	@$(PIP) --no-build-isolation -e '.[all]'
# insightface asks for opencv-python, which overwrites opencv-python-headless and needs a screen's
# libraries; everything it uses is in constraints.txt already (notes: docs/adr/0008).
	@$(PIP) --no-deps insightface
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(PIP) --no-build-isolation -e '.[all,dev]'
	@touch $@

demo: $(VENV)/.run ## Four stories in the terminal: allowed, refused twice, and a face with consent
	@$(BIN)/imprimatur demo $(ARGS)

comma := ,
test: $(VENV)/.dev $(filter chromium,$(subst $(comma), ,$(REQUIRE))) ## Run the suite (REQUIRE=postgres,chromium makes their absence fail; DATA=DIR)
	@TEST_DATA="$(DATA)" $(BIN)/python -m pytest -n 2 --dist loadgroup -q --require "$(REQUIRE)" $(ARGS)

# Debian's own; the tests that drive a page look for it by name.
chromium:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 || { echo "REQUIRE=chromium: apt-get install chromium, as root"; exit 1; }; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-liberation >/dev/null; }

check: $(VENV)/.dev ## Lint, walls, types, dead code
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/mypy
	@$(BIN)/vulture

bench: $(VENV)/.dev ## Print every published figure as JSON (DATA=DIR for those that need it)
	@for script in $$(ls benchmarks/*.py | grep -v -e __init__ -e measure -e load -e music -e neural); do \
	  name=$$(basename $$script .py); data=""; \
	  if grep -q '"--data"' $$script; then \
	    if [ -n "$(DATA)" ]; then data="--data $(DATA)"; \
	    elif grep -q 'required=True' $$script; then echo "$$name: needs DATA=DIR" >&2; continue; fi; \
	  fi; \
	  OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.$$name $$data || exit 1; \
	done

serve: $(VENV)/.run ## Serve on http://127.0.0.1:8000 with one worker
	@$(BIN)/imprimatur serve $(ARGS)

clean: ## Remove what the targets made
	@rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
