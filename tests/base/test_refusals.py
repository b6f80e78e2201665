"""Each call of a refusal fills in its fields: no value is missing, none is too many, no rule is misspelt."""

import ast
import re
from collections import Counter
from pathlib import Path

from treino.base.errors import Refusal

ROOT = Path(__file__).parents[2]
FILES = [p for s in (ROOT / "src", *ROOT.glob("apps/*/src")) for p in sorted(s.rglob("*.py"))]
TREES = {path: ast.parse(path.read_text()) for path in FILES if "Refusal" in path.read_text()}


def refusals(tree: ast.Module) -> dict[str, set[str]]:
    """``{constant: fields of its message and hint}``."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("Refusal("):
            texts = [c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant)]
            (target,) = node.targets
            found[ast.unparse(target)] = set(re.findall(r"\{(\w+)", " ".join(map(str, texts))))
    return found


def test_every_call_gives_each_field_its_value() -> None:
    known: dict[str, set[str]] = {}
    for path, tree in TREES.items():
        module = ".".join(path.with_suffix("").parts).rpartition(".src.")[2]
        known |= {f"{module}.{name}": fields for name, fields in refusals(tree).items()}
    calls = 0
    for path, tree in TREES.items():
        own = refusals(tree)
        imported = {
            alias.asname or alias.name: known[f"{node.module}.{alias.name}"]
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if f"{node.module}.{alias.name}" in known
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name, method, _rest = ast.unparse(node.func).partition(".of_cause")
                given = {k.arg for k in node.keywords} | ({"cause"} if method else set())
                if (fields := (own | imported).get(name)) is not None and None not in given:
                    assert given == fields, f"{path}:{node.lineno} {name}"
                    calls += 1
    assert calls > 400


def test_every_refusal_of_the_core_says_what_to_do_next() -> None:
    silent = [
        f"{path.name}: {ast.unparse(node)}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refusal"
        if "apps" not in path.parts and not [text for text in node.args[1:2] if ast.unparse(text) != "''"]
    ]
    assert not silent


FULL = Refusal("{path} could not be written.", "Free {n:,} bytes.", status=1)


def test_a_refusal_makes_its_error_named_as_itself() -> None:
    error = FULL(path="a.csv", n=12345)
    assert (error.rule, error.message, error.hint, error.status) == (
        "full", "a.csv could not be written.", "Free 12\u202f345 bytes.", 1,
    )  # fmt: skip
    other = Refusal("A {brace}", "{hint}", rule=FULL.rule)(brace=1, hint="Did you mean 'b'?")
    assert (other.rule, other.hint) == ("full", "Did you mean 'b'?")


def test_a_rule_is_written_once() -> None:
    """In one file; other files import it. What is no constant gives its rule."""
    core = [refusals(tree) for path, tree in TREES.items() if "apps" not in path.parts]
    names = Counter(name for constants in core for name in constants)
    assert not [name for name, places in names.items() if places > 1]
    for path, tree in TREES.items():
        assert not [name for name in refusals(tree) if re.search(r"_\d$", name)], path
        constants = {id(node.value) for node in tree.body if isinstance(node, ast.Assign)}
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) == "Refusal"
                and id(node) not in constants
            ):
                assert "rule" in {k.arg for k in node.keywords}, f"{path}:{node.lineno}"
