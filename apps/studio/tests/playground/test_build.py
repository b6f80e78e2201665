"""The kernel's modules for web pages that are shipped are those of these sources, to the byte."""

import gzip
import json
import tomllib

import pytest
from tools.wasm import MODULES, RECORD, ROOT, SHIPPED, build, record, sources_hash


def test_modules_are_those_that_were_built_from_these_sources():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (tool,) = (need for need in extras["dev"] if need.startswith("ziglang"))
    assert record(tool) == json.loads(RECORD.read_text()), "they are made of something else now: make wasm"
    for name in MODULES:
        assert sources_hash().encode() in (SHIPPED / f"{name}.wasm").read_bytes()


def test_a_module_is_small_and_names_no_place():
    for name in MODULES:
        shipped = (SHIPPED / f"{name}.wasm").read_bytes()
        assert len(gzip.compress(shipped, 9)) <= 40 * 1024
        assert b"/src/" not in shipped
        assert b".hpp" not in shipped


@pytest.mark.release
def test_building_them_anew_gives_the_same_bytes(tmp_path):
    pytest.importorskip("ziglang", reason="needs ziglang, which builds the modules")
    build(tmp_path)
    for name in MODULES:
        assert (tmp_path / f"{name}.wasm").read_bytes() == (SHIPPED / f"{name}.wasm").read_bytes(), name
