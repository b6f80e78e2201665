# One command for each thing that a contributor does. CI calls the same.
.PHONY: lint lint-python lint-pages types types-python types-pages pages test tiers release-tests frameworks bench docs words lessons format format-python format-pages lanes wasm site packages dist

lint: lint-python lint-pages

lint-python:
	ruff check src apps doctor/src tests doctor/tests benchmarks tools
	ruff format --check src apps doctor/src tests doctor/tests benchmarks tools
	lint-imports
	zizmor --quiet --offline .

lint-pages: node_modules/.package-lock.json
	npx biome ci --error-on-warnings

types: types-python types-pages

types-python:
	mypy

types-pages: node_modules/.package-lock.json
	npx tsc

test:
	pytest -m "not release"

tiers:
	pytest -m "not release" --tiers

release-tests:
	pytest -m release --thorough

frameworks:
	python doctor/tests/frameworks/environment.py

bench:
	python -m benchmarks

docs:
	python -m tools.settings_page > docs/settings.md
	python -m tools.stubs
	python -m treino_doctor.output.rules_page > doctor/docs/doctor-rules.md
	python -m benchmarks docs

words:
	python -m tools.words

lessons:
	python -m tools.lessons run

format: format-python format-pages

format-python:
	ruff format src apps doctor/src tests doctor/tests benchmarks tools
	ruff check --fix src apps doctor/src tests doctor/tests benchmarks tools

format-pages: node_modules/.package-lock.json
	npx biome check --write

lanes:
	python setup.py -q build_ext --inplace

# what is written for the pages' scripts, and built of them
pages: node_modules/.package-lock.json
	python -m tools.page_types
	python -m tools.pages

wasm:
	python -m tools.wasm

site:
	python -m tools.site
	python -m mkdocs build --strict

packages: # what PyPI would take, without the wheel that a compiler makes
	rm -rf build/packages
	python -m build --no-isolation --outdir build/packages doctor >/dev/null
	python -m build --no-isolation --sdist --outdir build/packages >/dev/null
	python -m twine check --strict build/packages/*

dist:
	rm -rf dist
	python -m build --outdir dist doctor
	python -m build
	python -m twine check --strict dist/*

# the tools for the pages' scripts, as package-lock.json names them
node_modules/.package-lock.json: package.json package-lock.json
	@command -v npm > /dev/null || { echo "The pages' scripts need node 20 or later, with npm: see CONTRIBUTING.md." >&2; exit 1; }
	npm ci --ignore-scripts --no-fund --no-audit
