"""Notebooks run as they are: cells in order, in one namespace; lines are named by cell."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from treino_doctor.command import main
from treino_doctor.process.notebooks import read_notebook

TRAINING = [
    "import torch\nnet = torch.nn.Linear(3, 1)",
    "",
    "opt = torch.optim.SGD(net.parameters(), lr=1e-3)",
    "for i in range(6):\n    net(torch.ones(4, 3)).pow(2).mean().backward()\n    opt.step()",
]
ONLY_JUPYTER = [
    "%xmode Plain\nfrom __future__ import annotations\nimport sys",
    "cd .",
    "%%time\nx = 3\nif x:\n    %time print('timed', x)\nprint(x)",
    "%%capture out\ny = 4",
    "  a = 1\n  for b in (a,):\n      print('indented', b)",
    "z = %time y + 1\nprint(z)",
    "!echo hidden \\\n   more\nprint('after')\nlist?\n?list",
    "text = '''\n%not a magic\n!nor this\n'''\nprint(text, 7\n% 4)",
    "def late(a: Unknown):\n    return a\nprint(late(5))",
    "%%html\n<b>no Python</b>",
    "%%writefile helper.py\nWORD = 'written'",
    "import helper\nprint(helper.WORD)",
    "get_ipython is None\nprint('colab' in str(get_ipython()))",
    "import asyncio\nasync def word():\n    return 'awaited'\nprint(await word())",
    "async def words():\n    yield 'in turn'\nasync for each in words():\n    print(each)",
    "async with asyncio.Lock():\n    [each async for each in words()]",
]
PRINTED = "timed 3|3|indented 1|5|after|%not a magic|!nor this| 3|5|written|False|awaited|in turn"
JUPYTER = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.system = lambda shell, command: None
shell = InteractiveShell.instance()
for cell in json.load(open(sys.argv[1]))["cells"]:
    if not "".join(cell["source"]).startswith("%%html"):
        shell.run_cell("".join(cell["source"]))
"""


def write(path: Path, cells: list[str], **metadata: object) -> Path:
    parts = [{"cell_type": "code", "source": text.splitlines(keepends=True)} for text in cells]
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": "# A"}, *parts]} | metadata))
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    return tmp_path


def test_a_finding_is_named_by_cell_and_line_as_jupyter_counts_them(folder, capfd):
    path = write(folder / "work/wine.ipynb", TRAINING)
    assert main(["work/wine.ipynb"]) == 0
    report = capfd.readouterr().err
    assert "wine.ipynb, cell 3, line 2\n    2 | net(torch.ones" in report
    assert "seen at cell 3, line 3" in report
    assert main([str(path), "--json"]) == 0
    finding = json.loads(capfd.readouterr().out)["findings"][0]
    assert (finding["file"], finding["cell"], finding["line"]) == (str(path), 3, 2)
    assert finding["seen"] == {"file": str(path), "cell": 3, "line": 3}


def test_notes_name_the_cell_too(folder, capfd):
    rows = "import torch\ntorch.manual_seed(0)\nx = torch.randn(200, 3)\ny = (x[:, 0] > 0).long()"
    net = "net = torch.nn.Linear(3, 2)\nopt = torch.optim.SGD(net.parameters(), lr=0.1)"
    steps = "for i in range(12):\n    opt.zero_grad()\n    torch.nn.functional.cross_entropy(net(x), y)"
    figure = "with torch.no_grad():\n    print((net(x).argmax(1) == y).float().mean().item())"
    write(folder / "wine.ipynb", [rows, net, steps + ".backward()\n    opt.step()", figure])
    assert main(["wine.ipynb"]) == 0
    note = "The 200 rows evaluated at cell 4, line 2 are of the training: so is the figure."
    assert capfd.readouterr().err.count(note) == 1


