"""The kernel's modules for web pages that are shipped are those of these sources, to the byte."""

import gzip

import pytest
from tools.wasm import MODULES, SHIPPED, build, sources_hash


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_built_from_these_sources(name):
    shipped = (SHIPPED / f"{name}.wasm").read_bytes()
    assert sources_hash().encode() in shipped, "the sources have changed: make wasm"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_small_and_names_no_place(name):
    shipped = (SHIPPED / f"{name}.wasm").read_bytes()
    assert len(gzip.compress(shipped, 9)) <= 40 * 1024
    assert b"/src/" not in shipped
    assert b".hpp" not in shipped


@pytest.mark.slow
def test_building_them_anew_gives_the_same_bytes(tmp_path):
    pytest.importorskip("ziglang", reason="modules are built by ziglang")
    build(tmp_path)
    for name in MODULES:
        assert (tmp_path / f"{name}.wasm").read_bytes() == (SHIPPED / f"{name}.wasm").read_bytes(), name
