# The commands that people use.  The build itself is meson's: HACKING.md.
#
#	make run	install what is missing, build, replay the theft of 2019
#	make check	install what is missing, build, run every test
#	make build	build/drawbridge
#	make bench	benchmarks beside their baselines [NAME=engine]
#	make compare	the shipped policy beside others' documented controls
#	make fuzz	every fuzz target, SECONDS=60 each
#	make clean	forget what was built

BUILD = build
NAME =
SECONDS = 60

.POSIX:
.PHONY: run check build bench compare fuzz clean configure

run: build
	@tools/run $(BUILD)

build: configure
	@ninja -C $(BUILD) --quiet

configure:
	@tools/install-packages build
	@tools/configure $(BUILD)

check:
	@tools/install-packages build check
	@tools/run-tests $(BUILD)

bench: build
	@tools/install-packages build bench
	@python3 bench/run.py $(BUILD) $(NAME)

compare: build
	@$(BUILD)/drawbridge compare

fuzz:
	@tools/install-packages build check
	@tools/fuzz $(SECONDS)

clean:
	rm -rf $(BUILD) build-check-* build-fuzz
