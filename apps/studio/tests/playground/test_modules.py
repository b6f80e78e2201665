"""JavaScript modules joined into one script, which node runs to the same end as the modules themselves."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.waiting import HANG

from treino_studio.modules import joined
from treino_studio.shortening import shortened

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
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    done = subprocess.run([node, "-"], input=script, capture_output=True, text=True, timeout=HANG)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_joined_script_runs_as_the_modules_do(tmp_path: Path) -> None:
    script = joined(written(tmp_path), DOORS)
    assert "The first line" not in script
    assert "comment of its own line" not in script
    ends = "console.log(first().main(), second().count());"
    assert ran(script + "\n" + ends) == "a /* no comment */: 42 // no comment 2"


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


TRICKY = r"""
// what a shortener could take for something else
const values = [3, 1, 2], total = values.reduce((sum, value) => sum + value, 0); // a comment's `quote
let longest = 'a // b', other = "it's /* no */ comment";
function divided(first, second = 2, ...others) { return first / second / (others.length || 1); }
const pattern = /[/"'`]\/+/g, parts = `x${values.map((value) => `<${value}>`).join('')}y${{ total }.total}`;
class Counted {
  #hidden = 1; static made = 0; shown = 2;
  constructor({ start, step: stride = 2 } = {}) { Object.assign(this, { start, stride }); Counted.made += 1 }
  get hidden() { return this.#hidden }
  *steps(count) { for (let number = 0; number < count; number++) yield this.start + number * this.stride }
  async later(value) { return await value }
  total() { return total }
}
const counted = new Counted({ start: 1 }), { shown: displayed, hidden } = counted
const object = {
  values, total, divided(first) { return -first - -first }, get longest() { return longest }, 'key': total,
  [other]: 1 }
label: for (const value of values) {
  for (const inner of values) { if (inner === value) continue label; if (inner > 2) break label } }
let counter = 0
counter
++counter
const question = total ? values : other, nested = total ? { values } : null
const less = 1 < +total, plus = 1 + +total, minus = 1 - -total;
const typed = typeof values, within = 'total' in object, returned = (() => { return /a'b/.test("a'b") })();
switch (total) { case 6: longest += '6'; default: longest += '!' }
try { throw new Error('x') } catch (failure) { longest += failure.message }
const shadow = (total, values) => [total, values], name = 1 .toFixed(1), big = 1e3, hex = 0xff, many = 1_000n
const [head, , ...tail] = values, swap = ([one, two], { three: [four] = [4] }) => [two, one, four];
do { counter += 1 } while (counter < 5)
console.log(JSON.stringify([values, total, longest, other, divided(8, 2, 1, 1), parts, 'a//b'.match(pattern),
  [...counted.steps(3)], displayed, hidden, counted.total(), Counted.made, object, object.divided(3),
  object.longest, counter, question, nested, less, plus, minus, typed, within, returned, shadow(1, 2), name,
  big, hex, String(many), head, tail, swap([1, 2], {})]))
"""


def test_a_shortened_module_does_the_same_in_fewer_letters() -> None:
    short = shortened(TRICKY)
    assert len(short) < 0.8 * len(TRICKY)
    assert "longest" in short  # a key of an object stays
    assert "comment's" not in short
    assert "divided" in short
    assert "pattern" not in short
    assert ran(short) == ran(TRICKY)


@pytest.mark.parametrize(
    "text", ["const a = 'open;", "const a = `open;", "const a = /open;\n", "const a = #;"]
)
def test_what_is_no_javascript_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no end|can't be read"):
        shortened(text)
