# make run: the main job, on this machine alone, with a pretend Instagram.   make test: everything CI runs as tests.
# Both set up what they need, once: a virtual environment from hash-locked requirements, and Debian packages for tests.

PYTHON ?= python3
VENV := .venv
PAGES := web/picker
BIN := $(VENV)/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get
BENCHES := feed_read image_rate image_fit kill_sync kill_publish publish_faults publish_overhead publish_burst token_year \
  scrape scrape_reject sse pages recipe_queue kill_queue unchanged engine nodes tenants chaos deliveries

.PHONY: run test test-full check fix fuzz audit bench lock script wheel sbom clean

run: $(VENV)/.run
	$(BIN)/tintype demo --data tintype-data

test: $(VENV)/.dev .system $(PAGES)/node_modules/.done
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -q

# The same tests with their houses on Postgres, Redis and an S3 double, where the test does not choose for itself.
test-full: $(VENV)/.dev .system $(PAGES)/node_modules/.done
	TINTYPE_TEST_PROFILE=full $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -q --timeout 300

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

fix: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Each dialect's OpenAPI against the dialect, ten thousand times, and as often the console and raw bytes; another seed than the
# suite's, so another ten thousand each day.
fuzz: $(VENV)/.dev
	FUZZ_CASES=10000 FUZZ_SEED=$$(date +%Y%m%d) $(BIN)/pytest -q -s --timeout=0 \
	  tests/api/test_schemas.py tests/api/test_console_fuzz.py tests/api/test_raw.py

# What is known about the versions that are locked; it asks the index that pip uses, and the advisories of PyPI.
audit: $(VENV)/.dev
	$(BIN)/python -m pip install -q --disable-pip-version-check "pip-audit>=2.10"
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements/run.txt

bench: $(VENV)/.dev
	for name in $(BENCHES); do PYTHONPATH=. $(BIN)/python bench/$$name.py || exit 1; done

# Hashes, no addresses: whoever installs uses the index that is set up there.
lock: $(VENV)/.dev
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --allow-unsafe \
	  pyproject.toml requirements/build.in -o requirements/run.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --allow-unsafe \
	  pyproject.toml requirements/build.in --extra dev -o requirements/dev.txt

# What a release consists of, beside the lock and the image: docs/operations/deploy.md.
wheel: $(VENV)/.run
	$(BIN)/python -m hatchling build -t wheel -d dist

sbom: $(VENV)/.run
	$(BIN)/python deploy/sbom.py requirements/run.txt dist/tintype.cdx.json

# What browsers load of the picker: type checked, and built into the package, where the result is committed.
script: $(PAGES)/node_modules/.done
	cd $(PAGES) && npm run --silent check && npm run --silent build

clean:
	rm -rf $(VENV) $(PAGES)/node_modules .system .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tintype needs Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(APT) update -q && $(APT) install -yq --no-install-recommends python3-venv; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run

$(PAGES)/node_modules/.done: $(PAGES)/package.json $(PAGES)/package-lock.json .system
	cd $(PAGES) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# What tests need beside Python packages: a browser, ffmpeg, and Node for the picker's scripts and their clients.
.system:
	@command -v chromium >/dev/null && command -v ffmpeg >/dev/null && command -v npm >/dev/null || \
	  { $(APT) update -q && $(APT) install -yq --no-install-recommends chromium ffmpeg nodejs npm; }
	@touch $@
