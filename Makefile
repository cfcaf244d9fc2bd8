# osprey-feeder: what people and CI call. Every target first installs missing Debian packages (tools/deps.sh) and says so.

SWIFT ?= swift
BINARY := .build/release/osprey-feeder
# More options for `make run`, for example: make run RUN="--simulate-rate 5000"
RUN ?=
FORMATTED := Package.swift Sources Tests

.DEFAULT_GOAL := help
.PHONY: help deps build run test bench format lint sanitize asan tsan fuzz chaos docs ci

help:
	@echo 'make run       simulator → rules → embedded Kafka broker; prints the address to read from; ends with Ctrl-C'
	@echo 'make test      the test suite'
	@echo 'make bench     what decoding, the whole pipeline and the rules cost (release build)'
	@echo 'make format    formats the sources; make lint only looks'
	@echo 'make sanitize  the test suite under AddressSanitizer and ThreadSanitizer, each with a planted fault'
	@echo 'make fuzz      fuzzes frames and CAR files, 300 seconds each: [SECONDS=N]'
	@echo 'make chaos     kills the feeder at full speed and counts what is missing: [CYCLES=N] [SEED=N]'
	@echo 'make docs      writes the table of options and the reference of rules from what the program says'
	@echo 'make ci        what CI runs (.ci/run)'

deps:
	@tools/deps.sh

build: deps
	$(SWIFT) build -c release --product osprey-feeder

run: build
	$(BINARY) run --source simulator --bootstrap-servers embedded $(RUN)

# One test at a time: many start processes and threads of their own, and a starved one proves nothing.
test: deps
	$(SWIFT) test --no-parallel

bench: build
	tools/bench.sh
	python3 tools/bench_pipeline.py
	python3 tools/bench_rules.py

format: deps
	$(SWIFT) format --in-place --recursive $(FORMATTED)

lint: deps
	$(SWIFT) format lint --strict --recursive $(FORMATTED)

sanitize: asan tsan

asan: deps
	tools/sanitize.sh address

tsan: deps
	tools/sanitize.sh thread

fuzz: deps
	tools/fuzz.sh $(SECONDS)

chaos: deps build
	python3 tools/chaos.py $(if $(CYCLES),--cycles $(CYCLES)) $(if $(SEED),--seed $(SEED))

docs: build
	python3 tools/docs.py $(BINARY)

ci:
	.ci/run
