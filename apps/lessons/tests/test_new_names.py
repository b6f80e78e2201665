"""What a lesson's code uses is explained in its paragraphs "New:", or in a lesson before it."""

import ast
import re
from pathlib import Path

import pytest
from tools import lessons

NEW = re.compile(r"^\*\*(?:New|Novo):\*\*(.*?)(?:\n\n|\Z)", re.M | re.S)
KNOWN = {"print", "len", "range", "sum", "min", "max", "append"}  # what the index asks a reader to know
CONSTRUCTS: dict[type[ast.AST], str] = {
    ast.AugAssign: "+=",
    ast.BitAnd: "a & b",
    ast.BitOr: "a | b",
    ast.Break: "break",
    ast.ClassDef: "class",
    ast.Dict: "{name: value}",
    ast.DictComp: "{name: value for …}",
    ast.FloorDiv: "a // b",
    ast.GeneratorExp: "(value for …)",
    ast.IfExp: "a if b else c",
    ast.In: "in",
    ast.Is: "is",
    ast.JoinedStr: 'f"{…}"',
    ast.Lambda: "lambda",
    ast.ListComp: "[value for …]",
    ast.Mod: "a % b",
    ast.Pass: "pass",
    ast.Pow: "a ** b",
    ast.Raise: "raise",
    ast.Set: "{a, b}",
    ast.SetComp: "{value for …}",
    ast.Slice: "a[b:c]",
    ast.Starred: "*a",
    ast.Try: "try",
    ast.While: "while",
    ast.With: "with",
    ast.Yield: "yield",
}


def used(tree: ast.AST) -> set[str]:
    """The constructs, functions, methods and names of arguments that this code needs, without its own."""
    own: set[str] = set()
    found: set[str] = set()
    for node in ast.walk(tree):
        found |= {label for kind, label in CONSTRUCTS.items() if isinstance(node, kind)}
        if isinstance(node, ast.Constant) and node.value is Ellipsis:
            found.add("...")
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            own.add(node.name)
        if isinstance(node, ast.arg):
            own.add(node.arg)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, ast.Name):
            found.add(node.id)
        if isinstance(node, ast.Attribute):
            (own if isinstance(node.ctx, ast.Store) else found).add(node.attr)
        if isinstance(node, ast.alias):
            found |= set((node.asname or node.name).split("."))
        if isinstance(node, ast.keyword):
            found.add(node.arg or "**a")
        if isinstance(node, ast.ExceptHandler) and node.name:
            own.add(node.name)
    return found - own - KNOWN


def introduced(text: str) -> set[str]:
    """What the code in this text's paragraphs "New:" names or shows."""
    found: set[str] = set()
    for paragraph in NEW.findall(text):
        for span in re.findall(r"`([^`]+)`", paragraph.replace("\n", " ")):
            found |= set(re.findall(r"[A-Za-z_]\w*", span)) | {span}
            try:
                found |= used(ast.parse(span))
            except SyntaxError:
                continue
    return found


@pytest.mark.parametrize("folder", lessons.FOLDERS, ids=lambda folder: folder.name)
def test_nothing_is_used_before_it_is_explained(folder: Path) -> None:
    explained: set[str] = set()
    early: list[str] = []
    for page in (page for page in lessons.pages() if page.parent == folder):
        parts = lessons.parts(page)
        foreign = used(ast.parse("\n".join(part.text for part in parts if part.kind == "python")))
        for part in parts:
            if part.kind == "markdown":
                explained |= introduced(part.text)
            if part.kind == "python":
                missing = (used(ast.parse(part.text)) & foreign) - explained
                early += [f"{page.name}: {name}" for name in sorted(missing)]
                explained |= missing  # each is told once
    assert not early, "\n".join(early)


def test_what_counts_as_explained() -> None:
    new = "**New:** `lambda a: a + 1` and `{n for n in rows}`,\n`nn.Linear(2, 3)` too.\n\n`try`"
    explained = introduced(new)
    assert {"lambda", "{value for …}", "nn", "Linear"} <= explained
    assert not {"try", "{name: value}"} & explained
    sample = (
        "for a in rows:\n    with open(a, mode=0) as file:\n        total = {b: len(b) for b in file.read()}"
    )
    assert used(ast.parse(sample)) == {"rows", "with", "open", "mode", "{name: value for …}", "read"}
