# Everything a person needs; .ci/run does the same in one go. `make` lists the commands.
#
# Wanted on the machine: Rust (rustup), Node 20 or newer, make. What else is missing is installed below this folder.
# Take care when adding a cargo invocation: another choice of packages resolves other features and compiles the
# dependencies once more. There are six: the Worker (wasm), its guardrails alone, the function (release), the simulator, all tests, the benchmark.

PROFILE ?= release
PORT ?= 8787
export PROFILE PORT

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
CARGO := cargo
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
# Packages that compile natively; the Worker does not.
NATIVE := --workspace --exclude signalbox-edge
FOLDER_release := release
FOLDER_debug := debug
FOLDER := $(or $(FOLDER_$(PROFILE)),$(error PROFILE is `release` or `debug`, not `$(PROFILE)`))

.PHONY: help dev dev-lambda test bench lint sizes fuzz deploy-edge deploy-lambda build-edge build-lambda clean

help:
	@echo 'make dev            the Worker on workerd at http://127.0.0.1:$(PORT)  (PORT=, STATE=memory, PROFILE=debug)'
	@echo 'make dev-lambda     the Lambda function behind a local Function URL, with a local DynamoDB'
	@echo 'make test           every test of both packages'
	@echo 'make lint           format, clippy, docs, wasm32, licences, sizes'
	@echo 'make fuzz           every fuzz target under libFuzzer (SECONDS_EACH=60; nightly Rust and a C++ compiler)'
	@echo 'make budget         twenty thousand requests against a hard budget, on each package; `make test` sends a fraction'
	@echo 'make openapi        schemathesis against both packages, at length  (EXAMPLES=100); `make test` asks a few questions'
	@echo 'make bench          the benchmarks; figures also in target/bench.json  (BENCH="--rounds 15 --only json")'
	@echo 'make deploy-edge    build and `wrangler deploy`'
	@echo 'make deploy-lambda  `sam build` and `sam deploy`  (ARCHITECTURE=x86_64, PARAMETERS="OpenAiApiKey=…")'
	@echo 'make clean          remove everything that was built; .signalbox/ stays'

dev: build-edge simulator
	@exec node edge/dev.mjs $(TARGET)/debug/simulator

dev-lambda: build-lambda
	@$(CARGO) build --quiet --package signalbox-tests --bin dev-lambda
	@exec $(TARGET)/debug/dev-lambda --bootstrap $(TARGET)/$(FOLDER)/bootstrap

test:
	@.ci/test

# Twenty thousand requests against one hard budget, on each package, and processes killed under way: minutes. `make test` sends
# a fraction.
.PHONY: budget
budget:
	$(CARGO) test $(NATIVE) --test budget -- --nocapture --test-threads=1

bench: PROFILE := release
bench: build-edge build-lambda peers
	@$(CARGO) build --quiet --profile worker --target wasm32-unknown-unknown --package signalbox-rails
	$(CARGO) run --config bench/cargo.toml --profile measure --package signalbox-tests --bin bench -- --bootstrap $(TARGET)/release/bootstrap \
		--rails $(TARGET)/wasm32-unknown-unknown/worker/signalbox_rails.wasm $(BENCH)

# The gateways that are measured beside us; nothing else installs them. A run without them says so and goes on.
.PHONY: peers
peers:
	@$(MAKE) --no-print-directory bench/node_modules/.package-lock.json && node bench/peers/build.mjs || \
	echo 'notice: the peers could not be installed; they are not measured'

# The upstream simulator alone: without DynamoDB it builds in seconds.
.PHONY: simulator
simulator:
	@$(CARGO) build --quiet --package signalbox-tests --no-default-features --bin simulator

build-edge: edge/node_modules/.package-lock.json
	@$(CARGO) run --quiet --package signalbox-tools --bin build-worker -- $(PROFILE)

build-lambda:
	@$(CARGO) build --quiet --package signalbox-lambda --bin bootstrap $(if $(filter release,$(FOLDER)),--release)

# npm writes this file when it is done.
%/node_modules/.package-lock.json: %/package.json %/package-lock.json
	cd $* && $(NPM_CI)
	@touch $@

# Python's SDKs, in an environment of their own. Without Python 3.11 and its venv they are left out, and their tests say so.
PYTHON ?= python3
CLIENTS_PYTHON := tests/clients/python/.venv
.PHONY: clients-python
clients-python:
	@if $(PYTHON) -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then $(MAKE) --no-print-directory $(CLIENTS_PYTHON)/installed; \
	else echo 'notice: no Python 3.11 with venv; the Python SDKs are not tested'; fi

# Schemathesis, which holds both packages against /openapi.json. Likewise left out where there is no such Python.
SCHEMATHESIS := tests/openapi/.venv
DENY := tools/deny/.venv
.PHONY: schemathesis openapi
schemathesis:
	@if $(PYTHON) -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then $(MAKE) --no-print-directory $(SCHEMATHESIS)/installed; \
	else echo 'notice: no Python 3.11 with venv; schemathesis is left out'; fi

# The same at length: another seed each time, chains of requests, minutes. `make test` asks a few questions of each operation.
openapi:
	OPENAPI_EXAMPLES=$(or $(EXAMPLES),100) $(CARGO) test $(NATIVE) --test openapi -- --nocapture --test-threads=1

# The locks are whole; the clients' overrules what one package asks of another: see overrides.txt beside it.
$(CLIENTS_PYTHON)/installed: tests/clients/python/requirements.txt
$(SCHEMATHESIS)/installed: tests/openapi/requirements.txt
$(DENY)/installed: tools/deny/requirements.txt
$(CLIENTS_PYTHON)/installed $(SCHEMATHESIS)/installed $(DENY)/installed:
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --only-binary :all: --requirement $<
	@touch $@

lint: sizes
	$(CARGO) fmt --all --check
	$(CARGO) clippy --quiet $(NATIVE) --all-targets -- -D warnings
	$(CARGO) clippy --quiet --package signalbox --package signalbox-edge --target wasm32-unknown-unknown -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --quiet $(NATIVE) --no-deps --document-private-items
	$(CARGO) check --quiet --package signalbox --target wasm32-unknown-unknown
	@$(MAKE) --no-print-directory deny

# Licences, bans and sources; with a cargo-deny of the machine's own advisories too, which it fetches from GitHub.
.PHONY: deny
deny:
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --log-level error check; \
	elif $(MAKE) --no-print-directory $(DENY)/installed; then $(DENY)/bin/cargo-deny --log-level error check licenses bans sources; \
	else echo 'notice: no cargo-deny, and no Python that brings it; licences were not checked'; fi

# What is deployed, weighed. The Worker's limit stands in tools/src/sizes.rs.
LAMBDA_LIMIT := 9000000
sizes: PROFILE := release
sizes: build-edge build-lambda
	@$(CARGO) run --quiet --package signalbox-tools --bin build-worker sizes
	@size=$$(wc -c < $(TARGET)/release/bootstrap); echo "bootstrap: $$size bytes (limit $(LAMBDA_LIMIT))"; test $$size -le $(LAMBDA_LIMIT)

fuzz:
	shared/fuzz/run

deploy-edge: edge/node_modules/.package-lock.json
	edge/node_modules/.bin/wrangler deploy

# What is built and what is deployed must be for the same processor.
ARCHITECTURE ?= arm64
RUST_arm64 := aarch64-unknown-linux-gnu
RUST_x86_64 := x86_64-unknown-linux-gnu
PARAMETERS_GIVEN = --parameter-overrides Architecture=$(ARCHITECTURE) $(PARAMETERS)

deploy-lambda:
	@command -v sam >/dev/null && command -v cargo-lambda >/dev/null || \
	{ echo 'sam and cargo-lambda are wanted: pip install aws-sam-cli cargo-lambda'; exit 1; }
	rustup target add $(or $(RUST_$(ARCHITECTURE)),$(error ARCHITECTURE is `arm64` or `x86_64`, not `$(ARCHITECTURE)`))
	sam validate
	sam build $(PARAMETERS_GIVEN)
	sam deploy $(PARAMETERS_GIVEN)

clean:
	$(CARGO) clean
	rm -rf edge/build edge/node_modules tests/clients/node_modules $(CLIENTS_PYTHON) $(SCHEMATHESIS) $(DENY) bench/build bench/node_modules shared/fuzz/target .aws-sam
