# The short commands.  Meson does the building; see CONTRIBUTING.md.
#
#   make run       build the examples and run those named in RUNS
#   make run-NAME  build and run one example: make run-shapes ARGS="--help"
#   make replay    replay a recorded program, and write a page about it
#   make train     train a small network on the CPU and on OpenCL
#   make test      the fast tests, in five builds
#   make check     the slow tests (an hour): long torture, valgrind, fuzzing
#   make bench     the benchmarks; make bench-NAME runs one
#   make run-python     the part of `make run` that is in Python
#   make bench-python   the benchmarks of the Python package
#   make bench-ops-python   latebind.ops beside NumPy and PyTorch
#   make format    bring the C files into their layout
#   make lint      what can be said about the files without running them
#   make symbols   write src/exported-symbols.txt anew
#   make python-dev   build the Python package in place, for trying it out
#   make setup     install what is missing for run and test
#   make clean     remove build/

# The examples that `make run` runs, in order.  Add a name here and to
# examples/meson.build.
RUNS = shapes
ARGS =

RUN_BUILD = build/run
RUN_OPTIONS = -Dtests=disabled -Dexamples=enabled -Dcli=enabled

# What `make replay` replays.
TRACE = docutils
REPLAY = $(RUN_BUILD)/cli/latebind replay data/traces/$(TRACE).trace.xz \
    --expect data/traces/$(TRACE).counts --report build/replay

# What `make train` trains, and on which devices; a device that is not there is
# left out.  TRAIN="--model cnn" or "--model gpt" for the larger ones.
TRAIN = --model mlp
DEVICES = cpu opencl
TRAINER = LATEBIND_OPS_PLUGINS=$(RUN_BUILD)/ops/plugins \
    $(RUN_BUILD)/examples/training/train

# The package as it lies in the working tree, by the interpreter of .venv.
IN_PYTHON = PYTHONPATH=build/python-dev/site .venv/bin/python

.PHONY: help run run-python replay train test check bench bench-python \
    bench-ops-python format lint symbols setup python-dev python-site clean \
    run-build
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   make/  make/p' Makefile

run: run-build
	@set -e; for name in $(RUNS); do \
	    echo "== $$name"; $(RUN_BUILD)/examples/$$name $(ARGS); done
	@echo "== replay"; $(REPLAY)
	@$(MAKE) --no-print-directory train
	@$(MAKE) --no-print-directory run-python
	@echo "pages: build/report.html build/replay/replay.html" \
	    "build/training.html build/unparse.html"

# The job in Python: every module of the standard library, parsed and written
# back by generic functions; then an unchanged program on the drop-in.
run-python: python-site
	@echo "== unparse"; $(IN_PYTHON) examples/python/unparse
	@echo "== before and after"; $(IN_PYTHON) examples/python/before_after
	@$(IN_PYTHON) -m latebind report -o build/unparse.html \
	    examples/python/unparse/rules/expressions.py

python-site:
	@scripts/setup.sh run
	@PYTHON=.venv/bin/python scripts/py-dev.sh build/python-dev

replay: run-build
	@$(REPLAY) $(ARGS)

# The same program on every device.
train: run-build
	@set -e; for device in $(DEVICES); do \
	    echo "== train on $$device"; \
	    $(TRAINER) $(TRAIN) --device $$device --curve build/training.html \
	        $(ARGS) || test $$device != cpu; done

run-build:
	@scripts/setup.sh run
	@test -f $(RUN_BUILD)/build.ninja || { echo "configuring $(RUN_BUILD)"; \
	    meson setup $(RUN_BUILD) $(RUN_OPTIONS) >/dev/null || \
	    { cat $(RUN_BUILD)/meson-logs/meson-log.txt; exit 1; }; }
	@ninja -C $(RUN_BUILD) --quiet

run-%: run-build
	@$(RUN_BUILD)/examples/$* $(ARGS)

test:
	@scripts/setup.sh test
	@python3 scripts/run-tests.py

check:
	@scripts/setup.sh check
	@python3 scripts/run-tests.py --slow

# One tier alone: make tier-asan, make tier-valgrind
tier-%:
	@scripts/setup.sh test
	@python3 scripts/run-tests.py $*

bench:
	@scripts/setup.sh run bench
	@python3 scripts/run-bench.py

bench-python: python-site
	@scripts/setup.sh peers
	@$(IN_PYTHON) bench/python/main.py $(ARGS)

# NumPy and PyTorch are Debian's, so it is Debian's Python.
bench-ops-python: python-site
	@scripts/setup.sh run bench
	@python3 scripts/run-bench.py --build
	@PYTHONPATH=build/python-dev/site /usr/bin/python3 \
	    bench/python/operators.py build/bench/bench/forward.so $(ARGS)

bench-%:
	@scripts/setup.sh run bench
	@python3 scripts/run-bench.py $*

C_FILES = $(shell git ls-files -co --exclude-standard \
    '*.c' '*.h' '*.cpp' '*.hpp')

format:
	@scripts/setup.sh lint
	@clang-format -i $(C_FILES)
	@echo "formatted $(words $(C_FILES)) files"

lint:
	@scripts/setup.sh lint
	@PATH="$(CURDIR)/.venv/bin:$$PATH" scripts/lint.sh $(C_FILES)

symbols:
	@scripts/setup.sh run
	@test -f build/release/build.ninja || meson setup build/release >/dev/null
	@ninja -C build/release --quiet
	@python3 scripts/check-symbols.py --update \
	    --shared build/release/src/liblatebind.so \
	    --static build/release/src/liblatebind.a \
	    --list src/exported-symbols.txt
	@python3 scripts/check-symbols.py --update --prefix lbo_ \
	    --shared build/release/ops/liblatebind-ops.so \
	    --static build/release/ops/liblatebind-ops.a \
	    --list ops/exported-symbols.txt

setup:
	@scripts/setup.sh run test
	@echo "setup: everything for run and test is installed"

# A build of the Python package in place: build/python-dev/site for PYTHONPATH.
python-dev: python-site
	@echo "PYTHONPATH=$(CURDIR)/build/python-dev/site"

clean:
	rm -rf build
