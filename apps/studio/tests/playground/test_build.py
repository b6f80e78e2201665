"""The kernel's module for web pages that is shipped is that of these sources, to the byte."""

import gzip
import json
import tomllib

import pytest
from tools.wasm import RECORD, ROOT, SHIPPED, build, record, sources_hash


def test_the_module_is_the_one_that_was_built_from_these_sources():
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    (tool,) = (need for need in groups["dev"] if "ziglang" in need)
    assert record(tool) == json.loads(RECORD.read_text()), "it is made of something else now: make wasm"
    assert sources_hash().encode() in SHIPPED.read_bytes()


def test_the_module_is_small_and_names_no_place():
    shipped = SHIPPED.read_bytes()
    assert len(gzip.compress(shipped, 9)) <= 48 * 1024
    assert b"/src/" not in shipped
    assert b".hpp" not in shipped


@pytest.mark.release
def test_building_it_anew_gives_the_same_bytes(tmp_path):
    pytest.importorskip("ziglang", reason="needs ziglang, which builds the module")
    build(tmp_path / "lanes.wasm")
    assert (tmp_path / "lanes.wasm").read_bytes() == SHIPPED.read_bytes()
