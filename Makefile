# The commands that people use.  The build itself is meson's: HACKING.md.
#
#	make run	install what is missing, build, start the service on
#			DATA=data, PORT=8080, and say what to try
#	make stop	end it
#	make check	install what is missing, build, run every test
#	make build	build/drawbridge
#	make bench	benchmarks beside their baselines [NAME=engine]
#	make compare	the shipped policy beside others' documented controls
#	make fuzz	every fuzz target, SECONDS=60 each
#	make picture	etc/picture.svg, the terminal picture of the README
#	make clean	forget what was built

BUILD = build
NAME =
SECONDS = 60
DATA = data
PORT = 8080

.POSIX:
.PHONY: run stop check build bench compare fuzz picture clean configure

run: build
	@tools/run $(BUILD) $(DATA) $(PORT)

stop:
	@tools/run $(BUILD) stop $(DATA)

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
	@ninja -C $(BUILD) --quiet benchmarks
	@python3 bench/run.py $(BUILD) $(NAME)

compare: build
	@$(BUILD)/drawbridge compare

fuzz:
	@tools/install-packages build check
	@tools/fuzz $(SECONDS)

picture: build
	@tools/picture $(BUILD)

clean:
	rm -rf $(BUILD) build-check-* build-fuzz
