# `make demo` and `make test` work on a fresh machine: they check for what must be there, install what they may, build, and run.
# Builds are cached outside the checkout, so that a second clone starts warm. Override: make demo CARGO_TARGET_DIR=target

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
export CARGO_TARGET_DIR ?= $(HOME)/.cache/bartizan/target
BIN := $(CARGO_TARGET_DIR)/quick/bartizan

.PHONY: demo test build console check-tools fmt lint unit e2e tidy clean

demo: build
	@"$(BIN)" demo

# The same set of features as the tests have: what one of them built, the other finds.
build: console
	@echo "==> bartizan (the first build takes about ten minutes on two cores, later ones seconds)"
	@cargo build --profile quick --workspace --all-targets

console: check-tools console/dist/index.html

console/dist/index.html: console/package-lock.json $(shell find console/src console/public console/index.html console/vite.config.ts -type f 2>/dev/null)
	@echo "==> console (npm ci, vite build)"
	@cd console && npm ci --no-audit --no-fund --loglevel=error && npm run build
	@touch $@

check-tools:
	@tools/check-tools

test: build tidy lint unit e2e
	@echo "==> all tests passed"

fmt:
	@cargo fmt --all

tidy:
	@echo "==> tidy"
	@cargo xtask tidy

lint:
	@echo "==> format and clippy"
	@cargo fmt --all --check
	@cargo clippy --profile quick --workspace --all-targets -- -D warnings
	@if command -v cargo-deny >/dev/null; then cargo deny check; else echo "SKIPPED cargo deny: not installed (cargo install cargo-deny)"; fi

unit: console
	@echo "==> unit and integration tests"
	@cargo test --profile quick --workspace

e2e: build
	@"$(BIN)" rules test --output jsonl --quiet
	@tools/accept "$(BIN)"
	@tools/test-kills "$(BIN)"
	@tools/test-console "$(BIN)"
	@tools/test-milvus "$(BIN)"
	@tools/test-lake "$(BIN)"

clean:
	@rm -rf console/dist console/node_modules
