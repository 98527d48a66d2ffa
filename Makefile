# Two commands for a fresh machine: `make demo` and `make test`. Each does its own set-up.
SHELL := /bin/bash
PY := .venv/bin/python
STAMP := .venv/.ready

.PHONY: setup demo test lint bench accuracy picture lock clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml scripts/setup.sh
	@bash scripts/setup.sh
	@touch $@

demo: setup
	@bash scripts/demo.sh

test: setup
	@bash scripts/test.sh

lint: setup
	.venv/bin/ruff check src tests benchmarks
	.venv/bin/ruff format --check src tests benchmarks
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: setup
	$(PY) -m benchmarks.kernel
	$(PY) -m benchmarks.reader
	$(PY) -m benchmarks.process

accuracy: setup
	$(PY) -m benchmarks.accuracy

picture: setup
	@bash scripts/picture.sh

lock: setup
	.venv/bin/pip-compile --quiet --extra dev --generate-hashes --allow-unsafe --strip-extras --no-header --no-emit-index-url \
	  --no-emit-trusted-host --no-emit-find-links --no-annotate -o requirements.lock pyproject.toml

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache
