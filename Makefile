# A bare `make` lists what there is.

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
SECBEAT := $(TARGET)/release/secbeat
# Further arguments of the program behind a target: make quickstart ARGS='--backend http://127.0.0.1:8080'
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help build quickstart test lint bench bench-steering bench-waf health-check fuzz-smoke
.PHONY: docker-build docker-test bpf web deb conformance evaluate bench-kernel

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

build: ## the programs, optimised, in target/release
	@.ci/need cc:build-essential
	cargo build --release --locked

quickstart: build ## a protected sample site on this machine; more by ARGS, see `secbeat quickstart --help`
	@exec $(SECBEAT) quickstart $(ARGS)

test: ## all tests; installs what they need where it may
	@.ci/need cc:build-essential git:git curl:curl strace:strace ip:iproute2 faketime:faketime \
		/usr/include/modsecurity/modsecurity.h:libmodsecurity-dev \
		/usr/share/modsecurity-crs/owasp-crs.load:modsecurity-crs
	@.ci/schemathesis $(TARGET)/schemathesis
	cargo build --workspace --bins --locked
	SCHEMATHESIS_DIR=$(TARGET)/schemathesis SECBEAT_BIN_DIR=$(TARGET)/debug cargo test --workspace --locked $(ARGS)

lint: ## format, clippy, directions between crates, licences, length of files, links, documentation
	@.ci/need cc:build-essential git:git
	cargo fmt --all --check
	cargo xtask check-deps
	cargo xtask check-style
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' cargo doc --workspace --no-deps --document-private-items --locked

bench: export CARGO_TARGET_DIR = target
bench: ## side by side with nginx and HAProxy, into docs/benchmarks.md; about twenty minutes
	@.ci/need cc:build-essential nginx:nginx-light haproxy:haproxy wrk:wrk openssl:openssl prlimit:util-linux
	cargo build --release --locked
	cargo run --release --locked -p secbeat-bench -- run $(ARGS)

bench-steering: export CARGO_TARGET_DIR = target
bench-steering: ## what decisions, clients, API calls and the kill switch cost, into docs/benchmarks.md; about twelve minutes
	@.ci/need cc:build-essential nginx:nginx-light wrk:wrk setpriv:util-linux
	cargo build --release --locked
	cargo run --release --locked -p secbeat-bench -- steering $(ARGS)

# Debian's rule set, and the regression cases of its version: tests/regression/tests of coreruleset at v3.3.4.
CRS_RULES := /usr/share/modsecurity-crs/rules
CRS_SETUP := /etc/modsecurity/crs/crs-setup.conf
CRS_CASES ?= $(or $(SECBEAT_CORPORA),../shared/corpora)/crs-tests/3.3.4

conformance: ## the Core Rule Set's regression cases through a node, with Debian's rules; CRS_CASES is their folder
	@.ci/need cc:build-essential git:git
	@[ -d $(CRS_RULES) ] || .ci/need the-core-rule-set:modsecurity-crs
	@cargo xtask crs --rules $(CRS_RULES) --setup $(CRS_SETUP) --tests $(CRS_CASES) $(ARGS)

bench-waf: export CARGO_TARGET_DIR = target
bench-waf: ## what the Core Rule Set costs, beside nginx with ModSecurity, into docs/benchmarks.md; about half an hour
	@.ci/need cc:build-essential nginx:nginx-light setpriv:util-linux \
		/usr/lib/nginx/modules/ngx_http_modsecurity_module.so:libnginx-mod-http-modsecurity \
		/usr/share/modsecurity-crs/owasp-crs.load:modsecurity-crs
	cargo build --release --locked
	cargo run --release --locked -p secbeat-bench -- crs $(ARGS)

health-check: ## whether the node of this machine serves, and what it runs without
	@$(or $(wildcard $(SECBEAT)),secbeat) node status --allow-degraded $(ARGS)

fuzz-smoke: ## every fuzz target for twenty seconds; needs `cargo install cargo-fuzz`
	@cargo fuzz --version >/dev/null 2>&1 || { echo "cargo-fuzz is missing: cargo install cargo-fuzz" >&2; exit 2; }
	@set -e; for target in $$(cargo fuzz list); do \
		RUSTC_BOOTSTRAP=1 cargo fuzz run $$target -- -max_total_time=20; done

docker-build docker-test bpf web deb evaluate bench-kernel:
	@echo "make $@: not built in this version" >&2; exit 2
