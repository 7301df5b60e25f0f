# Every target sets up what it needs in .venv; `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
ARGS ?=
export PATH := $(CURDIR)/.venv/bin:$(PATH)

SERVER := .venv/.server
DEV := .venv/.dev
SCRIPTS := $(wildcard scripts/*.sh deploy/*.sh) .ci/run

.PHONY: help demo serve test test-slow lint format proto bench vectors container clean

help: ## this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(SERVER) ## start a server, compare arms on the bundled model, print the table
	steer demo $(ARGS)

serve: $(SERVER) ## serve the bundled model on 127.0.0.1:50051; ARGS="--model ..." for another
	steer serve $(ARGS)

test: $(DEV) ## all tests but the slow ones
	pytest -n auto --dist loadfile -m 'not slow and not container' $(ARGS)

test-slow: $(DEV) ## the tests that take minutes or fetch a real model
	pytest -m slow $(ARGS)

lint: $(DEV) ## every static check, and that the generated code is up to date
	ruff check
	ruff format --check
	mypy
	buf lint
	buf breaking --against protos/baseline.binpb
	tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	  mkdir "$$tmp/scripts"; cp -R protos "$$tmp"; cp scripts/proto.sh "$$tmp/scripts"; \
	  "$$tmp/scripts/proto.sh"; \
	  diff -r -x __init__.py -x __pycache__ "$$tmp/steer/v1" steer/v1 \
	    || { echo 'steer/v1 does not match protos/: run make proto' >&2; exit 1; }
	hadolint Dockerfile
	shellcheck $(SCRIPTS)

format: $(DEV) ## let ruff and buf rewrite the source
	ruff check --fix
	ruff format
	buf format -w

proto: $(DEV) ## regenerate steer/v1 from protos/
	scripts/proto.sh

bench: $(SERVER) ## the measurements of bench/
	python -m bench $(ARGS)

vectors: $(SERVER) ## make the bundled vectors again, compare them with those that ship
	python -m bench.vectors $(ARGS)

container: $(SERVER) ## build the image without a container engine, run it, check it (root, Debian)
	deploy/container.sh

clean: ## remove the environment and all caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist

# One environment, two stamps: the demo does not wait for the development tools.
$(SERVER): pyproject.toml constraints.txt
	@echo 'Setting up .venv (a minute or a few: it holds torch)'
	test -x .venv/bin/pip || $(PYTHON) -m venv --clear .venv
	.venv/bin/pip install --constraint constraints.txt --editable '.[server]'
	touch $@

$(DEV): $(SERVER)
	.venv/bin/pip install --constraint constraints.txt --editable '.[server,dev,oracles]'
	touch $@
