"""``treino kata``: any right mend of a kata passes, and what only looks like one does not."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from tests.conftest import Said

from bed_scripts import mended
from treino.base import words
from treino_doctor.base import words as base
from treino_doctor.rules import rules
from treino_lessons.tasks import process
from treino_lessons.tasks.exercise import Exercise
from treino_lessons.tasks.kata import Examination, Kata
from treino_lessons.tasks.record import read_progress, record, record_path

NAMES = Kata.names()
KATAS = {kata.name: kata for kata in Kata.every()}
FILE = record_path(None)
AS_IT_IS, ORIGINAL = process.run_apart, Kata.examined_original

RIGHT: dict[str, list[dict[str, str]]] = {
    "wine": [
        {"    optimizer.step()": "    optimizer.step()\n    optimizer.zero_grad()"},
    ],
    "pixels": [
        {"nn.Softmax": "nn.LogSoftmax", "CrossEntropyLoss": "NLLLoss"},
        {"criterion(net(x[rows])": "criterion(net[:3](x[rows])"},
    ],
    "mushrooms": [
        {
            "        optimizer.step\n": "        optimizer.step()\n",
            "Adam(net.parameters(), lr=0.01)": "AdamW(net.parameters(), lr=0.02)",
        }
    ],
    "bicycles": [
        {"y[rows])": "y[rows].unsqueeze(1))"},
        {"nn.Linear(64, 1))": "nn.Linear(64, 1), nn.Flatten(0))", "net(rows).squeeze(1)": "net(rows)"},
    ],
    "greenhouse": [
        {"SGD(body.parameters(), lr=0.1)": "Adam([*body.parameters(), *head.parameters()], lr=0.01)"},
    ],
    "bulbs": [{"scores.argmax() == y_test": "answers(x_test) == y_test"}],
    "tickets": [{"zero_grad()\n        optimizer.step()": "step()\n        optimizer.zero_grad()"}],
    "letters": [
        {"    return net(rows).argmax(1)": "    net.eval()\n    return net(rows).argmax(1)"},
        {
            "range(20):": "range(20):\n    net.train()",
            "with torch.no_grad()": "net.eval()\nwith torch.no_grad()",
            "right.float().mean().item())": "right.float().mean().item())\nnet.train()",
        },
    ],
    "houses": [
        {
            "    x_new, y_new = x[torch.randperm(len(x))], y[torch.randperm(len(y))]\n": "",
            "zip(x_new.split(50), y_new.split(50))": "torch.utils.data.DataLoader([*zip(x, y)], 50, True)",
        }
    ],
    "survey": [
        {"torch.arange(len(x)).split": "torch.arange(len(x)).view(-1, 3).T.reshape(-1).split"},
        {"torch.arange(len(x))": "torch.randperm(len(x), generator=torch.Generator().manual_seed(5))"},
    ],
    "voices": [
        {"x_train, y_train = x[order], y[order]": "x_train, y_train = x[order][:600], y[order][:600]"}
    ],
    "blood": [
        {"x.mean(0), x.std(0)": "x[train].mean(0), x[train].std(0)"},
    ],
    "leaves": [
        {"    return net(shaken(rows)).argmax(1)": "    return net(rows).argmax(1)"},
        {"1.3 * torch.randn_like(rows)": "1.3 * torch.randn_like(rows) * torch.is_grad_enabled()"},
    ],
    "rivers": [
        {
            "scaled = x": "mean, spread = x.mean(0), x.std(0)\nscaled = (x - mean) / spread",
            "return net(rows)": "return net((rows - mean) / spread)",
        }
    ],
    "walker": [
        {
            "        optimizer = torch.optim.Adam(net.parameters(), lr=0.02)\n": "",
            "    for rows in": (
                "    if not epoch:\n        optimizer = torch.optim.Adam(net.parameters())\n    for rows in"
            ),
            "range(15)": "range(40)",
        },
    ],
    "birds": [{"net.state_dict()": "{k: v.clone() for k, v in net.state_dict().items()}"}],
    "turbine": [
        {"total += loss\n": "total += loss.detach()\n", "    return net": "    net.eval()\n    return net"}
    ],
    "spam": [
        {", nn.Sigmoid())": ")", "> 0.5": "> 0"},
        {"BCEWithLogitsLoss": "BCELoss", "lr=0.1": "lr=0.2"},
        {", nn.Sigmoid())": ")", "(net(rows)": "(net(rows).sigmoid()"},
    ],
    "radio": [{"    for rows in": "    net.train()\n    for rows in"}],
}
"""Right mends besides the one in the kata's own file: text of the script → its replacement."""


