# The commands a person types. `make` alone lists them.

.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON_ENV := .venv/bin/python
JOBS ?= $(shell nproc)
CMAKE_LISTS := CMakePresets.json CMakeLists.txt \
  $(shell find cmake libcompress plugins models tools python tests -name CMakeLists.txt -o -name '*.cmake')

SECONDS ?= 60
PREFIX ?= /usr/local

.PHONY: help setup build python install demo test test-quick lint format docs asan fuzz benchmark benchmark-criteria benchmark-quantization clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do \
	  printf '  make %-18s %s\n' "$$name" "$$text"; done

setup:  ## install missing Debian packages and make .venv; does nothing the second time
	@tools/setup/packages.sh
	@tools/setup/compiler.sh
	@tools/setup/venv.sh

build/%/build.ninja: $(CMAKE_LISTS)
	@cmake --preset $*

build: setup  ## configure and build the command into build/release/bin
	@$(MAKE) --no-print-directory build/release/build.ninja
	@cmake --build --preset release --target libcompress_command -j $(JOBS)

python: setup  ## build the Python package into build/release/python
	@$(MAKE) --no-print-directory build/release/build.ninja
	@cmake --build --preset release --target libcompress_python -j $(JOBS)

install: build  ## install the command, the library and its headers into PREFIX=/usr/local, for plugins of your own
	@cmake --install build/release --prefix $(PREFIX)

demo: build  ## run the main job on made sounds into runs/demo, end by listing what it left
	@build/release/bin/libcompress run examples/demo.yaml --out runs/demo
	@echo; echo "The run folder:"; find runs/demo -type f | sort | sed 's/^/  /'

test: setup  ## build, lint, every C++ and Python test; one closing line of counts
	@$(PYTHON_ENV) tools/test.py --build --lint --jobs $(JOBS)

test-quick: setup  ## build and the tests that are not slow, no lint
	@$(PYTHON_ENV) tools/test.py --build --quick --jobs $(JOBS)

lint: setup  ## clang-format, ruff, clang-tidy and the rules of the rooms
	@$(MAKE) --no-print-directory build/release/build.ninja
	@$(PYTHON_ENV) tools/lint/lint.py --jobs $(JOBS)

format: setup  ## format every tracked C++ and Python file in place
	@$(PYTHON_ENV) tools/lint/lint.py --fix

docs: build  ## bring the pages of docs/ that repeat what programs say up to date
	@$(PYTHON_ENV) tools/docs.py build/release/bin/libcompress
	@cmake --build --preset release --target onnx_backend -j $(JOBS)
	@$(PYTHON_ENV) tools/onnx_backend.py build/release/bin/onnx_backend

asan: setup  ## build with AddressSanitizer and UBSan, run the C++ tests that are not slow
	@$(PYTHON_ENV) tools/test.py --build --preset asan --quick --no-python --jobs $(JOBS)

fuzz: setup  ## fuzz the readers of foreign files, each for SECONDS=60
	@$(PYTHON_ENV) tools/fuzz.py --build --seconds $(SECONDS) --jobs $(JOBS)

benchmark: python  ## measure Torch-Pruning and libcompress in one run, and a chain of 10,000 layers
	@$(PYTHON_ENV) -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@cmake --build --preset release --target benchmark_chain -j $(JOBS)
	@$(PYTHON_ENV) benchmarks/run.py

benchmark-criteria: build python  ## compare the accuracy that criteria keep, beside Torch-Pruning's; resumable, hours
	@$(PYTHON_ENV) -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@$(PYTHON_ENV) benchmarks/criteria.py

benchmark-quantization: build python  ## compare the accuracy in 8 bits with onnxruntime's quantizer and NNCF; minutes
	@$(PYTHON_ENV) -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@$(PYTHON_ENV) benchmarks/quantization.py

clean:  ## remove build folders and caches; keep .venv and runs
	rm -rf build .cache .pytest_cache .ruff_cache
