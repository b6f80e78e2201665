# One command for each thing that a contributor does. CI calls the same.
.PHONY: lint types test tiers release-tests frameworks bench docs words lessons format lanes wasm site dist

lint:
	ruff check src apps doctor/src tests doctor/tests benchmarks tools
	ruff format --check src apps doctor/src tests doctor/tests benchmarks tools
	lint-imports

types:
	mypy

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
	python -m treino_doctor.output.rules_page > doctor/docs/doctor-rules.md
	python -m benchmarks docs

words:
	python -m tools.words

lessons:
	python -m tools.lessons run

format:
	ruff format src apps doctor/src tests doctor/tests benchmarks tools
	ruff check --fix src apps doctor/src tests doctor/tests benchmarks tools

lanes:
	python setup.py -q build_ext --inplace

wasm:
	python -m tools.wasm

site:
	python -m tools.site
	python -m mkdocs build --strict

dist:
	rm -rf dist
	python -m build --outdir dist doctor
	python -m build
	python -m twine check --strict dist/*