@cache
def original(kata: Kata) -> Examination:
    return ORIGINAL(kata)


@pytest.fixture
def quick(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts are run in a fork, and each kata's original once."""
    monkeypatch.setattr(Kata, "examined_original", original)


@pytest.fixture
def check(treino: Callable[..., Said], tmp_path: Path, quick: None) -> Callable[..., dict[str, Any]]:
    """What ``treino kata FILE --json`` says of a kata with replaced texts."""

    def judged(name: str, replaced: dict[str, str]) -> dict[str, Any]:
        path = tmp_path / f"kata-{name}.py"
        path.unlink(missing_ok=True)
        assert treino("kata", name).status == 0
        text = path.read_text()
        for old, new in replaced.items():
            assert text.count(old) == 1, (name, old, text.count(old))
            text = text.replace(old, new)
        path.write_text(text)
        said = treino("kata", path.name, "--json")
        found = said.document
        assert said.status == (0 if found["mended"] else 1), said
        found["failed"] = [c["name"] for c in found["checks"] if not c["ok"]]
        return found

    return judged


# ---- the judgement


@pytest.mark.slow
@pytest.mark.sampled(12)
@pytest.mark.parametrize(
    ("name", "mend"), [(n, m) for n, all_of in RIGHT.items() for m in range(len(all_of))]
)
def test_any_right_mend_passes(check: Callable[..., dict[str, Any]], name: str, mend: int) -> None:
    found = check(name, RIGHT[name][mend])
    assert found["mended"], [c for c in found["checks"] if not c["ok"]]
    assert found["after"]["measured"] >= KATAS[name].goal


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.release if n != "wine" else pytest.mark.proof) for n in NAMES]
)
def test_the_mend_of_the_file_itself_passes_and_the_script_as_given_does_not(
    treino: Callable[..., Said], quick: None, name: str
) -> None:
    kata = KATAS[name]
    assert treino("kata", name).status == 0
    said = treino("kata", f"kata-{name}.py", "--json")
    assert said.status == 1
    faults = said.document["after"]["findings"]
    assert {f["rule"] for f in faults} == set(kata.rules)
    Path("mended.py").write_text(f"# kata: {name}\n" + mended((Kata.scripts / f"{name}.py").read_text()))
    said = treino("kata", "mended.py")
    assert said.status == 0, said.out
    assert all(f"{rule}: " in said.out for rule in kata.rules)


