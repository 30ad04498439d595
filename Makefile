# make demo   the main job on a synthetic film: needs Python 3.11 to 3.13 and g++
# make test   everything the project promises, in an environment of its own
PYTHON ?= python3
VENV ?= .venv
TEST_VENV ?= .venv-test
WHEELS := build/wheels
PIP := -m pip --disable-pip-version-check

.PHONY: demo test

demo:
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python $(PIP) install -q -c constraints.txt ".[cpu]"
	$(VENV)/bin/spinert infer examples/study.dcm

test:
	$(PYTHON) -m venv $(TEST_VENV)
	rm -rf $(WHEELS)
	$(TEST_VENV)/bin/python $(PIP) wheel -q --no-deps -c constraints.txt -w $(WHEELS) .
	$(TEST_VENV)/bin/python $(PIP) install -q -c constraints.txt --find-links $(WHEELS) "spinert[cpu,codecs,export,dev]"
	$(TEST_VENV)/bin/ruff check .
	$(TEST_VENV)/bin/ruff format --check .
	$(TEST_VENV)/bin/mypy
	$(TEST_VENV)/bin/lint-imports
	SPINERT_WHEEL="$$(ls $(WHEELS)/spinert-*.whl)" $(TEST_VENV)/bin/python -m pytest --cov --cov-report=term
	$(TEST_VENV)/bin/python -m pytest -q benchmarks/test_latency.py \
	    --benchmark-min-rounds=3 --benchmark-max-time=0.2 --benchmark-json=build/latency.json
