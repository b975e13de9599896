# make demo: no account, no cloud. Everything lives in .venv; a second run needs no network.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := uv pip compile --universal --generate-hashes --no-header --no-annotate --python-version 3.11
ROOMS := evidence catalogue loadtests collectors sizing staging sizeup
ARGS ?=

.PHONY: setup demo demo-moco test test-moco lint bench docs lock chromium openssh
.DELETE_ON_ERROR:

setup: .venv/sizeup.stamp

demo: setup
	$(BIN)/sizeup demo $(ARGS)

# The demos and their stacks have the machine to themselves: what they measure is CPU.
test: .venv/dev.stamp chromium openssh lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/demo --ignore tests/moco $(ARGS)
	$(BIN)/python -m pytest tests/demo $(ARGS)

# The real stack: JDK 17, Maven and Node 20.9 must be there, the rest is installed by apt as root; built once.
demo-moco: setup
	$(BIN)/sizeup demo --stack moco $(ARGS)

test-moco: .venv/dev.stamp
	@$(BIN)/python -m staging.moco.tools
	$(BIN)/python -m pytest tests/moco $(ARGS)

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Bytecode is wanted here: without it every start compiles what it imports.
bench: .venv/dev.stamp
	@for file in benchmarks/*.py; do echo "$$file"; env -u PYTHONDONTWRITEBYTECODE $(BIN)/python $$file || exit; done

# The reference pages that follow from the code.
docs: .venv/dev.stamp
	$(BIN)/python docs/generate.py

lock:
	@command -v uv >/dev/null || { echo "make lock needs uv, which nothing else does; install it, then run make lock again." >&2; exit 2; }
	for name in run notebook dev; do $(LOCK) requirements/$$name.in -o requirements/$$name.txt; done

.venv/venv.stamp:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON): no such program; install Python 3.11 or newer, or name yours: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is $$($(PYTHON) -V 2>&1), sizeup needs 3.11 or newer; name another: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) has no venv; install it (Debian: apt-get install python3-venv), or name another: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/run.stamp: .venv/venv.stamp requirements/run.txt
	$(PIP) install --require-hashes -r requirements/run.txt
	@touch $@

.venv/sizeup.stamp: .venv/run.stamp pyproject.toml
	$(PIP) install --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q $(ROOMS)  # where no bytecode may be written, every start would compile again
	@touch $@

.venv/dev.stamp: .venv/sizeup.stamp requirements/dev.txt
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

# The report is opened in a real browser; as root the system's own is installed, else the one command that does is said.
chromium:
	@command -v chromium >/dev/null || { \
		if [ "$$(id -u)" = 0 ]; then apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends chromium; \
		else echo "the tests open the report in chromium, which is missing: run sudo apt-get install chromium, then make test again." >&2; exit 2; fi; }

# The agent's tests reach a real OpenSSH server of their own on loopback.
openssh:
	@test -x /usr/sbin/sshd || { \
		if [ "$$(id -u)" = 0 ]; then apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends openssh-server openssh-client; \
		else echo "the tests reach hosts over OpenSSH, whose server is missing: run sudo apt-get install openssh-server, then make test again." >&2; exit 2; fi; }