WRONG: dict[str, tuple[str, dict[str, str], set[str]]] = {
    "a rate at which the fault does not show": ("wine", {"lr=0.5": "lr=0.001"}, {"fault"}),
    "a comment for the doctor": (
        "wine",
        {"    loss.backward()": "    loss.backward()  # doctor: ignore missing_zero_grad, I know"},
        {"fault", "goal"},
    ),
    "an answer by hand": (
        "wine",
        {"(answers(x_test) == y_test).float().mean().item()": "0.97"},
        {"fault", "goal", "printed"},
    ),
    "no training": ("wine", {"    loss.backward()\n    optimizer.step()\n": ""}, {"trains", "goal"}),
    "a training that is too short": ("wine", {"range(150)": "range(10)"}, {"trains", "fault"}),
    "other data": ("wine", {"0.6 * torch.randn": "0.1 * torch.randn"}, {"task", "fault", "printed"}),
    "a last figure that is no number": (
        "wine",
        {
            "    loss.backward()": "    net.zero_grad()\n    loss.backward()",
            ".mean().item())": '.mean().item())\n    print("test accuracy", float("nan"))',
        },
        {"printed"},
    ),
    "no answers": (
        "wine",
        {"def answers": "def replies", "answers(x_test)": "replies(x_test)"},
        {"fault", "goal"},
    ),
    "one of two faults": ("turbine", {"total += loss\n": "total += loss.detach()\n"}, {"fault", "printed"}),
    "a fault for another one": (
        "wine",
        {"    loss.backward()": "    loss.backward()\n    optimizer.zero_grad()"},
        {"new", "goal"},
    ),
    "a mend that uncovers the next fault": ("spam", {", nn.Sigmoid())": ")"}, {"fault"}),
    "a memory of one epoch": (
        "walker",
        {
            "        optimizer = torch.optim.Adam(net.parameters(), lr=0.02)\n": "",
            "    for rows": "    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)\n    for rows",
        },
        {"memory"},
    ),
    "a memory that is cleared": (
        "walker",
        {
            "optimizer = torch.optim.Adam(net.parameters(), lr=0.02)": "optimizer.state.clear()",
            "for epoch": "optimizer = torch.optim.Adam(net.parameters(), lr=0.02)\nfor epoch",
        },
        {"memory"},
    ),
    "a new one that has no memory": (
        "walker",
        {"torch.optim.Adam(net.parameters(), lr=0.02)": "torch.optim.SGD(net.parameters(), lr=0.1)"},
        {"memory"},
    ),
    "words that are no Python": ("wine", {"for step in": "for every step in"}, {"runs"}),
    "a question to whoever runs it": ("wine", {"net = nn": 'lr = input("rate?")\nnet = nn'}, {"runs"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", WRONG)
@pytest.mark.sampled(4)
def test_what_only_looks_like_a_mend_does_not_pass(check: Callable[..., dict[str, Any]], what: str) -> None:
    name, replaced, failed = WRONG[what]
    found = check(name, replaced)
    assert not found["mended"]
    assert set(found["failed"]) == failed, found["checks"]


@pytest.fixture
def started(request: pytest.FixtureRequest) -> None:
    """How scripts are run: "forked", or "alone", in processes of their own, as they are."""
    request.getfixturevalue("quick")
    original(KATAS["wine"])
    if request.param == "alone":
        request.getfixturevalue("monkeypatch").setattr(process, "run_apart", AS_IT_IS)


@pytest.mark.parametrize(
    ("started", "loop"),
    [
        ("forked", "while True:\n    pass\n"),
        pytest.param(
            "forked",
            "while True:\n    try:\n        x.sum()\n    except BaseException:\n        pass\n",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "alone",
            "import subprocess\nsubprocess.Popen(['sleep', '600'])\nwhile True:\n    pass\n",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["silent", "stubborn", "with another process"],
    indirect=["started"],
)
def test_a_script_without_an_end_is_stopped_and_told(
    treino: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, started: None, loop: str
) -> None:
    treino("kata", "wine")
    monkeypatch.setattr("treino_lessons.tasks.kata.LIMIT", 0.3)
    path = Path("kata-wine.py")
    path.write_text(path.read_text().replace("net = nn", f"{loop}net = nn"))
    said = treino("kata", path)
    assert said.status == 1
    assert re.search(r"It was still running after [0-9.]+ s, and was stopped\.", said.out)


def ended_by(last: str, treino: Callable[..., Said]) -> tuple[dict[str, Any], str]:
    """The document, and the first check's message, of a right mend that goes on with these lines."""
    treino("kata", "wine")
    path = Path("kata-wine.py")
    text = path.read_text().replace("    loss.backward()", "    net.zero_grad()\n    loss.backward()")
    path.write_text(f"{text}{last}\n")
    document = treino("kata", path, "--json").document
    return document, document["checks"][0]["message"]


@pytest.mark.parametrize(
    ("started", "last", "says"),
    [
        ("forked", "{}['key']", r"It ends early, with status 1\. .*KeyError: 'key'"),
        ("forked", "import ctypes\nctypes.string_at(0)", r"It was ended by signal 11\. .*accuracy 0\.9\d*"),
        pytest.param(
            "alone",
            "import os\nos._exit(3)",
            r"It ends early, with status 3\. .*test accuracy 0\.9\d*",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["error", "crash", "status"],
    indirect=["started"],
)
def test_how_a_script_ended_is_told(
    treino: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, started: None, last: str, says: str
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    document, message = ended_by(last, treino)
    assert (document["mended"], document["after"]["stopped"]) == (False, None)
    assert re.fullmatch(says, message), message


@pytest.mark.parametrize(
    ("output", "figure"),
    [
        ("test accuracy 0,902", "0.902"),
        ("test accuracy: 90,2 %", "0.902"),
        ("test accuracy 1, loss 0.3", "1.0"),
        ("test accuracy tensor([0.5], device='cuda:0')", "0.5"),
        ("test accuracy is 0.902", "0.902"),
        ("acurácia de teste é 0,902", "0.902"),
        ("test accuracy 0.9\ntest accuracy tensor(-inf)", "-inf"),
        ("test accuracy information 3", "None"),
    ],
)
def test_a_printed_figure_is_read_as_people_write_it(output: str, figure: str) -> None:
    assert str(KATAS["wine"].printed_figure(output)) == figure


# ---- the list, a kata, its hints


def test_the_list_says_what_is_done_and_what_is_next(treino: Callable[..., Said]) -> None:
    document = treino("kata", "--json").document
    assert [row["kata"] for row in document["katas"] if row["next"]] == ["wine"]
    assert {row["level"] for row in document["katas"]} == {1, 2, 3}
    assert (document["done"], len(document["katas"])) == (0, len(NAMES))
    record(FILE, "wine", lambda r: r.model_copy(update={"solved": "2026-01-01T00:00:00+00:00"}))
    said = treino("kata")
    assert said.status == 0
    assert f"1 of {len(NAMES)} are mended." in said.out
    assert re.search(r"wine .* done", said.out)
    assert re.search(r"pixels .* next", said.out)
    for name in NAMES[1:]:
        record(FILE, name, lambda r: r.model_copy(update={"solved": "2026-01-01T00:00:00+00:00"}))
    document = treino("kata", "--json").document
    assert (document["done"], document["next"]) == (len(NAMES), None)


@pytest.mark.parametrize("name", NAMES)
def test_a_kata_is_given_with_its_story_and_without_its_fault(treino: Callable[..., Said], name: str) -> None:
    said = treino("kata", name, "--json")
    document = said.document
    text = Path(document["path"]).read_text()
    assert document["path"] == f"kata-{name}.py"
    assert text.startswith(f'# kata: {name}\n"""{document["title"]}\n')
    assert " ".join(text.split()).count(" ".join(document["story"][0].split())) == 1
    assert text.count("\n") <= 60
    assert max(map(len, text.splitlines())) <= 110
    assert not re.search(r"# (expect|mend|goal|ask|place|allowed):", text)
    words_of_it = text.replace("_", " ") + " ".join(document["story"])
    assert not [rule for rule in KATAS[name].rules if rule.replace("_", " ") in words_of_it]
    compile(text, name, "exec")
    assert len(KATAS[name].said("ask")) == len(KATAS[name].rules)
    assert set(KATAS[name].rules) <= set(rules())
    modules = re.findall(r"^(?:import|from) (\w+)", text, re.M)
    assert set(modules) <= {"torch", "numpy", *sys.stdlib_module_names}


def test_what_somebody_wrote_is_never_lost(treino: Callable[..., Said]) -> None:
    Path("kata-wine.py").write_text("mine")
    said = treino("kata", "wine", "--json")
    assert (said.status, said.document["error"]["rule"]) == (2, "file_exists")
    assert "treino kata kata-wine.py" in said.document["error"]["hint"]
    assert Path("kata-wine.py").read_text() == "mine"
    assert treino("kata", "wine", "--to", "other.py").status == 0
    assert treino("kata", "wine", "--replace", "--json").document["replaced"] == ["kata-wine.py"]
    assert Path("kata-wine.py").read_text() == Path("other.py").read_text()
    assert "Then: treino kata 'my own.py'" in treino("kata", "wine", "--to", "my own.py").out
    assert treino("kata", "wine", "--to", "other.txt", "--json").document["error"]["rule"] == "to_ending"


@pytest.mark.slow
def test_each_asking_gives_one_more_hint(treino: Callable[..., Said], quick: None) -> None:
    kata, given = KATAS["rivers"], []
    for left in (2, 1, 0, 0):
        document = treino("kata", "rivers", "--hint", "--json").document
        assert document["left"] == left
        given.append(document["hints"])
    assert [len(hints) for hints in given] == [1, 2, 3, 3]
    assert given[3][0] == kata.hints(1)[0]
    assert given[3][2] == f"unscaled_inputs: {rules()['unscaled_inputs'].fix}"  # its line is the task's
    assert treino("kata", "--json").document["katas"][NAMES.index("rivers")]["hints"] == 3
    assert "That was the last hint." in treino("kata", "rivers", "--hint").out


def test_a_hint_names_a_line_of_the_script_as_it_is_given(treino: Callable[..., Said], quick: None) -> None:
    treino("kata", "wine")
    for _time in range(3):
        said = treino("kata", "wine", "--hint")
    (line,) = re.findall(r"Line (\d+), missing_zero_grad", said.out)
    assert Path("kata-wine.py").read_text().splitlines()[int(line) - 1] == "    loss.backward()"


@pytest.mark.parametrize(
    ("words_typed", "rule", "says"),
    [
        (("winee",), "kata_name", "Did you mean 'wine'?"),
        (("nowhere.py",), "script", "There is no file nowhere.py."),
        (("notes.py",), "kata_line", "# kata: wine"),
        (("latin.py",), "script", "UTF-8"),
        (("folder.py",), "script", "folder.py"),
        (("wine", "--hint", "--to", "a.py"), "usage", "--to"),
        (("--replace",), "usage", "--replace"),
        (("--hint",), "usage", "--hint"),
        (("notes.py", "--to", "a.py"), "usage", "--to"),
        (("wine", "--to", "no/where.py"), "to_place", "no"),
    ],
)
def test_what_can_not_be_is_said(
    treino: Callable[..., Said], tmp_path: Path, words_typed: tuple[str, ...], rule: str, says: str
) -> None:
    (tmp_path / "notes.py").write_text("print(1)\n")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "latin.py").write_bytes(b"# kata: wine\n# caf\xe9\n")
    said = treino("kata", *words_typed, "--json")
    error = said.document["error"]
    assert (said.status, error["rule"]) == (2, rule), said
    assert says in error["message"] + error["hint"]
    assert not Path("kata.json").exists()


# ---- progress

DAMAGED = ["{", '{"format": 3}', '{"katas": {"wine": {"hints": -1}}}', "[" * 9999, "\x00"]


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_progress_is_told_and_left_alone(treino: Callable[..., Said], text: str) -> None:
    treino("kata", "wine")
    Path("kata.json").write_text(text)
    for typed in ((), ("wine", "--hint"), ("kata-wine.py",)):
        said = treino("kata", *typed, "--json")
        assert (said.status, said.document["error"]["rule"]) == (2, "kata_progress"), said
        assert Path("kata.json").read_text() == text


def test_what_other_versions_wrote_is_kept(treino: Callable[..., Said]) -> None:
    """A record of the first form, with keys of a newer one."""
    katas = {"later": {"hints": 1, "stars": 5}, "wine": {"hints": 2, "mended": "2026", "after": 0.5}}
    known = {"format": 1, "katas": katas, "exercises": {"sum": {"tries": 3, "solved": None}}, "badge": "x"}
    FILE.write_text(json.dumps(known))
    record(FILE, "wine", lambda r: r.model_copy(update={"checks": 1}))
    written = json.loads(FILE.read_text())
    assert (written["format"], written["badge"]) == (2, "x")
    assert written["tasks"]["later"]["stars"] == 5
    assert {"hints": 2, "solved": "2026", "after": 0.5, "checks": 1}.items() <= written["tasks"][
        "wine"
    ].items()
    assert written["tasks"]["sum"]["tries"] == 3
    row = treino("kata", "--json").document["katas"][0]
    assert (row["mended"], row["after"]) == ("2026", 0.5)
    assert not {*NAMES} & {*Exercise.names()}  # the record has one name for each task


def test_pupils_who_share_a_folder_have_their_own_records(treino: Callable[..., Said]) -> None:
    said = treino("kata", "wine", "--pupil", "ana")
    assert "Then: treino kata kata-wine-ana.py --pupil ana" in said.out
    assert treino("kata", "wine", "--hint", "--pupil", "ana").status == 0
    assert read_progress(record_path("ana")).of("wine").hints == 1
    assert read_progress(FILE).of("wine").hints == 0
    assert treino("kata", "--pupil", "a/b", "--json").document["error"]["rule"] == "pupil_name"
    assert [row["pupil"] for row in treino("lessons", "--class", ".", "--json").document["pupils"]] == ["ana"]


OFTEN = """
from pathlib import Path
from treino_lessons.tasks.record import record
for _time in range(25):
    record(Path("kata.json"), "wine", lambda r: r.model_copy(update={"checks": r.checks + 1}))
"""


@pytest.mark.slow
def test_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    some = [subprocess.Popen([sys.executable, "-c", OFTEN], cwd=tmp_path) for _ in range(3)]
    assert [process.wait() for process in some] == [0, 0, 0]
    assert json.loads((tmp_path / "kata.json").read_text())["tasks"]["wine"]["checks"] == 75
    assert [path.name for path in tmp_path.iterdir()] == ["kata.json"]


# ---- languages

LETTERS = str.maketrans("aeiou", "áéíóú")


@pytest.fixture
def toy_language(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Portuguese in which every sentence of the katas is English with accents."""
    folder = tmp_path_factory.mktemp("locale")
    catalogue = Catalog(locale="pt_BR", fuzzy=False)
    for sentence in sorted({s for kata in KATAS.values() for s in kata.sentences()}):
        catalogue.add(sentence, sentence.translate(LETTERS))
    (folder / "pt_BR" / "LC_MESSAGES").mkdir(parents=True)
    with (folder / "pt_BR" / "LC_MESSAGES" / "toy.mo").open("wb") as file:
        write_mo(file, catalogue)
    monkeypatch.setitem(base._catalogues, "toy", folder)
    with words.speaking("pt_BR"):
        yield "pt_BR"
    base._set("en")


def without_texts(text: str) -> str:
    """The program without its docstring, its comments and what it prints."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
            node.args = [a for a in node.args if not isinstance(a, ast.Constant)]
    return ast.dump(ast.Module(tree.body[1:], []))


@pytest.mark.parametrize("name", NAMES)
def test_a_kata_is_the_same_program_in_every_language(name: str, toy_language: str) -> None:
    kata = KATAS[name]
    translated, shown = kata.text(), kata.printed_figure(f"{kata.figure.translate(LETTERS)} 0.75 [7]\n")
    with words.speaking("en"):
        english = kata.text()
    assert without_texts(translated) == without_texts(english)
    assert shown == kata.printed_figure(f"x\n{kata.figure}: 0.2\n{kata.figure} 0.75\n") == 0.75
    assert kata.printed_figure(f"{kata.figure} = 75.0 %") == 0.75
    assert kata.printed_figure("0.75") is None
    docstring = ast.get_docstring(ast.parse(english))
    assert docstring is not None
    assert (
        docstring.translate(LETTERS).split() == ast.get_docstring(ast.parse(translated), clean=True).split()
    )
    comments = ([c.strip() for c in re.findall("#(.*)", t)[1:]] for t in (english, translated))
    ours, theirs = ([c for c in own if not c.startswith("----")] for own in comments)
    assert theirs == [c.translate(LETTERS) for c in ours]


@pytest.mark.slow
def test_a_kata_that_was_given_in_one_language_is_checked_in_another(
    treino: Callable[..., Said], quick: None, toy_language: str
) -> None:
    path = Path("kata-wine.py")
    assert treino("kata", "wine", "--lang", "pt_BR").status == 0
    text = path.read_text()
    assert 'print("tést áccúrácy"' in text
    path.write_text(text.replace("    loss.backward()", "    net.zero_grad()\n    loss.backward()"))
    said = treino("kata", path, "--json", "--lang", "en")
    assert said.document["mended"], said.document["checks"]


def test_the_page_lists_the_katas() -> None:
    page = (Path(__file__).parents[1] / "docs/kata.md").read_text()
    rows = [f"| {kata.level} | `{name}` | {kata.title} |" for name, kata in KATAS.items()]
    assert re.findall(r"^\| \d \| .*", page, re.M) == rows
