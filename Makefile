# SPDX-License-Identifier: Apache-2.0
# A thin front of meson and scripts/: see CONTRIBUTING.md.

SECONDS ?= 60
PREFIX ?= /usr

.PHONY: all test soak bench demo check format check-format fuzz install clean

all: build/build.ninja
	@ninja -C build

build/build.ninja:
	@CC=gcc meson setup --prefix $(PREFIX) --sysconfdir /etc --localstatedir /var build

# Everything: both compilers, sanitizers, fuzzers, checks, real parts.
test:
	@scripts/install_toolchain.sh --test
	@scripts/test.sh

# The storms of the tests, whole: make test runs a tenth of each. STORMS="random kills" SECONDS=60 (of
# a fuzzer).
soak:
	@scripts/install_toolchain.sh --test
	@FUZZ_SECONDS=$(SECONDS) scripts/soak.sh $(STORMS)

# Muster beside what others do with the same work: bench/README.md. ONLY=P5,P21 ROUNDS=3 SECONDS=4
# (of a measurement) DEVICES=N FULL=1 (sizes that take long).
bench: SECONDS = 4
bench:
	@scripts/install_toolchain.sh --bench || echo 'bench: what is missing is skipped by name' >&2
	@bench/run.py --seconds $(SECONDS) $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
	    $(if $(DEVICES),--devices $(DEVICES)) $(if $(FULL),--full)

# A device, enrolled and running a release, on this machine. CHECK=1: the same without staying.
demo:
	@scripts/install_toolchain.sh --demo
	@CHECK=$(CHECK) scripts/demo.sh

check:
	@tests/checks/check.py

format:
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

check-format:
	@tests/checks/check.py layout

# Each fuzzer in turn for SECONDS; what it finds stays in build-asan/fuzz/.
fuzz:
	@scripts/fuzz.sh $(SECONDS)

install: all
	@DESTDIR=$(DESTDIR) meson install -C build --no-rebuild

clean:
	@rm -rf build build-*
