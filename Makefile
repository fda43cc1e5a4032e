# make help lists the targets.
#
# Your own orders:  make build VARS=my_shop.yml ORDERS=path/to/orders.parquet [CUSTOMERS=path]
# They are built into a database file named like the vars file (my_shop_segments.duckdb).

PYTHON ?= python3
BIN := .venv/bin
DBT := $(BIN)/dbt
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := build
.PHONY: build test browser lint unit mutations hostile-files postgres postgres-test spark spark-test test-install hooks report export docs pictures registry-export benchmark requirements licences clean help

# ---- Environment ------------------------------------------------------------------------------
# uv installs in a third of pip's time and compiles bytecode with all cores, which halves dbt's
# start-up. pip is asked if uv can't, since it knows mirrors and proxies that uv may not be told of.

define install
	@echo "Installing $(1) ..."
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --require-hashes --compile-bytecode -r $(1) \
		|| $(BIN)/pip install -q --no-deps --require-hashes -r $(1)
endef

.venv/.installed: requirements.txt requirements-uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ". Name one: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@echo "Creating .venv ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements-uv.txt
	$(call install,requirements.txt)
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-index --no-build-isolation -e .
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.txt
	$(call install,requirements-dev.txt)
	@touch $@

.venv/.installed-postgres: .venv/.installed requirements-postgres.txt
	$(call install,requirements-postgres.txt)
	@touch $@

.venv/.installed-spark: .venv/.installed requirements-spark.txt
	$(call install,requirements-spark.txt)
	@touch $@

# ---- Build ------------------------------------------------------------------------------------
# VARS, ORDERS and CUSTOMERS reach the command in its environment as they were written: neither make nor a
# shell looks at what is in them.

unexport VARS ORDERS CUSTOMERS
define shop
$(if $(value VARS),$(eval export SHOP_VARS := $$(value VARS)))
$(if $(value ORDERS),$(eval export SHOP_ORDERS := $$(value ORDERS)))
$(if $(value CUSTOMERS),$(eval export SHOP_CUSTOMERS := $$(value CUSTOMERS)))
endef
$(shop)

build: .venv/.installed  ## environment in .venv, then dbt build on the sample
	@$(BIN)/customer-segmentation build

postgres: .venv/.installed-postgres  ## what the target postgres needs
	@echo "dbt build --target postgres works now: PGHOST, PGUSER, PGPASSWORD and PGDATABASE say where."

spark: .venv/.installed-spark  ## what the target spark needs, beside Java
	@echo "customer-segmentation build --target spark works now: SPARK_MASTER says where, as in spark://host:7077."

# ---- Checks -----------------------------------------------------------------------------------
# dbt builds into a folder that is thrown away, so that nobody's database is touched.

in_scratch = scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	export DUCKDB_PATH="$$scratch/test.duckdb" DBT_TARGET_PATH="$$scratch/target" \
		DBT_LOG_PATH="$$scratch/logs" DBT_LOG_LEVEL_FILE=none

# The browser comes first: what is missing is told in the first seconds, not after the build. Then lint beside
# everything else: the sample's build, which the tests are handed, and three test files at a time.
test: browser  ## everything that checks the project
	@$(in_scratch) && export SAMPLE_BUILD="$$scratch/sample" && mkdir "$$SAMPLE_BUILD" || exit 1; \
	status=1; $(MAKE) -s lint > "$$scratch/lint" 2>&1 & lint=$$!; \
	echo "== dbt build, and lint beside it" && \
	DUCKDB_PATH="$$SAMPLE_BUILD/sample.duckdb" DBT_TARGET_PATH="$$SAMPLE_BUILD/target" dbt build && \
	echo "== pytest" && pytest -n 3 --dist loadfile && status=0; \
	wait $$lint || status=1; cat "$$scratch/lint"; exit $$status

browser: .venv/.installed-dev  ## the browser for the tests: found, or fetched where nobody minds
	@$(BIN)/python tools/browser.py

lint: .venv/.installed-dev  ## ruff, mypy and sqlfluff
	@$(in_scratch) && \
	echo "== ruff" && ruff check . && ruff format --check . && \
	echo "== mypy" && mypy && \
	echo "== sqlfluff" && sqlfluff lint --disable-progress-bar models analyses tests/singular

unit: .venv/.installed-dev  ## the tests that need neither dbt nor a browser, in seconds
	@pytest -q -m "not slow"

