# `make run` and `make test` are all that a fresh machine with Rust, Node 20 and make needs.
# `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

CARGO ?= cargo

# npm packages: the pages, and what tests and examples need of JavaScript (a folder may be absent).
NPM_FOLDERS := $(patsubst %/package-lock.json,%,$(wildcard tests/*/package-lock.json tests/otel/js/package-lock.json examples/package-lock.json))
# Python packages of the clients of OpenTelemetry. The copy of their list says that they are installed.
OTEL_PYTHON := target/otel-venv/requirements.txt
# And those of what tries out the APIs.
REST_PYTHON := target/rest-venv/requirements.txt
# What reads Parquet.
TABLES_PYTHON := target/tables-venv/requirements.txt
WEB_SOURCES := $(shell find web/src web/docs web/build web/index.html web/vite.config.ts web/vite.docs.config.ts -type f)
WEB_PAGE := web/dist/docs/index.html

##@ Use

.PHONY: run
run: web ## build everything, then a demo: scripted agents at work on http://127.0.0.1:4000/graphiql
	$(CARGO) run --release --locked --bin dendro -- demo

.PHONY: build
build: web ## the release binary, with its pages inside: target/release/dendro
	$(CARGO) build --release --locked

.PHONY: dist
dist: web ## the fastest binary, compiled by a profile of its own work: target/dist/dendro (takes half an hour)
	tools/dist.sh

##@ Check

.PHONY: test
test: fmt lint deny web-check suite ## everything that has to hold before a change lands

.PHONY: fmt
fmt: ## is the Rust code formatted?
	$(CARGO) fmt --all -- --check

.PHONY: lint
lint: ## clippy, with every warning an error
	$(CARGO) clippy --locked --all-targets -- -D warnings

.PHONY: deny
deny: | tools ## licences and sources of all dependencies (needs no network)
	$(CARGO) deny --log-level error check licenses bans sources

.PHONY: web-check
web-check: web ## types and samples of the pages
	cd web && npm run --silent check

.PHONY: suite
suite: web tools $(NPM_FOLDERS:%=%/node_modules/.stamp) $(OTEL_PYTHON) $(REST_PYTHON) $(TABLES_PYTHON) ## all Rust tests, and through them the clients, the examples and the browser
	if $(CARGO) nextest --version >/dev/null 2>&1; \
	then $(CARGO) nextest run --locked && $(CARGO) test --locked --doc; \
	else $(CARGO) test --locked; fi # without names of targets it builds the examples too

.PHONY: tools
tools: # what the tests need and the machine lacks
	tests/tools.sh

##@ Build

.PHONY: web
web: $(WEB_PAGE) ## the pages that the binary embeds: web/dist

.PHONY: schema
schema: ## write schema.graphql anew from the code
	$(CARGO) run --locked --bin dendro -- schema > schema.graphql.new
	mv schema.graphql.new schema.graphql

.PHONY: openapi
openapi: ## write openapi.json anew from the code
	$(CARGO) run --locked --bin dendro -- openapi > openapi.json.new
	mv openapi.json.new openapi.json

.PHONY: pictures
pictures: web tests/browser/node_modules/.stamp ## take the README's pictures anew, of a demo at work
	$(CARGO) build --locked --bin dendro
	node tests/browser/pictures.mjs target/debug/dendro docs

.PHONY: clean
clean: ## remove what was built
	$(CARGO) clean
	find web/dist -mindepth 1 ! -name .gitkeep -delete
	rm -rf web/node_modules tests/*/node_modules tests/otel/js/node_modules examples/node_modules

.PHONY: help
help: ## this text
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(WEB_PAGE): web/node_modules/.stamp web/package.json $(WEB_SOURCES)
	cd web && npm run --silent build

$(OTEL_PYTHON): tests/otel/python/requirements.txt | tools
$(REST_PYTHON): tests/rest/requirements.txt | tools
$(TABLES_PYTHON): tests/tables/requirements.txt | tools
$(OTEL_PYTHON) $(REST_PYTHON) $(TABLES_PYTHON):
	python3 -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	cp $< $@

# The stamp makes npm run only when the lock has changed.
%/node_modules/.stamp: %/package-lock.json
	cd $* && npm ci
	touch $@
