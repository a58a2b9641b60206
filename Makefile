# Everything a person types. `make help` lists it.
.DEFAULT_GOAL := help
.PHONY: help setup demo bench quality test notebooks release lab lint clean

VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
# Two at a time suits a laptop with two cores; one thread each, or they get in each other's way.
JOBS ?= 2
export OMP_NUM_THREADS ?= 1
export PYTHON

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.complete  ## set up the virtual environment in .venv (the others do this themselves)

$(VENV)/.complete: pyproject.toml .ci/constraints.txt .ci/setup
	@sh .ci/setup

demo: setup  ## build the course and grade a simulated class, of the first week or of WEEKS=weekNN_topic
	@$(BIN)/python -m autograder demo $(WEEKS)

bench: setup  ## measure the grader beside stock nbgrader (some minutes); writes bench.json
	@$(BIN)/python -m autograder bench

quality: setup  ## measure the tests of the assignments, or of WEEKS=weekNN_topic
	@$(BIN)/python -m autograder quality $(WEEKS)

test: setup lint  ## run every test, and every notebook end to end
	@$(BIN)/python -m pytest -n $(JOBS) --no-loadscope-reorder --nbmake --nbmake-timeout=300 --durations=30 --durations-min=10 tests notebooks source

lint: setup
	@$(BIN)/python -m ruff check --quiet .
	@$(BIN)/python -m ruff format --check --quiet .

notebooks: setup  ## build the .ipynb files from their text twins
	@$(BIN)/python -m autograder notebooks

release: notebooks  ## make the learners' copies in release/
	@$(BIN)/python -m autograder release

lab: setup  ## open JupyterLab, ready for nbgrader
	@# A fresh checkout gives twins any order in time, and JupyterLab refuses a text older than its notebook.
	@$(BIN)/python -m autograder notebooks >/dev/null 2>&1 || true
	@$(BIN)/python -m jupyter lab $(LAB_ARGS)

clean:  ## remove what the demo and the tests made (not .venv, not a gradebook)
	@rm -rf build .pytest_cache .ruff_cache
