# Set-up and everything after it. `make run` and `make test` need only python3 (>= 3.11), python3-venv and make.

SHELL := /bin/bash
export UV_PYTHON_DOWNLOADS := never
PYTHON ?= python3
UV := .tools/bin/uv
RUN := .venv/bin/python -m

.PHONY: run test check law setup lock clean

run: setup  ## Found a demonstration city, play the main job once, serve http://127.0.0.1:8000
	$(RUN) approval dev

# `make test TESTS=` runs the long tests too: the pages in Chromium beyond the road itself.
TESTS ?= -m "not long"

test: setup  ## The default suite, on SQLite; APPROVAL_TEST_DATABASE_URL runs it on PostgreSQL
	@bash deploy/browser.sh
	$(RUN) pytest -n 2 $(TESTS)

check: setup  ## Lint, types, stairs, security
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/bandit -q -r approval certificates -c pyproject.toml

law: setup  ## docs/law.md anew: article, rule, code, data, test
	.venv/bin/python deploy/law.py

setup: .venv/.ready static/vendor/.ready .venv/.words

.tools/.ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; found $$($(PYTHON) --version)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || { echo "python3-venv is needed: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check -r deploy/tools.txt
	@touch $@

.venv/.ready: .tools/.ready requirements.lock pyproject.toml
	@bash deploy/system.sh
	@test -x .venv/bin/python || $(UV) venv --quiet --python $(PYTHON) .venv
	$(UV) pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python .venv/bin/python --no-deps -e .
	@touch $@

static/vendor/.ready: .tools/.ready package-lock.json deploy/assets.mjs $(wildcard approval/expressions/*.mjs) \
  $(wildcard static/scripts/*.entry.mjs)
	@bash deploy/node.sh
	@touch $@

.venv/.words: .venv/.ready $(wildcard approval/translations/*/LC_MESSAGES/*.po)
	.venv/bin/pybabel --quiet compile -d approval/translations
	@touch $@

lock: .tools/.ready  ## Pin every dependency with its hashes
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --group dev pyproject.toml -o requirements.lock

clean:  ## Forget what set-up built; instance/ stays
	rm -rf .venv .tools node_modules static/vendor approval/expressions/feel.bundle.js