def test_sarif_leads_to_the_line_of_the_notebooks_file(folder):
    path = write(folder / "wine.ipynb", ["# opt.step()", *TRAINING])
    for text, line in ((json.dumps(json.loads(path.read_text()), indent=1), None), (path.read_text(), 1)):
        path.write_text(text)
        main(["wine.ipynb", "--sarif", "out.sarif"])
        (result,) = json.loads(Path("out.sarif").read_text())["runs"][0]["results"]
        assert result["message"]["text"].startswith("cell 4, line 2: ")
        start = result["locations"][0]["physicalLocation"]["region"]["startLine"]
        assert start == line or ("backward()" in text.splitlines()[start - 1] and line is None)


def test_cells_print_what_they_print_in_jupyter(folder, capfd):
    """IPython itself is asked; only shell commands and other languages are left out."""
    pytest.importorskip("IPython", reason="needs ipython: pip install ipython")
    path = write(folder / "work/only.ipynb", ONLY_JUPYTER)
    assert main([str(path)]) == 0
    out, report = capfd.readouterr()
    line = [sys.executable, "-c", JUPYTER, str(path)]
    jupyter = subprocess.run(line, cwd=folder / "work", capture_output=True, text=True, check=True).stdout
    times = ("CPU times", "Wall time", "Writing", "Init signature", "Docstring", "Type:", "Subclasses")
    printed = [row for row in out.splitlines() if row]
    assert "|".join(printed) == PRINTED
    assert [row for row in jupyter.splitlines() if row in printed and not row.startswith(times)] == printed
    for skipped in ("cell 1: %xmode Plain", "cell 2: cd .", "cell 7: !echo hidden \\", "cell 10: %%html"):
        assert skipped in report


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        (["def f():\n    return 1 / 0", "f()"], ["cell 2, line 1, in <module>", "cell 1, line 2, in f"]),
        (["print('one')", "x = 1\nfor"], ["cell 2, line 2\n    for", "SyntaxError"]),
        (["x = 1\nprint('one')\nreturn x", ""], ["cell 1, line 3\n    return x", "SyntaxError"]),
        (["s = '\u2028'\n\f", "x = '\x1c'\ny = 1 / 0"], ["cell 2, line 2, in <module>\n    y = 1 / 0"]),
        (["x = 1\ry = 2\r", "x\r1 / 0"], ["cell 2, line 2, in <module>\n    1 / 0"]),
        (["print('one')", "x = 1\ny = " + "-" * 100_000 + "1"], ["cell 2, line 1", "too deeply"]),
        (
            ["async def f():\n    1 / 0", "\nawait f()"],
            ["last):\n  File", "cell 2, line 2, in <module>\n    await"],
        ),
    ],
)
def test_a_traceback_names_cells(folder, capfd, monkeypatch, cells, shown):
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)  # whatever ran in this process before
    write(folder / "broken.ipynb", [*cells, "print('not reached')"])
    assert main(["broken.ipynb"]) == 1
    out, err = capfd.readouterr()
    assert "not reached" not in out
    assert ("one" in out) == ("one" in "".join(cells))
    for text in shown:
        assert text in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"cells": [', "not a notebook: Expecting value"),
        ("[]", "no list of cells"),
        ('{"cells": [{"cell_type": "code"}]}', "no list of cells"),
        ('{"cells": [], "metadata": {"kernelspec": {"language": "R"}}}', "a notebook in R, not in Python"),
        ('{"cells": ' + "[" * 100_000 + "]" * 100_000 + "}", "not a notebook: maximum recursion depth"),
        ('{"cells": [{"cell_type": "code", "source": {"a": 1}}]}', "no list of cells"),
        (
            '{"cells": [{"cell_type": "code", "source": "a = \'\\ud800\'"}]}',
            "odd.ipynb, cell 1: 'utf-8' codec",
        ),
    ],
)
def test_what_is_no_python_notebook_is_refused_in_one_sentence(folder, capfd, text, said):
    (folder / "odd.ipynb").write_text(text)
    assert main(["odd.ipynb", "--json"]) == 2
    error = json.loads(capfd.readouterr().out)["error"]
    assert error["rule"] == "script"
    assert said in error["message"]
    assert error["hint"]


