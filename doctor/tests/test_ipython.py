"""The doctor's magics in IPython itself, in a process of its own."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from forked import plain
from treino_doctor.ipython import load_ipython_extension, unload_ipython_extension

pytest.importorskip("IPython", reason="needs ipython: pip install ipython")
MADE = "import torch\nnet = torch.nn.Linear(3, 1)\nopt = torch.optim.SGD(net.parameters(), lr=1e-3)"
LOOP = "for i in range(6):\n    net(torch.ones(4, 3)).pow(2).mean().backward()\n    opt.step()"
CELLS = [
    "%load_ext treino_doctor",
    MADE,
    "%%doctor\n\n" + LOOP,
    "%doctor on",
    LOOP,
    "%doctor off",
    "%%doctor\nraise ValueError('mine')",
    "%doctor sideways",
    "%doctor",
    "import sys\nprint('treino' in sys.modules)",
]
SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance(colors="nocolor")
said = []
for cell in json.loads(sys.argv[1]):
    with capture_output() as caught:
        shell.run_cell(cell, store_history=True)
    said.append(caught.stdout + caught.stderr)
    said[-1] += "".join(o.data["text/html"] + o.data["text/plain"] for o in caught.outputs)
print(json.dumps(said))
"""


@pytest.mark.slow
def test_cells_are_examined_and_an_error_is_shown_once(tmp_path):
    (tmp_path / "shell.py").write_text(SHELL)
    done = plain(tmp_path / "shell.py", json.dumps(CELLS))
    said = json.loads(done.out.splitlines()[-1])  # what each cell printed or displayed
    assert ">line 4 (seen at line 5)<" in said[2]  # counted from the cell's top
    assert "missing_zero_grad  line 4 (seen at line 5)\n    net(torch" in said[2]  # for a terminal
    assert "missing_zero_grad" in said[5]
    assert ">In[5], line 2 (seen at In[5], line 3)<" in said[5]
    assert said[6].count("ValueError: mine") == 1
    assert "no backward seen" in said[6]
    assert "UsageError: %doctor takes on or off" in said[7]
    assert said[8] == "The doctor is off.\n"
    assert said[9] == "False\n"  # it needs nothing of treino's


def test_who_unloads_the_magics_sends_the_doctor_away() -> None:
    table: dict[str, dict[str, Any]] = {"line": {}, "cell": {}}

    def register(magic: Any, _kind: str, name: str) -> None:
        table["line"][name] = table["cell"][name] = magic

    shell = SimpleNamespace(magics_manager=SimpleNamespace(magics=table), register_magic_function=register)
    before = torch.autograd.backward
    load_ipython_extension(shell)
    table["line"]["doctor"]("on")
    assert torch.autograd.backward is not before
    unload_ipython_extension(shell)
    assert torch.autograd.backward is before
    assert table == {"line": {}, "cell": {}}
