# Two commands matter: `make reports` and `make test`. Needs Python 3.11 or later (with venv), make and a package index.
WINDOWS := $(filter Windows_NT,$(OS))
PYTHON ?= $(if $(WINDOWS),python,$(shell command -v python3.11 || command -v python3))
VENV ?= .venv
SCRIPTS := $(if $(WINDOWS),Scripts,bin)
BIN := $(VENV)/$(SCRIPTS)
INSTALLED := $(VENV)/.installed
# Test processes: one a processor; each loads everything, so no more than eight. By hand, pytest runs in one.
WORKERS ?= -n auto --maxprocesses 8 --dist worksteal
# Bytecode makes every later start faster; some images switch it off.
export PYTHONDONTWRITEBYTECODE =
export PYTHONUTF8 = 1

.DEFAULT_GOAL := help
.PHONY: help reports reproduce test test-fast portable empty site dist release lab bench parity picture types lock clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

reports: $(INSTALLED) ## build every report that is not up to date, in English and Chinese
	@$(BIN)/socialcommerce build

reproduce: $(INSTALLED) ## check the data, build every report and compare every number with what it recomputes
	@$(BIN)/socialcommerce data verify
	@$(BIN)/socialcommerce build
	@$(BIN)/socialcommerce verify

test: $(INSTALLED) ## run all tests, docstring examples too
	@$(BIN)/python -m pytest $(WORKERS)

test-fast: $(INSTALLED) ## run the tests that take seconds
	@$(BIN)/python -m pytest $(WORKERS) -m "not slow and not browser"

MYPY ?= mypy
types: ## check the types of study and packages (with a mypy of your own: see CONTRIBUTING)
	@for folder in ./ $(dir $(shell grep -l tool.mypy packages/*/pyproject.toml)); do \
		(cd $$folder && $(MYPY) --python-executable $(CURDIR)/$(BIN)/python) || exit 1; \
	done

# Prescott: no AVX; NPY_...: numpy's own loops without AVX-512, then without AVX2; generic: numba without any of them
PORTABLE := OPENBLAS_CORETYPE=Prescott OPENBLAS_CORETYPE=Nehalem OPENBLAS_CORETYPE=Haswell OPENBLAS_CORETYPE=Zen \
	OPENBLAS_CORETYPE=SkylakeX NPY_DISABLE_CPU_FEATURES=X86_V4,AVX512_ICL,AVX512_SPR \
	NPY_DISABLE_CPU_FEATURES=X86_V3,X86_V4,AVX512_ICL,AVX512_SPR NUMBA_CPU_NAME=generic
portable: $(INSTALLED) ## verify and the fast tests as other processors would run them (those this one can)
	@for other in $(PORTABLE); do \
		export $$other; \
		if $(BIN)/python -c "import numpy; numpy.linalg.svd(numpy.eye(99))" 2>/dev/null; then \
			echo "== $$other"; $(BIN)/socialcommerce verify && $(MAKE) --no-print-directory test-fast || exit 1; \
		else echo "== $$other: this processor cannot"; fi; \
		unset $${other%%=*}; \
	done

empty: $(INSTALLED) ## install each package's wheel alone, with what it needs from the index, and run its README
	@$(BIN)/python tests/empty.py

# an environment of its own, which sees the study's: what it adds is in no run-time lock
DOCS := build/docs
WHERE := import sysconfig; print(sysconfig.get_path("purelib"))
$(DOCS)/.installed: docs/requirements.txt $(INSTALLED)
	@$(BIN)/python -m venv --clear $(DOCS)
	@$(DOCS)/$(SCRIPTS)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r docs/requirements.txt
	@$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
		> "$$($(DOCS)/$(SCRIPTS)/python -c '$(WHERE)')/study.pth"
	@touch $@

site: $(DOCS)/.installed ## build the site into build/site: docs/, API from docstrings, and the reports if they are built
	@rm -rf build/site build/doctrees
	@$(DOCS)/$(SCRIPTS)/python -m sphinx --quiet --fail-on-warning --keep-going -c docs -d build/doctrees . build/site
	@$(DOCS)/$(SCRIPTS)/python docs/links.py build/site

TOOLS := build/dist-tools
dist: $(INSTALLED) ## build wheels and sdists of all packages into build/dist and check them, as a release does
	@$(BIN)/python -m venv --clear $(TOOLS)
	@$(TOOLS)/$(SCRIPTS)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .ci/requirements.txt
	@rm -rf build/dist
	@for folder in . $(dir $(wildcard packages/*/pyproject.toml)); do \
		$(TOOLS)/$(SCRIPTS)/python -m build --outdir build/dist $$folder > build/dist.log || { cat build/dist.log; exit 1; }; done
	@$(TOOLS)/$(SCRIPTS)/python -m twine check --strict build/dist/*

release: $(INSTALLED) ## raise every version to VERSION and head the changelogs with it (see CONTRIBUTING)
	@$(BIN)/python .ci/release.py $(VERSION)

lab: $(INSTALLED) ## open the notebooks in JupyterLab
	@$(BIN)/jupyter lab notebooks

bench: $(INSTALLED) ## time everything beside its peers and write docs/benchmarks (peers that are not there are left out)
	@$(BIN)/python benchmarks/build.py
	@$(BIN)/python benchmarks/sem.py
	@$(BIN)/python benchmarks/modes.py
	@$(BIN)/python benchmarks/survey.py

parity: $(INSTALLED) ## compare semfit with lavaan's reference values and write docs/parity.md
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python packages/semfit/tests/reference/parity.py

# the project's own packages are in no index, and are installed from their folders
OWN := $(patsubst packages/%/pyproject.toml,%,$(wildcard packages/*/pyproject.toml))
picture: reports ## draw docs/architecture.svg from the code, docs/plan.svg and the READMEs' picture from the built reports
	@$(BIN)/python docs/picture.py
	@$(BIN)/python docs/overview.py

COMPILE = build/lock/$(SCRIPTS)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header $(UPGRADE)
lock: ## add to the locks what a pyproject.toml or requirements.in names anew (UPGRADE=--upgrade renews every version)
	@$(PYTHON) -m venv build/lock && build/lock/$(SCRIPTS)/pip install --quiet uv
	@for package in $(OWN); do echo "$$package @ file://$(CURDIR)/packages/$$package"; done > build/lock/own.txt
	@$(COMPILE) --all-extras $(OWN:%=--no-emit-package %) --constraint build/lock/own.txt \
		pyproject.toml $(OWN:%=packages/%/pyproject.toml) --output-file requirements.lock
	@$(COMPILE) --constraint requirements.lock docs/requirements.in --output-file docs/requirements.txt
	@$(COMPILE) .ci/requirements.in --output-file .ci/requirements.txt

clean: ## remove the environment and everything built
	@rm -rf $(VENV) build
	@find reports -mindepth 1 -maxdepth 1 ! -name results -exec rm -rf {} +

$(INSTALLED): requirements.lock pyproject.toml $(wildcard packages/*/pyproject.toml) postBuild
	@echo "installing the locked environment into $(VENV) (about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@PATH="$$PWD/$(BIN):$$PATH" ./postBuild
	@touch $(INSTALLED)