@pytest.mark.parametrize(
    "form", [{"indent": 1, "ensure_ascii": False}, {"indent": 2}, {"separators": (",", ":")}], ids=str
)
def test_a_patch_changes_only_lines_of_cells(folder, capfd, form):
    """As Jupyter, Colab and Kaggle write the file; beside a magic it is left, with the reason."""
    path = write(folder / "wine.ipynb", ["!echo é\nx = 1  # coding: latin-1", *TRAINING], nbformat=4)
    before = json.loads(path.read_text())
    before["cells"][1]["outputs"] = [{"output_type": "stream", "text": ["é\u2028"], "size": 1e-07}]
    path.write_text(json.dumps(before, **form), "utf-8")
    assert main(["wine.ipynb", "--fix", "a.patch"]) == 0
    subprocess.run(["patch", "-p0", "-i", "a.patch"], check=True, capture_output=True)
    after = json.loads(path.read_text("utf-8"))
    source = before["cells"][-1]["source"]
    assert after["cells"][-1].pop("source") == [source[0], "    opt.zero_grad()\n", *source[1:]]
    del before["cells"][-1]["source"]
    assert after == before
    changed = [line for line in Path("a.patch").read_text("utf-8").splitlines() if line[0] in "+-"]
    assert len(changed) == (3 if "indent" in form else 4)  # two of them name the file
    magic = "for i in range(6):\n    %time net(torch.ones(4, 3)).sum().backward(); opt.step()"
    write(path, [*TRAINING[:3], magic])
    capfd.readouterr()
    main(["wine.ipynb", "--fix", "b.patch"])
    assert "(wine.ipynb, cell 3, line 2): it is beside code that only Jupyter runs" in capfd.readouterr().err


METADATA = [
    None,
    [],
    {"kernelspec": None},
    {"kernelspec": "python3", "language_info": 7},
    {"language_info": {}},
]


@pytest.mark.parametrize("metadata", METADATA, ids=str)
def test_metadata_that_name_no_language_are_no_fault(folder, capfd, metadata):
    write(folder / "odd.ipynb", ["print('ran')"], metadata=metadata)
    assert main(["odd.ipynb"]) == 0
    assert capfd.readouterr().out == "ran\n"


def test_an_old_notebook_s_worksheets_are_all_run(folder, capfd):
    sheets = [{"cells": [{"cell_type": "code", "input": f"print({n})"}]} for n in (1, 2)]
    (folder / "old.ipynb").write_text(json.dumps({"nbformat": 3, "worksheets": sheets}))
    assert main(["old.ipynb"]) == 0
    assert capfd.readouterr().out == "1\n2\n"


def test_a_file_s_name_in_quotes(folder, capfd):
    write(
        folder / "odd.ipynb",
        [
            "%%writefile 'my words.txt'\na\n",
            "from pathlib import Path\nprint(Path('my words.txt').read_text())",
        ],
    )
    assert main(["odd.ipynb"]) == 0
    assert capfd.readouterr().out == "a\n\n"


def test_a_script_that_is_nested_too_deeply_ends_as_in_python(folder, capfd):
    (folder / "deep.py").write_text("a = " + "-" * 100_000 + "1\n")
    assert main(["deep.py"]) == 1
    err = capfd.readouterr().err
    assert "ended early, by " in err  # RecursionError, or MemoryError before Python 3.12
    assert "Traceback" not in err


def test_the_time_of_reading_grows_as_a_line():
    """It would take hours if it grew as the cube of the spaces."""
    cells = [{"cell_type": "code", "source": "a = 1\n" + " " * 20_000 + "b c"}]
    assert read_notebook("a.ipynb", json.dumps({"cells": cells}).encode()).parts
