# One place for the commands that the README, the tests and CI call.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := sample_data
CODE := akb tests benchmarks examples fuzz scripts docs/conf.py
# make bench RIVALS=DIR MINUTES=120: environments of the peers (python -m benchmarks), and how long it may take.
RIVALS ?= out/rivals
MINUTES ?= 240
# Properties that make bench tries on more examples (AKB_EXAMPLES).
TRIED := tests/features tests/value/test_value_page_browser.py $(addprefix tests/ingest/test_ingest_,blocks.py policies.py time.py values.py)

.PHONY: help install eda test lint bench docs lock wheel sbom clean

help:
	@echo "make install   a virtual environment in .venv with everything that the lock file names"
	@echo "make eda       akb eda on the sample data, into out/eda/"
	@echo "make test      ruff, mypy --strict, the import contract, pytest"
	@echo "make bench     the measurements of benchmarks/ (slow)"
	@echo "make docs      the documentation as a site, offline, into out/docs/site/"
	@echo "make wheel     dist/akb-*.whl, for pipx, uv tool or pip"
	@echo "make sbom      out/sbom.cdx.json and docs/licences.md: what akb needs, and under which licence"
	@echo "make lock      write requirements.lock and those of benchmarks/ and docs/ anew (needs uv)"

install: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "akb needs Python 3.11 or newer as '$(PYTHON)'; name another with: make install PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'import ctypes, sys; sys.platform == "linux" and ctypes.CDLL("libgomp.so.1")' 2>/dev/null || { echo "LightGBM needs libgomp; on Debian or Ubuntu: apt-get install libgomp1" >&2; exit 1; }
	@touch $@

eda: install
	$(BIN)/akb eda $(SAMPLE)/polissen.csv $(SAMPLE)/schades.csv $(SAMPLE)/contacten.csv --out out/eda

lint: install
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports

# mypy has one processor, so it runs beside the tests; what it says comes after them. Python keeps what it compiled, even
# where it is told not to: the tests start akb dozens of times.
test: export PYTHONDONTWRITEBYTECODE =
test: install
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	@mkdir -p out; ($(BIN)/mypy && $(BIN)/lint-imports) >out/lint.log 2>&1 & linting=$$!; trap 'kill $$linting' INT TERM; \
	$(BIN)/pytest -n 2 --dist loadgroup; tested=$$?; \
	wait $$linting; linted=$$?; cat out/lint.log; exit $$((tested | linted))

bench: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements.lock
	$(BIN)/python -m benchmarks --minutes $(MINUTES) --rivals $(RIVALS)
	$(BIN)/python -m benchmarks.every
	AKB_KILLS=20 $(BIN)/pytest tests/end_to_end/test_eda_killed.py
	$(BIN)/pytest -n 2 --dist loadgroup -m slow
	AKB_EXAMPLES=8 $(BIN)/pytest -n 2 --dist loadgroup $(TRIED)

docs: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r docs/requirements.lock
	$(BIN)/python -m scripts.docs

lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --output-file requirements.lock
	uv pip compile pyproject.toml --extra dev --extra bench --constraint requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --output-file benchmarks/requirements.lock
	uv pip compile pyproject.toml --extra docs --constraint requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --output-file docs/requirements.lock

wheel: install
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

sbom: install
	$(BIN)/python -m scripts.sbom

clean:
	rm -rf out .pytest_cache .mypy_cache .ruff_cache .hypothesis
