# make demo   install the program here and run its main job on the built-in sample
# make test   install what the tests need and run them all
# make docs   make the documents a site: build/docs/index.html
# make package        the program as one folder that needs no Python: dist/liverseg
# make installers     what this system installs it from: .tar.zst and .deb, or .dmg
# make package-test   build it and let it test itself without Python, network or display
# FLAVOR=inference with these three: the small one, without CUDA and training, in dist-inference
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
FLAVOR ?= full
ifeq ($(FLAVOR),inference)
PACKAGER_VENV := $(VENV)-inference
DIST ?= dist-inference
else
PACKAGER_VENV := $(VENV)
DIST ?= dist
endif
TORCH_CPU ?= torch==2.13.0+cpu
SPHINX := $(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet -d build/doctrees

.PHONY: demo test lint fuzz bench docs docs-links package installers package-test clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	$(BIN)/liverseg demo

test: $(VENV)/.installed-dev lint
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m long tests/io

bench: $(VENV)/.installed-dev
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.benchmarks

# From scratch, for what was read before is not warned about again, and what was deleted would stay.
docs: $(VENV)/.installed-dev
	rm -rf build/docs build/doctrees
	$(SPHINX) -b html docs build/docs

docs-links: $(VENV)/.installed-dev
	$(SPHINX) -b linkcheck docs build/links

package: docs $(PACKAGER_VENV)/.installed
	LIVERSEG_FLAVOR=$(FLAVOR) $(PACKAGER_VENV)/bin/python -m PyInstaller --noconfirm \
		--log-level WARN --workpath build/$(notdir $(DIST)) --distpath $(DIST) pyinstaller.spec
	$(BIN)/python tools/package_size.py $(DIST)/liverseg

installers: package
	LIVERSEG_FLAVOR=$(FLAVOR) $(BIN)/python tools/installers.py $(DIST)/liverseg

# The licenses are looked for in the environment that the package was built in.
package-test: package
	$(PACKAGER_VENV)/bin/python tools/third_party.py $(DIST)/liverseg
	LIVERSEG_FLAVOR=$(FLAVOR) LIVERSEG_PACKAGE=$(abspath $(DIST))/liverseg \
		$(BIN)/python -m pytest -s tests/package/test_built.py

$(VENV)/.installed: pyproject.toml tools/system_libraries.py
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found." >&2; exit 1; }
	$(PYTHON) tools/system_libraries.py venv
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	$(BIN)/python tools/system_libraries.py qt
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

$(VENV)-inference/.installed: pyproject.toml
	test -x $(VENV)-inference/bin/python || $(PYTHON) -m venv $(VENV)-inference
	$(VENV)-inference/bin/python -m pip install --quiet --disable-pip-version-check \
		'$(TORCH_CPU)' -e '.[docs,package]'
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-inference build dist dist-inference demo-output
