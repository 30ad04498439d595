# make demo   the main job on a synthetic film: needs Python 3.11 to 3.13 and g++
# make test   everything the project promises, in an environment of its own
# make sanitize   after make test: the kernels under AddressSanitizer and UndefinedBehaviorSanitizer
PYTHON ?= python3
VENV ?= .venv
TEST_VENV ?= .venv-test
WHEELS := build/wheels
PIP := -m pip --disable-pip-version-check
# by environment, because these reach the isolated build of the native module too
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_BUILD_CONSTRAINT := $(PIP_CONSTRAINT)

.PHONY: demo test sanitize

demo:
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python $(PIP) install -q ".[cpu,openvino]"
	$(VENV)/bin/spinert infer examples/study.dcm

test:
	$(PYTHON) -m venv $(TEST_VENV)
	rm -rf $(WHEELS)
	$(TEST_VENV)/bin/python $(PIP) wheel -q --no-deps -w $(WHEELS) .
	$(TEST_VENV)/bin/python $(PIP) install -q "$$(ls $(WHEELS)/spinert-*.whl)[cpu,openvino,calibrate,codecs,export,dev]"
	$(TEST_VENV)/bin/ruff check .
	$(TEST_VENV)/bin/ruff format --check .
	$(TEST_VENV)/bin/mypy
	$(TEST_VENV)/bin/lint-imports
	SPINERT_WHEEL="$$(ls $(WHEELS)/spinert-*.whl)" $(TEST_VENV)/bin/python -m pytest --cov --cov-report=term
	$(TEST_VENV)/bin/python -m pytest -q benchmarks/test_latency.py \
	    --benchmark-min-rounds=3 --benchmark-max-time=0.2 --benchmark-json=build/latency.json

# the interpreter is not instrumented, so the sanitizers' libraries are loaded before it; it keeps some memory for good
SANITIZED := build/sanitized
RUNTIMES = $(foreach name,asan ubsan stdc++,$(shell $(or $(CXX),g++) -print-file-name=lib$(name).so))

sanitize:
	rm -rf $(SANITIZED)
	$(TEST_VENV)/bin/python $(PIP) wheel -q --no-deps -w $(SANITIZED) -C cmake.define.SPINERT_SANITIZE=ON \
	    -C cmake.define.CMAKE_CUDA_COMPILER=NOTFOUND -C build-dir=$(SANITIZED)/build .
	$(TEST_VENV)/bin/python $(PIP) install -q --no-deps --target $(SANITIZED)/site $(SANITIZED)/spinert-*.whl
	LD_PRELOAD="$(RUNTIMES)" ASAN_OPTIONS=detect_leaks=0 SPINERT_SANITIZED=1 PYTHONPATH=$(SANITIZED)/site \
	    $(TEST_VENV)/bin/python -m pytest -q tests/kernels
