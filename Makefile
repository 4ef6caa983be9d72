# Two commands matter: `make run` and `make test`. Both do all the set-up they need and may be repeated at will.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
# Of all that is installed little is ever imported; compiling the rest would take longer than downloading it.
INSTALL := $(PIP) install --quiet --no-compile -c constraints.txt
HOST   ?= 127.0.0.1
PORT   ?= 8080
BENCH  ?= ../shared/bench
TEST_WORKERS ?= 2

.PHONY: help run test check lint unit soak bench docs clean system-packages python-version

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: $(VENV)/.installed ## set up, index the bundled runbooks and serve on 127.0.0.1:8080
	SRE_KB_HOST=$(HOST) SRE_KB_PORT=$(PORT) $(BIN)/sre-kb index
	SRE_KB_HOST=$(HOST) SRE_KB_PORT=$(PORT) exec $(BIN)/sre-kb serve

test: $(VENV)/.installed-dev system-packages check ## set up, then every test, lint and type check

check: lint unit ## what a change must pass, with everything already set up

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/site

unit: $(VENV)/.installed-dev
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist worksteal -m "not soak" --cov --cov-report=term:skip-covered $(PYTEST_ARGS)

soak: $(VENV)/.installed-dev system-packages ## long proofs: hundreds of kills, fuzzing, load; prints its figures
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -m soak -s $(PYTEST_ARGS)

bench: $(VENV)/.installed-dev ## every benchmark; BENCH=folder with retrieval/ and learner/ data
	HF_HUB_OFFLINE=1 $(BIN)/python -m benchmarks $(BENCH)

docs: $(VENV)/.installed-dev ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean: ## remove what was built, not what was written (data/ and runbooks/ stay)
	rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage

python-version:
	@command -v $(PYTHON) >/dev/null || { echo "sre-kb needs Python 3.11 or newer: '$(PYTHON)' was not found. Install it, or run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { echo "sre-kb needs Python 3.11 to 3.13, but '$(PYTHON)' is $$($(PYTHON) --version). Run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python has no venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/bin/python: | python-version
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --upgrade pip

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable . || { echo "Installing the packages failed; the lines above say which and why. With no network, give pip a mirror (PIP_INDEX_URL) and repeat the command." >&2; exit 1; }
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(INSTALL) --group dev || { echo "Installing the development packages failed; the lines above say which and why." >&2; exit 1; }
	@touch $@

# The page tests drive a real Chromium, and promtool checks the alerting rules. Where they cannot be had the tests skip
# and say so. Of Debian's prometheus only promtool is taken: installing the package would start a server.
system-packages:
	@if command -v chromium >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Chromium for the page tests"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	else echo "Chromium is not installed and this user cannot install it: the page tests will be skipped. On Debian: apt-get install chromium"; fi
	@if command -v promtool >/dev/null || [ -x build/promtool ]; then :; \
	elif command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then \
	  echo "Fetching promtool for the tests of alerting rules"; \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq; fi; \
	  mkdir -p build/prometheus && (cd build/prometheus && apt-get download -qq -o APT::Sandbox::User=root prometheus >/dev/null) \
	  && dpkg-deb --fsys-tarfile build/prometheus/prometheus_*.deb | tar -xO ./usr/bin/promtool > build/promtool.new \
	  && chmod +x build/promtool.new && mv build/promtool.new build/promtool && rm -r build/prometheus \
	  || echo "promtool cannot be fetched: the tests of alerting rules will be skipped. On Debian: apt-get install prometheus"; \
	else echo "promtool is not installed: the tests of alerting rules will be skipped. On Debian: apt-get install prometheus"; fi
