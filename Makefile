# make demo   the main job on a synthetic film: needs Python 3.11 to 3.13 and g++
# make test   everything the project promises, in an environment of its own
PYTHON ?= python3
VENV ?= .venv
TEST_VENV ?= .venv-test
WHEELS := build/wheels
PIP := -m pip --disable-pip-version-check
# by environment, because these reach the isolated build of the native module too
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_BUILD_CONSTRAINT := $(PIP_CONSTRAINT)

.PHONY: demo test

demo:
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python $(PIP) install -q ".[cpu]"
	$(VENV)/bin/spinert infer examples/study.dcm

test:
	$(PYTHON) -m venv $(TEST_VENV)
	rm -rf $(WHEELS)
	$(TEST_VENV)/bin/python $(PIP) wheel -q --no-deps -w $(WHEELS) .
	$(TEST_VENV)/bin/python $(PIP) install -q "$$(ls $(WHEELS)/spinert-*.whl)[cpu,codecs,export,dev]"
	$(TEST_VENV)/bin/ruff check .
	$(TEST_VENV)/bin/ruff format --check .
	$(TEST_VENV)/bin/mypy
	$(TEST_VENV)/bin/lint-imports
	SPINERT_WHEEL="$$(ls $(WHEELS)/spinert-*.whl)" $(TEST_VENV)/bin/python -m pytest --cov --cov-report=term
	$(TEST_VENV)/bin/python -m pytest -q benchmarks/test_latency.py \
	    --benchmark-min-rounds=3 --benchmark-max-time=0.2 --benchmark-json=build/latency.json
