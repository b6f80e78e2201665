"""The program of which scripts are made: whole or cut short it does the same, and so do copied functions."""

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import treino as tr
from treino.base.resampling import auc, f1_macro
from treino.data.splits import split
from treino.reports.export.folding import copied, fixed
from treino.reports.export.script import script_body, script_parts

NAMES = ("A", "B", "C")
ATOMS = st.sampled_from([*NAMES, "not A", "x > 2", "x == 1"])
ASKS = st.tuples(st.sampled_from([" and ", " or "]), st.lists(ATOMS, min_size=1, max_size=3)).map(
    lambda ask: ask[0].join(ask[1])
)
BODIES = st.sampled_from(["done.append({n})", "x += {n}", "return done, x, {n}"])


@st.composite
def blocks(draw: st.DrawFn, depth: int = 0) -> list[str]:
    """Lines of statements: ``if``, ``elif``, ``else`` and ``for``, within each other."""
    lines: list[str] = []
    for _statement in range(draw(st.integers(1, 3))):
        n = draw(st.integers(0, 9))
        kind = draw(st.sampled_from(["plain", "plain", "if", "for"] if depth < 3 else ["plain"]))
        if kind == "plain":
            lines.append(draw(BODIES).format(n=n))
        elif kind == "for":
            lines += [f"for y in range({n % 3}):", "    x += y", *_moved(draw(blocks(depth + 1)))]
        else:
            lines += [f"if {draw(ASKS)}:  # {n}", *_moved(draw(blocks(depth + 1)))]
            for _branch in range(draw(st.integers(0, 2))):
                lines += [f"elif {draw(ASKS)}:", *_moved(draw(blocks(depth + 1)))]
            if draw(st.booleans()):
                lines += ["else:", *_moved(draw(blocks(depth + 1)))]
        if draw(st.booleans()):
            lines.append("x += 1")
    return lines


def _moved(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


@pytest.mark.slow
@settings(max_examples=100)
@given(blocks(), st.fixed_dictionaries({name: st.booleans() for name in NAMES}), st.integers(0, 4))
def test_a_program_with_fixed_names_does_what_it_did(
    lines: list[str], values: dict[str, bool], x: int
) -> None:
    text = "\n".join(["def f(x):", *_moved(["done = []", *lines, "return done, x"]), "", "", "f.x = 1", ""])
    short = fixed(text, values, {})
    before: dict[str, Any] = dict(values)
    after: dict[str, Any] = dict(values)
    exec(text, before)
    exec(short, after)
    assert after["f"](x) == before["f"](x)
    tests = [node.test for node in ast.walk(ast.parse(short)) if isinstance(node, ast.If)]
    assert all("x" in ast.unparse(test) for test in tests)


LEFT = """import math
from os import sep

USED = 3


def once():
    return math.pi + USED


# ---- end


print(once(), sep)
"""


def test_what_nothing_leads_to_is_left_out() -> None:
    text = """import json
import math
from os import path, sep

USED = 1  # a comment
# of another
UNUSED = 2


def once():
    return math.pi + USED


def never():
    return json.dumps(UNUSED) + path.join("a")


# ---- end


print(once(), sep)
"""
    short = fixed(text, {}, {"USED": "USED = 3"})
    assert short == LEFT


PLAIN = {"dropout": 0.3, "clip": 0.5, "schedule": "cosine", "ema": 0.9, "steps": 20}
TABLE = {"epochs": 4, "ensemble": 3, "recipe": "table", "hidden": 8}


@pytest.mark.slow
@pytest.mark.parametrize("asked", [PLAIN, TABLE])
def test_the_whole_program_trains_as_its_script_does(asked: dict[str, Any], tmp_path: Path) -> None:
    run = tr.fit("wine", parent=tmp_path, engine="module", **asked)
    part = script_parts(run)
    for name, content in part.files.items():
        (tmp_path / name).write_bytes(content)
    printed = []
    for whole in (True, False):
        names: dict[str, Any] = {"__name__": "program", "__file__": str(tmp_path / "script.py")}
        exec(script_body(part, whole), names)
        names.update(part.values)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            names["train"]()
        printed.append(out.getvalue().splitlines())
    assert printed[0] == printed[1]
    assert json.loads(printed[0][-1])["losses"]


@settings(max_examples=30)
@given(st.integers(0, 50), st.integers(1, 60), st.integers(0, 5))
def test_a_copied_function_needs_nothing_of_treino_and_gives_the_same(
    seed: int, rows: int, last: int
) -> None:
    random = np.random.default_rng(seed)
    first_N = np.array([min(i, int(random.integers(0, rows))) for i in range(rows)])
    first_N = first_N[first_N]
    label_N = random.integers(0, last + 1, rows)
    texts = copied([split, f1_macro, auc])
    assert {"split", "apportion", "generator"} <= texts.keys()
    names: dict[str, Any] = {}
    exec("import hashlib\nimport numpy as np\nimport torch\n" + "\n".join(texts.values()), names)
    np.testing.assert_array_equal(
        names["split"](first_N, label_N, 0.2, 0.1, seed), split(first_N, label_N, 0.2, 0.1, seed)
    )
    guess_1N, y_N = torch.from_numpy(random.integers(0, last + 1, (1, rows))), torch.from_numpy(label_N)
    assert torch.equal(names["f1_macro"](guess_1N, y_N, 6), f1_macro(guess_1N, y_N, 6))
    score_1N = guess_1N.double()
    assert torch.equal(names["auc"](score_1N, y_N).nan_to_num(), auc(score_1N, y_N).nan_to_num())
