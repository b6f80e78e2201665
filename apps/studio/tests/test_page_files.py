"""The files of the studio's page: their words, and what stands in them."""

import json
import re
from pathlib import Path

from tools import page_types

from treino_studio.page_words import WORDS, page_words

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "apps/studio/src/treino_studio/page"


def test_the_page_asks_for_the_words_that_there_are() -> None:
    """... the playground's among them."""
    folders = PAGE / "modules", PAGE.parent / "playground" / "web"
    modules = "".join(path.read_text() for folder in folders for path in folder.glob("*.js"))
    asked = set(re.findall(r"\bt\(\s*'(\w+)'", modules))
    asked |= set(re.findall(r'data-(?:t|name|field)="(\w+)"', (PAGE / "index.html").read_text()))
    assert asked <= set(WORDS)
    bare = {key for key in re.findall(r"\bt\('(\w+)'\)", modules) if "{" in WORDS[key]}
    assert bare == set(), "called without the values of their places"
    begun = tuple(f"{prefix}_" for prefix in re.findall(r"`([a-z_]+)_\$\{", modules))
    asked |= set(re.findall(r"\b(\w+)(?:'|:\s)", modules)) | {key for key in WORDS if key.startswith(begun)}
    assert set(WORDS) <= asked
    assert set(page_words("pt_BR")) == set(WORDS)
    places = {key: set(re.findall(r"\{\w+\}", sentence)) for key, sentence in WORDS.items()}
    assert {key: set(re.findall(r"\{\w+\}", s)) for key, s in page_words("pt_BR").items()} == places


def test_a_key_stands_in_one_part() -> None:
    keys = [key for part in json.loads((PAGE / "words.json").read_text()).values() for key in part]
    assert sorted(keys) == sorted(WORDS)


def test_nothing_stands_inline_and_files_stay_short() -> None:
    html = (PAGE / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", html)
    for path in [*PAGE.glob("*.js"), *(PAGE / "modules").glob("*.js")]:
        text = path.read_text()
        assert text.startswith("/**"), path
        assert text.count("\n") <= 700, path
        assert "innerHTML" not in text, path


def test_no_line_is_longer_than_120_letters() -> None:
    """A sentence stands whole: its translation is found by it. Patterns of cells come from Python."""
    folders = (ROOT / "apps/studio", ROOT / "src/treino/plots")
    found = [path for folder in folders for end in ("js", "mjs", "css") for path in folder.rglob(f"*.{end}")]
    files = [path for path in found if path.parent.name != "built"]
    assert len(files) > 130
    for path in files:
        for line in path.read_text().splitlines():
            sentence = re.fullmatch(r"(?:why: )?(['\"]).* .*\1,", line.strip())
            assert len(line) <= 120 or sentence or path.name == "cell_forms.js", (path, line)


def test_the_types_in_the_pages_are_those_of_the_models() -> None:
    """``make pages`` writes them; ``make types`` compares the scripts with them."""
    assert page_types.source_hash() in page_types.TYPES.read_text()
