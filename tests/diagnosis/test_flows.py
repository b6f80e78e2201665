"""Ways by which targets come to a loss: what ``use`` is given is followed to ``MARK``, not to ``load``."""

import ast
import re
from pathlib import Path

import pytest

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.source import called, tree
from treino.diagnosis.reading.traced import Value, traced

WAYS = Path(__file__).with_name("flows.txt").read_text()
PARTS = re.split(r"^=== (\w+)\n", WAYS, flags=re.MULTILINE)[1:]
FLOWS = dict(zip(PARTS[::2], PARTS[1::2], strict=True))


@pytest.mark.parametrize("name", FLOWS)
def test_a_target_is_followed_to_where_it_is_made(name: str, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(FLOWS[name])
    module = tree(str(path))
    assert module is not None
    loss = called(module, "use")[0]
    made = [v.node for v in traced(Value(Site(str(path), loss.lineno), loss.args[1]))]
    names = {n.func.id for n in made if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert "MARK" in names
    assert "load" not in names
