# make build   environment in .venv, then dbt build on the sample
# make test    everything that checks the project
# make report  what marketing opens: one page that works offline, in site/
# make docs    the dbt docs as one static page, in site/
# make registry-export    the fitted versions as a CSV that another machine can score with
#
# Your own orders:  make build VARS=my_shop.yml ORDERS=path/to/orders.parquet [CUSTOMERS=path]
# They are built into a database file named like the vars file (my_shop_segments.duckdb).

PYTHON ?= python3
BIN := .venv/bin
DBT := $(BIN)/dbt
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := build
.PHONY: build test report docs pictures registry-export benchmark requirements clean help

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

# ---- Build ------------------------------------------------------------------------------------
# With VARS, ORDERS or CUSTOMERS given, one --vars argument is made of them.

dbt_vars = $(if $(VARS)$(ORDERS)$(CUSTOMERS),--vars "$$(cat /dev/null $(if $(VARS),'$(VARS)'); \
	$(if $(ORDERS),printf "\norders_location: '%s'" '$(ORDERS)';) \
	$(if $(CUSTOMERS),printf "\ncustomers_location: '%s'" '$(CUSTOMERS)';))")
ifneq ($(VARS),)
export DUCKDB_PATH ?= $(shell basename '$(VARS)' | sed 's/[.][^.]*$$//')_segments.duckdb
endif

build: .venv/.installed
	@$(if $(VARS),test -r '$(VARS)' || { echo "VARS: there is no file '$(VARS)'."; exit 2; })
	@$(DBT) build $(dbt_vars)

# ---- Checks -----------------------------------------------------------------------------------
# dbt builds into a folder that is thrown away, so that nobody's database is touched.

test: .venv/.installed-dev
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	export DUCKDB_PATH="$$scratch/test.duckdb" DBT_TARGET_PATH="$$scratch/target" DBT_LOG_PATH="$$scratch/logs" && \
	echo "== ruff" && ruff check . && ruff format --check . && \
	echo "== mypy" && mypy && \
	echo "== dbt build" && dbt build && \
	echo "== sqlfluff" && sqlfluff lint --disable-progress-bar models analyses tests/singular && \
	echo "== pytest" && pytest

# ---- Site -------------------------------------------------------------------------------------
# Report and docs go into one folder, which any static host can serve; its index leads to both.

SITE ?= site

report: .venv/.installed
	@$(BIN)/customer-segmentation report --site '$(SITE)'

docs: .venv/.installed
	@$(DBT) docs generate --static $(dbt_vars)
	@$(BIN)/customer-segmentation docs --site '$(SITE)'

pictures: .venv/.installed-dev report
	@$(DBT) parse -q
	@PYTHONPATH=tools $(BIN)/python docs/pictures.py '$(SITE)/report/index.html' target/manifest.json

# ---- Registry ---------------------------------------------------------------------------------
# Commit the CSV and name it in the var registry_location: a fresh database then scores with it.

REGISTRY ?= registry.csv
registry-export: .venv/.installed
	@$(DBT) run-operation export_registry --args "{path: '$(REGISTRY)'}"

# ---- Upkeep -----------------------------------------------------------------------------------

benchmark: .venv/.installed
	@$(BIN)/python benchmarks/benchmark.py

# dbt-core's optional parser builds by downloading a program; nothing here uses it, so it is left out.
requirements: .venv/.installed
	@for name in requirements requirements-dev requirements-uv; do \
		echo "Resolving $$name.in ..."; \
		echo "dbt-core-experimental-parser ; python_version < '3'" | \
		$(BIN)/uv pip compile $$name.in --overrides /dev/stdin --universal --python-version 3.11 --upgrade \
			--generate-hashes --no-header --no-emit-index-url -q -o $$name.txt; \
	done

clean:
	rm -rf .venv target logs site

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile
