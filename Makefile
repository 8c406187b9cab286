.DEFAULT_GOAL := help
.PHONY: help setup test lint types bench clean
BIN := .venv/bin

help:  ## show these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1	\2/' | expand -t 14

setup: $(BIN)/pytest  ## make .venv with everything for working on ganvas

$(BIN)/pytest: pyproject.toml constraints.txt
	python3 -m venv .venv
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	@touch $@

test: setup  ## run the tests
	$(BIN)/pytest

lint: setup  ## check style and layout
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup  ## check the types
	$(BIN)/mypy

bench: setup  ## measure the throughput against the tutorials' loop
	$(BIN)/python benchmarks/throughput.py

clean:  ## delete what tools leave behind; keeps .venv and runs
	rm -rf build .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
	find . -name '*.egg-info' -not -path './.venv*' -prune -exec rm -rf {} +
