"""Small sources in a file, and places in them that bear marks."""

import ast
import re
import textwrap
from pathlib import Path

from treino_doctor.finding import Site
from treino_doctor.places.source import place, refresh, written_on

FAULT = """
import torch
net = torch.nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=1e-3)
for i in range(6):
    net(torch.ones(4, 3)).pow(2).mean().backward()
    opt.step()
"""
"""A training that never clears its gradients, which is told at line 6."""

_STEPS = re.compile(r"^( *)(?:(\w+) STEPS|STEP): (.+)$", re.MULTILINE)


def program(text: str) -> str:
    """A script in full: a line ``STEP: LOSS`` is a step of ``optimizer``, ``20 STEPS: LOSS`` are twenty."""

    def lines(match: re.Match[str]) -> str:
        indent, steps, loss = match.groups()
        body = f"optimizer.zero_grad()\nloss = {loss}\nloss.backward()\noptimizer.step()"
        if steps is not None:
            body = f"for step in range({steps}):\n" + textwrap.indent(body, "    ")
        return textwrap.indent(body, indent)

    return _STEPS.sub(lines, textwrap.dedent(text))


def parts(name: str) -> dict[str, str]:
    """The scripts in a file of these tests, each by the line above it, which begins with ``===``."""
    text = (Path(__file__).parent / name).read_text()
    pieces = (part.partition("\n") for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:])
    return {head: body for head, _, body in pieces}


def script(tmp_path: Path, text: str, name: str = "script.py") -> str:
    """A file with these lines."""
    path = tmp_path / name
    path.write_text(textwrap.dedent(text).lstrip("\n"))
    refresh()
    return str(path)


def marked(path: str, mark: str) -> Site:
    """The line of a file that ends with ``# mark``."""
    lines = Path(path).read_text().splitlines()
    line = next(i for i, text in enumerate(lines, 1) if text.endswith(f"# {mark}"))
    return place(path, ast.Pass(), line)


def spelled(site: Site, text: str) -> ast.AST:
    """The expression on a line that is spelled so."""
    nodes = (n for tree in written_on(site) for n in ast.walk(tree) if isinstance(n, ast.expr))
    return next(n for n in nodes if ast.unparse(n) == text)
