# libdmsc: `make demo` and `make check` are all a new user needs.

CARGO   ?= cargo
CC      ?= cc
CXX     ?= c++
PREFIX  ?= /usr/local
BUILD   := build
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SONAME  := libdmsc.so.0
WARN    := -Wall -Wextra -pedantic -Werror

# How long `make fuzz` runs each target.
SECONDS ?= 60

.PHONY: all demo examples check check-oracle check-pysim crash soak kill wiping pull browser tsan fuzz lint test bench lib header memcheck deps deps-check deps-bench install clean FORCE

all: lib

deps:
	@scripts/deps.sh build
deps-check:
	@scripts/deps.sh check
deps-bench:
	@scripts/deps.sh bench

# One crate type a build: with rlib beside cdylib Cargo drops LTO.
lib: $(BUILD)/libdmsc.so $(BUILD)/libdmsc.a

$(BUILD)/libdmsc.so: deps FORCE
	$(CARGO) rustc --release --locked --features wipe --lib --crate-type cdylib
	@mkdir -p $(BUILD)
	@cp -u target/release/libdmsc.so $(BUILD)/libdmsc.so.$(VERSION)
	@ln -sf libdmsc.so.$(VERSION) $(BUILD)/$(SONAME)
	@ln -sf $(SONAME) $@

$(BUILD)/libdmsc.a: deps FORCE
	$(CARGO) rustc --release --locked --features wipe --lib --crate-type staticlib
	@mkdir -p $(BUILD)
	@cp -u target/release/libdmsc.a $@

$(BUILD)/libuicc_sim.so: deps FORCE
	$(CARGO) rustc --release --locked -p uicc-sim --lib --crate-type cdylib
	@mkdir -p $(BUILD)
	@cp -u target/release/libuicc_sim.so $@

