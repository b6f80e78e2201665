"""JavaScript modules joined into one script, which node runs to the same end as the modules themselves."""

import subprocess
from pathlib import Path

import pytest
from tests.waiting import HANG

from apps.studio.tests.playground.node import NODE
from treino_studio.modules import joined
from treino_studio.page_file import PACKAGE

MAIN = """/** The first line. */
import { double, text as words } from './parts/a.js';
import { Box } from './b.js';
// a comment of its own line
export function main() {
  const box = new Box(double(21)); // at a line's end it stays
  return `${words}: ${box.value} // no comment`;
}
"""
PARTS = {
    "main.js": MAIN,
    "parts/a.js": "import { Box } from '../b.js';\nexport const text = 'a /* no comment */';\n"
    "export async function later() { return 1; }\n"
    "export function double(n) { return new Box(2 * n).value; }\n",
    "b.js": "let made = 0;\nexport class Box {\n  constructor(value) { this.value = value; made += 1; }\n}\n"
    "export const count = () => made;\n",
}


DOORS = {"first": "main.js", "second": "b.js"}


def written(folder: Path, **changed: str) -> Path:
    for name, text in (
        PARTS | {name.replace("_", "/") + ".js": text for name, text in changed.items()}
    ).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def ran(script: str) -> str:
    if NODE is None:
        pytest.skip("needs node")
    done = subprocess.run([NODE, "-"], input=script, capture_output=True, text=True, timeout=HANG)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_joined_script_runs_as_the_modules_do(tmp_path: Path) -> None:
    script = joined(written(tmp_path), DOORS)
    assert "The first line" not in script
    assert "comment of its own line" not in script
    ends = "console.log(first().main(), second().count());"
    assert ran(script + "\n" + ends) == "a /* no comment */: 42 // no comment 2"


def test_what_a_page_says_of_changes_has_numbers_in_the_readers_form() -> None:
    """Marks, stretches, runs beside it and remedies."""
    opened = joined(PACKAGE, {"words": "page/modules/words.js", "curves": "page/modules/store.js"})
    told = "{ marks: [{ text }], history: [{ text }], beside: [{ text }], findings: [{ remedy: { text } }] }"
    script = f"""words().setWords('pt_BR', {{}});
        const text = 'lr 0.05', store = curves().makeStore('wine-1');
        curves().take(store, {{ state: {told} }});
        console.log(JSON.stringify(store.state).match(/lr [^"]+/g).join(' · '));"""
    assert ran(opened + script) == "lr 0,05 · lr 0,05 · lr 0,05 · lr 0,05"


def test_a_module_runs_once_and_only_when_it_is_asked_for(tmp_path: Path) -> None:
    script = joined(written(tmp_path, b="console.log('b');\nexport class Box {}\n"), DOORS)
    ends = "console.log('first'); first(); first();"
    assert ran(script + "\n" + ends).split() == ["first", "b"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import * as all from './b.js';", "this form can't be joined: import"),
        ("const b = import('./b.js');", "this form can't be joined: import"),
        ("export default 1;", "this form can't be joined: export default"),
        ("const a = 1;\nexport { a };", "this form can't be joined: export {"),
        ("import { Crate } from './b.js';", "imports Crate, which b.js does not export"),
        ("import { Box } from './c.js';", "imports c.js, which is not there"),
        ("import { text } from './parts/a.js';\nexport class Box {}", "import each other"),
    ],
)
def test_a_form_that_cant_be_joined_is_refused(tmp_path: Path, text: str, why: str) -> None:
    changed = {"b" if "each other" in why else "main": text}
    with pytest.raises(ValueError, match=why):
        joined(written(tmp_path, **changed), DOORS)
