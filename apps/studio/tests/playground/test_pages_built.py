"""The scripts and styles that browsers get are joined from these sources, to the byte."""

import json
import subprocess
from pathlib import Path

import pytest
from tests.waiting import HANG
from tools import page_types
from tools.pages import BUILT, RECORD, ROOT, build, record

from apps.studio.tests.playground.node import NODE, in_node
from treino_studio.page_file import PAGE

with_tools = pytest.mark.skipif(
    not (ROOT / "node_modules").is_dir(), reason="needs npm ci, which brings esbuild"
)


def test_the_files_are_those_that_were_built_from_these_sources() -> None:
    assert record() == json.loads(RECORD.read_text()), "they are made of something else now: make pages"


def test_each_script_has_the_licence_and_nothing_that_would_end_it() -> None:
    licence = (ROOT / "LICENSE").read_text()
    for path in BUILT.glob("*.js"):
        script = path.read_text()
        assert licence in script, path
        assert "</script" not in script, path
        assert "<!--" not in script, path


@pytest.mark.slow
@in_node
@with_tools
def test_building_them_anew_gives_the_same_bytes(tmp_path: Path) -> None:
    build(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in BUILT.iterdir()}
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (BUILT / path.name).read_bytes(), path.name


@pytest.mark.slow
@in_node
@with_tools
def test_writing_the_types_anew_gives_the_same() -> None:
    assert page_types.written() == page_types.TYPES.read_text()


@in_node
def test_what_a_page_says_of_changes_has_numbers_in_the_readers_form() -> None:
    """Marks, stretches, runs beside it and remedies."""
    told = "{ marks: [{ text }], history: [{ text }], beside: [{ text }], findings: [{ remedy: { text } }] }"
    script = f"""
        import {{ makeStore, take }} from '{(PAGE / "modules/store.js").as_uri()}';
        import {{ setWords }} from '{(PAGE / "modules/words.js").as_uri()}';
        setWords('pt_BR', {{}});
        const text = 'lr 0.05', store = makeStore('wine-1');
        take(store, {{ state: {told} }});
        console.log(JSON.stringify(store.state).match(/lr [^"]+/g).join(' · '));"""
    line = [str(NODE), "--input-type=module", "-"]
    done = subprocess.run(line, input=script, capture_output=True, text=True, timeout=HANG)
    assert done.stdout.strip() == "lr 0,05 · lr 0,05 · lr 0,05 · lr 0,05", done.stderr