EXAMPLES := $(patsubst examples/%.c,$(BUILD)/%,$(wildcard examples/*.c))

$(EXAMPLES): $(BUILD)/%: examples/%.c examples/simulated_card.h include/dmsc.h \
                         uicc-sim/include/uicc_sim.h $(BUILD)/libdmsc.so $(BUILD)/libuicc_sim.so
	$(CC) -std=c99 -O2 $(WARN) -Iinclude -Iuicc-sim/include -o $@ $< -L$(BUILD) -ldmsc -luicc_sim \
	    -Wl,-rpath,'$$ORIGIN'

# The programs of examples/; those that need no reader are run.
examples: $(EXAMPLES)
	@rm -rf $(BUILD)/host-tree && mkdir -p $(BUILD)/host-tree
	@$(BUILD)/host_tree uicc-sim/profiles/host-tree.toml $(BUILD)/host-tree
	@rm -rf $(BUILD)/firmware-store && mkdir -p $(BUILD)/firmware-store
	@$(BUILD)/firmware $(BUILD)/firmware-store uicc-sim/profiles/firmware.toml

# Twice on one store: the second run finds its account and does not bootstrap again.
demo: $(BUILD)/demo
	@rm -rf $(BUILD)/demo-store && mkdir -p $(BUILD)/demo-store
	@$(BUILD)/demo $(BUILD)/demo-store
	@echo; echo "=== phone and card are switched on again ==="; echo
	@$(BUILD)/demo $(BUILD)/demo-store

lint: deps-check
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) clippy --lib --no-default-features --locked -- -D warnings
	$(CARGO) check --manifest-path fuzz/Cargo.toml --locked

test: deps-check
	$(CARGO) test --workspace --locked

check: lint test memcheck

# Against libwbxml and Wireshark, with more documents than `test` takes time for.
check-oracle: deps-check
	DMSC_ORACLE_DOCUMENTS=10000 $(CARGO) test --locked --test oracle_wbxml --test oracle_tshark

# The simulated card read by pySim: PYSIM is a checkout of it, PYTHON an interpreter that has its requirements.
check-pysim: deps-check
	@test -d "$(PYSIM)" || { echo "PYSIM=path of a pySim checkout is needed"; exit 1; }
	PYSIM="$(abspath $(PYSIM))" $(CARGO) test --locked --test pcscd pysim:: -- --nocapture

# A process is killed a thousand times in the middle of its work on the store.
crash: deps-check
	DMSC_CRASH_ROUNDS=1000 $(CARGO) test --locked --test store_crash -- --nocapture | grep -v '^step'

# A simulated day of everything at once, with four seeds.
soak: deps-check
	DMSC_SOAK_HOURS=24 DMSC_SOAK_SEEDS=4 $(CARGO) test --locked --test soak -- --nocapture

# A client is killed 200 times in the middle of bootstraps and sessions, and started again.
kill: deps-check
	DMSC_KILL_ROUNDS=200 $(CARGO) test --locked --test kill -- --nocapture

# A card is pulled out of a PC/SC reader at every exchange of the whole flow, and put back.
pull: deps-check
	DMSC_PULL_STEP=1 DMSC_TEST_SECONDS=1800 $(CARGO) test --locked --test pcscd pull:: -- --nocapture

# A real browser loads a page of the card's web server through the gateway.
BROWSER ?= chromium
browser: deps-check
	DMSC_BROWSER="$(BROWSER)" $(CARGO) test --locked --test gateway a_browser -- --nocapture

# What is left of secrets in a process, as it is built for release: there values are moved in other ways.
wiping: deps-check
	$(CARGO) test --release --locked --test wiping

# Readers and a writer of the store under ThreadSanitizer, the standard library too: needs a nightly
# toolchain with rust-src.
TSAN_TARGET := $(shell rustc -vV | sed -n 's/^host: //p')
tsan: deps-check
	RUSTFLAGS=-Zsanitizer=thread TSAN_OPTIONS=halt_on_error=1 CARGO_TARGET_DIR=$(CURDIR)/target/tsan \
	    $(CARGO) +nightly test --locked -Zbuild-std --target $(TSAN_TARGET) \
	    --no-default-features --features redb --test store_threads -- --nocapture

# Every fuzz target one after the other; stops at the first finding. RUSTC_BOOTSTRAP lets a stable
# compiler instrument the code.
fuzz: deps-check
	@command -v cargo-fuzz >/dev/null || $(CARGO) install cargo-fuzz --locked
	@mkdir -p $(BUILD)
	rustc --edition 2024 -o $(BUILD)/fuzz-seeds fuzz/seeds.rs && $(BUILD)/fuzz-seeds
	for target in $$($(CARGO) fuzz list); do \
	    RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run $$target -- -max_total_time=$(SECONDS) -timeout=10 \
	        -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 -verbosity=0 || exit 1; \
	done

VALGRIND := valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite,indirect,possible \
            --error-exitcode=9

# The C examples under valgrind: no error, no leak.
memcheck: deps-check $(EXAMPLES)
	@rm -rf $(BUILD)/memcheck-store && mkdir -p $(BUILD)/memcheck-store
	$(VALGRIND) $(BUILD)/demo $(BUILD)/memcheck-store >/dev/null
	@rm -rf $(BUILD)/host-tree && mkdir -p $(BUILD)/host-tree
	$(VALGRIND) $(BUILD)/host_tree uicc-sim/profiles/host-tree.toml $(BUILD)/host-tree >/dev/null
	@rm -rf $(BUILD)/memcheck-store && mkdir -p $(BUILD)/memcheck-store
	$(VALGRIND) $(BUILD)/firmware $(BUILD)/memcheck-store uicc-sim/profiles/firmware.toml >/dev/null
	@echo "valgrind: no error, no leak"

# The table of docs/performance.md, the peers' figures in it.
bench: deps-bench
	@mkdir -p $(BUILD)
	$(CC) -std=c11 -O2 -Wall -Wextra $$(pkg-config --cflags libwbxml2 libxml-2.0) -o $(BUILD)/peer-codec \
	    benches/peer/codec.c $$(pkg-config --libs libwbxml2 libxml-2.0)
	PEER=$(CURDIR)/$(BUILD)/peer-codec $(CARGO) bench --locked --bench codec
	$(CARGO) bench --locked --bench tree
	$(CARGO) bench --locked --bench session
	$(CARGO) bench --locked --bench client

# Writes include/dmsc.h anew; a test fails when it is not fresh.
header:
	DMSC_WRITE_HEADER=1 $(CARGO) test --locked --test header -- the_header_is_fresh

install: lib
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include
	install -m 644 include/dmsc.h $(DESTDIR)$(PREFIX)/include/
	install -m 644 $(BUILD)/libdmsc.a $(DESTDIR)$(PREFIX)/lib/
	install -m 755 $(BUILD)/libdmsc.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/
	ln -sf libdmsc.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(PREFIX)/lib/libdmsc.so
	sed -e 's,@PREFIX@,$(PREFIX),' -e 's,@VERSION@,$(VERSION),' libdmsc.pc.in \
	    > $(DESTDIR)$(PREFIX)/lib/pkgconfig/libdmsc.pc

clean:
	rm -rf $(BUILD)
	$(CARGO) clean
