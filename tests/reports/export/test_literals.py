"""Whatever names and values a run holds, its script holds them as values: no code, no other statement."""

import ast
import csv
import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from treino.base.errors import TreinoError
from treino.reports.export.formats import exported
from treino.reports.export.script_data import WIDTH, listing, literal, words_alone
from treino.settings.spec import read_settings
from treino.training.train import drain, train_events

MARKS = ['"', "'", "\\", "\n", "\r", "#", "{x}", "$x", "${x}", "%s", "\u2028", "\u202e", "\0x", "\t"]
CODE = [
    '"""',
    "'''",
    "__import__('os')",
    "\n]\nprint(1)\n[",
    '"""\nprint(1)\n"""',
    "\\N{DIGIT ONE}",
    "é",
    "😀",
]
WORDS = st.lists(st.sampled_from(MARKS + CODE) | st.text(max_size=5), min_size=1, max_size=4).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(WORDS, inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(VALUES)
def test_a_literal_is_its_value_in_one_line(value: Any) -> None:
    text = literal(value)
    assert len(text.splitlines()) == 1
    assert text.isprintable()
    assert ast.literal_eval(text) == value


def test_a_long_item_of_numbers_is_broken_in_lines_and_words_are_not() -> None:
    items = [(0, tuple(range(200)), [-1.5] * 40), "a b " * 60]
    *numbers, words, _end = listing("TREES", items).splitlines()
    assert max(map(len, numbers)) <= WIDTH < len(words)
    assert ast.literal_eval(listing("TREES", items)) == items


@pytest.mark.parametrize("value", [math.nan, math.inf, {1, 2}, b"x", Path(), 1j, [object()]])
def test_what_is_no_literal_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        literal(value)


@given(WORDS)
def test_words_end_neither_a_docstring_nor_a_comment(text: str) -> None:
    said = words_alone(text)
    tree = ast.parse(f'"""{said}."""\nx = 1  # {said}\n')
    assert [type(node) for node in tree.body] == [ast.Expr, ast.Assign]


class Blank(ast.NodeTransformer):
    """Every value made None, every list, tuple and dict of values empty: what is left are the statements."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant(None)

    def _emptied(self, node: Any) -> Any:
        self.generic_visit(node)
        if all(isinstance(item, ast.Constant) for item in (*getattr(node, "keys", ()), *_items(node))):
            return ast.Constant(None)
        return node

    visit_List = visit_Tuple = visit_Dict = _emptied


def _items(node: Any) -> list[Any]:
    return list(node.values if isinstance(node, ast.Dict) else node.elts)


def statements(text: str) -> str:
    return ast.dump(Blank().visit(ast.parse(text)), indent=1)


def script_text(folder: Path, columns: tuple[str, str, str], classes: tuple[str, str], name: str) -> str:
    """The script of a training on a table with these names; and its constants are these names."""
    source = folder / "t.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([i % 7, "ab"[i % 2] + "c", classes[i % 2]] for i in range(40))
    wanted = {"target": columns[2], "steps": 1, "hidden": 2, "engine": "module", "out": str(folder / name)}
    run = drain(train_events(str(source), read_settings(wanted), lean=True))
    text = exported(run).paths[0].read_text()
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("CLASSES", "FEATURES")
    }
    assert constants == {"CLASSES": list(run.data.classes), "FEATURES": list(run.data.features)}
    return text


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    text = script_text(tmp_path_factory.mktemp("plain"), ("a", "b", "y"), ("p", "q"), "run")
    assert json.dumps(["p", "q"]) in text
    return statements(text)


@pytest.mark.slow
@settings(max_examples=8, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.tuples(WORDS, WORDS, WORDS), st.tuples(WORDS, WORDS))
def test_names_change_no_statement_of_the_script(
    plain: str, columns: tuple[str, str, str], classes: tuple[str, str]
) -> None:
    assume(len({name.strip() for name in columns} - {""}) == 3)
    with TemporaryDirectory() as folder:
        try:
            text = script_text(Path(folder), columns, classes, "run")
        except TreinoError:  # names that no table can have
            assume(False)
        assert statements(text) == plain
