# ngdaemon: run it, test it, check it. Everything happens in .venv; nothing outside this folder is touched.
#
#   make run [ARGS="--interface=… --listen-ng=…"]    start the daemon
#   make test [TESTS=tests/shell]                    all tests that this machine can run
#   make check                                       format, lint, types, layers, documents, and all tests
#   make bench [SUITES=plain] [ARGS=--quick]         compare with rtpengine (docs/performance.md)
#   make docs                                        write the documents that are made of tables

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WEB := tests/interop/web
PIP := $(BIN)/pip --disable-pip-version-check -q
ARGS ?=
TESTS ?=
SUITES ?= plain rates webrtc native native-sdes native-limit native-gain native-floor

# The generators of documents.
PAGES := $(basename $(notdir $(wildcard tools/*_page.py)))

# What the native forwarder is built of, if this tree has it and this machine a Rust that is new enough.
NATIVE := $(shell packaging/has-rust.sh && echo yes)
NATIVE_SOURCES := $(if $(NATIVE),$(shell find native -name target -prune -o -regex '.*\.\(rs\|toml\|lock\|pyi\)' -print))

.PHONY: run test check check-native format bench docs clean

run: $(VENV)/.run
	@exec $(BIN)/ngdaemon $(ARGS)

test: $(VENV)/.test
	$(BIN)/python -m pytest $(TESTS)

check: $(VENV)/.dev $(if $(NATIVE),check-native)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@for page in $(PAGES); do $(BIN)/python -m tools.$$page --check || exit 1; done
	$(BIN)/python -m pytest $(TESTS)

check-native: $(VENV)/.dev
	cd native && cargo fmt --all --check
	cd native && cargo clippy -q --all-targets -- -D warnings
	cd native && cargo test -q
	$(BIN)/stubtest ngdaemon_native --allowlist native/stubtest.txt

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(if $(NATIVE),cd native && cargo fmt --all)

bench: $(VENV)/.run
	@for suite in $(SUITES); do $(BIN)/python -m benchmarks $$suite $(ARGS) || exit 1; done

docs: $(VENV)/.run
	@for page in $(PAGES); do $(BIN)/python -m tools.$$page || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info native/target $(WEB)/node_modules

# -- what is installed: stamps, made again when the metadata changes

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "ngdaemon needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "on Debian: apt install python3-venv"; exit 1; }

$(VENV)/.run: $(BIN)/pip pyproject.toml $(NATIVE_SOURCES)
	$(PIP) install -e .
	@$(if $(NATIVE),$(PIP) install ./native || echo "no native forwarder (why is above): Python carries the packets")
	@touch $@

# What the browser's page is made of comes by npm; where that fails the tests with browsers are left out.
$(VENV)/.test: $(VENV)/.run $(WEB)/package-lock.json
	$(PIP) install -e '.[test]'
	@npm ci --prefix $(WEB) --no-audit --no-fund --loglevel=error >/dev/null || echo "no SIP.js: tests with browsers are left out"
	@touch $@

$(VENV)/.dev: $(VENV)/.test
	$(PIP) install -e '.[dev]'
	@touch $@