postgres-test: .venv/.installed-dev  ## starts a Postgres, builds the sample there with all tests, compares, stops it
	@$(BIN)/pytest tests/python/test_engines.py

spark-test: .venv/.installed-dev .venv/.installed-spark  ## starts Spark with two workers, and does the same there
	@ENGINE=spark $(BIN)/pytest tests/python/test_spark_builds.py tests/python/test_engines.py

mutations: .venv/.installed-dev  ## breaks the code in 60 places, one at a time: does a test notice?
	@$(BIN)/python tools/mutations.py

hostile-files: .venv/.installed-dev  ## 500 hostile exports: each in the ledger, or refused in a sentence
	@HOSTILE_FILES=500 pytest -q -s tests/python/test_hostile_files.py

# What README.md says to do without make, in an environment of its own and not editable.
test-install:  ## the way without make: pip, then dbt build and the report
	@$(in_scratch) && unset PYTHONPATH && \
	$(PYTHON) -m venv "$$scratch/venv" && export PATH="$$scratch/venv/bin:$$PATH" && \
	echo "== pip install" && \
	pip install -q --disable-pip-version-check --no-deps -r requirements.txt && \
	pip install -q --disable-pip-version-check --no-deps . && \
	echo "== dbt build" && dbt build -q && \
	customer-segmentation report --site "$$scratch/site"

hooks: .venv/.installed-dev  ## before each commit: ruff, mypy, and sqlfluff on changed SQL
	@$(BIN)/pre-commit install

# ---- Site -------------------------------------------------------------------------------------
# Report and docs go into one folder, which any static host can serve; its index leads to both.

SITE ?= site
override export SITE := $(value SITE)

report: .venv/.installed  ## what marketing opens: one page that works offline, in site/
	@$(BIN)/customer-segmentation report --site "$$SITE"

export: .venv/.installed  ## the lists as CSV and XLSX, in export/
	@$(BIN)/customer-segmentation export

docs: .venv/.installed  ## the dbt docs as one static page and the lineage, in site/
	@$(BIN)/customer-segmentation docs --generate --site "$$SITE"

pictures: .venv/.installed-dev report  ## the pictures of README.md and docs/architecture.md
	@$(DBT) parse -q
	@manifest=$$PWD/target/manifest.json && $(in_scratch) && \
	$(BIN)/customer-segmentation build --vars-file examples/continuous_shop.yml && \
	$(BIN)/customer-segmentation report --site "$$scratch/site" && \
	PYTHONPATH=tools $(BIN)/python docs/pictures.py "$$SITE/report/index.html" "$$scratch/site/report/index.html" "$$manifest"

# ---- Registry ---------------------------------------------------------------------------------
# Commit the CSV and name it in the var registry_location: a fresh database then scores with it.

REGISTRY ?= registry.csv
override export REGISTRY := $(value REGISTRY)
registry-export: .venv/.installed  ## the fitted versions as a CSV that another machine can score with
	@$(BIN)/customer-segmentation export-registry -- "$$REGISTRY"

# ---- Upkeep -----------------------------------------------------------------------------------

benchmark: .venv/.installed-dev  ## time and memory of large shops, of CUSTOMERS="0 100000 1000000"
	@$(BIN)/python benchmarks/benchmark.py $(if $(CUSTOMERS),--customers $(CUSTOMERS))

# dbt-core's optional parser builds by downloading a program; nothing here uses it, so it is left out.
# With UPGRADE= (nothing) the other pins stay as they are.
UPGRADE ?= --upgrade
requirements: .venv/.installed  ## resolves requirements*.in anew, pinned and hashed
	@for name in requirements requirements-postgres requirements-spark requirements-dev requirements-uv requirements-audit; do \
		echo "Resolving $$name.in ..."; \
		echo "dbt-core-experimental-parser ; python_version < '3'" | \
		$(BIN)/uv pip compile $$name.in --overrides /dev/stdin --universal --python-version 3.11 $(UPGRADE) \
			--generate-hashes --no-header --no-emit-index-url -q -o $$name.txt; \
	done

licences: .venv/.installed  ## the table of licences in docs/security.md, of what is installed
	@$(BIN)/python tools/licences.py

clean:  ## removes what make made, but no database
	rm -rf .venv target logs site

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## /\1|/p' Makefile | while IFS='|' read -r target text; do \
		printf 'make %-16s %s\n' "$$target" "$$text"; \
	done
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile | tail -n +2
