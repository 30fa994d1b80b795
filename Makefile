# Two commands: `make demo` and `make test`. Everything they install stays in this folder.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
MIRROR := $(wildcard ../shared/mirror)
export RONGHE_MIRROR ?= $(if $(MIRROR),$(abspath $(MIRROR)))
export PIP_DISABLE_PIP_VERSION_CHECK := 1
TEST_ARGS ?= -n auto --maxprocesses=4 --dist loadfile

.PHONY: demo test check lock bench clean

demo: .venv/run.stamp
	$(BIN)/ronghe demo $(DEMO_ARGS)

# Spark's and the browser's tests run by themselves: Playwright's greenlets upset CPython 3.11's count of recursion in a process
# that goes on to compile other things.
test: .venv/dev.stamp
	$(BIN)/python -m pytest -m "not browser and not spark" $(TEST_ARGS)
	$(BIN)/python -m pytest -m spark
	$(BIN)/python -m pytest -m browser

check: .venv/dev.stamp
	$(BIN)/ruff check src tests benchmarks hatch_build.py
	$(BIN)/ruff format --check src tests benchmarks hatch_build.py
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/dev.stamp
	$(BIN)/pip install -q --require-hashes -r requirements/bench.txt || echo "no compiler: peers that need one are left out"
	$(BIN)/python -m benchmarks

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Ronghe needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements/run.txt requirements/build.txt requirements/node.txt pyproject.toml hatch_build.py assets/package-lock.json | .venv/bin/python
	$(BIN)/pip install -q --require-hashes -r requirements/run.txt
	$(BIN)/pip install -q --require-hashes -r requirements/build.txt
	command -v npm >/dev/null || $(BIN)/pip install -q --require-hashes -r requirements/node.txt
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	touch $@

.venv/dev.stamp: .venv/run.stamp requirements/dev.txt
	$(BIN)/pip install -q --require-hashes -r requirements/dev.txt
	touch $@

# Renew the pins (needs uv): every requirement with its hashes, and no index address.
COMPILE := uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -q
lock:
	$(COMPILE) pyproject.toml --extra spark --extra report --extra dev --extra peers -o requirements/dev.txt
	$(COMPILE) pyproject.toml -c requirements/dev.txt -o requirements/run.txt
	$(COMPILE) requirements/build.in -c requirements/dev.txt -o requirements/build.txt
	$(COMPILE) pyproject.toml --extra bench -c requirements/dev.txt -o requirements/bench.txt
	$(COMPILE) requirements/node.in -c requirements/dev.txt -o requirements/node.txt

clean:
	rm -rf .venv lake .cache
