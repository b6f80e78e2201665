"""``treino lessons``: right solutions in any style pass, and typical mistakes are told with what to do."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Said

from treino.base.words import speaking
from treino_lessons import course, page_file
from treino_lessons.tasks.exercise import Exercise, Outcome

NAMES = sorted(path.stem for path in Exercise.scripts.glob("*.py"))

STYLES: dict[str, list[str]] = {
    "sum": [
        "def gradients(slopes, clear):\n    return [slopes[i] if clear else sum(slopes[: i + 1])"
        " for i in range(len(slopes))]",
        "from itertools import accumulate\nimport numpy\n"
        "gradients = lambda slopes, clear: numpy.array(slopes if clear else [*accumulate(slopes)])",
        "import torch\ndef gradients(slopes, clear):\n    w = torch.zeros(1, requires_grad=True)\n"
        "    found = []\n    for slope in slopes:\n        if clear:\n            w.grad = None\n"
        "        (w * slope).backward()\n        found.append(w.grad.clone())\n    return found",
    ],
    "tensors": [
        "import numpy as np, torch\ndef tensors(rows, classes):\n"
        "    return [torch.from_numpy(np.array(rows, np.float32)), torch.LongTensor(classes)]",
    ],
    "missing": [
        "def missing(outputs):\n    return {*range(outputs.shape[1])} - {*outputs.argmax(1).tolist()}",
    ],
    "loop": [
        "import torch\nfrom torch.nn import functional as F\ndef train(net, x, y, lr, steps):\n"
        "    losses = []\n"
        "    for step in range(steps):\n        loss = F.cross_entropy(net(x), y)\n"
        "        slopes = torch.autograd.grad(loss, [*net.parameters()])\n        with torch.no_grad():\n"
        "            for p, g in zip(net.parameters(), slopes):\n                p -= lr * g\n"
        "        losses.append(loss)\n    return losses",
        "import torch\ndef train(net, x, y, lr, steps):\n    o = torch.optim.SGD(net.parameters(), lr)\n"
        "    found = torch.zeros(steps)\n    for i in range(steps):\n"
        "        loss = torch.nn.CrossEntropyLoss()(net(x), y)\n        loss.backward()\n        o.step()\n"
        "        o.zero_grad()\n        found[i] = loss.detach()\n    return found.numpy()",
    ],
    "promise": [
        "import torch\ndef promised(gradients, lr):\n    "
        "    return lr * float(sum(g.norm() ** 2 for g in gradients))",
    ],
    "valley": ["def place(lr, k, steps):\n    return (1 - lr * k) ** steps"],
    "normalise": [
        "import torch\nfrom sklearn.preprocessing import StandardScaler\ndef normalised(train, test):\n"
        "    s = StandardScaler().fit(train)\n    return s.transform(train), s.transform(test)",
    ],
    "floor": [
        "import torch\ndef cross_entropy(logits, right):\n"
        "    return torch.nn.CrossEntropyLoss()(torch.tensor([logits]), torch.tensor([right]))",
    ],
    "iterations": ["def iterations(rows, batch_size, epochs):\n    return -(-rows // batch_size) * epochs"],
    "epoch": [
        "import torch\ndef batches(rows, size, epoch):\n    g = torch.Generator().manual_seed(epoch)\n"
        "    return torch.randperm(rows, generator=g).split(size)",
    ],
    "dataset": [
        "import torch\nclass Table:\n    def __init__(self, rows):\n        t = torch.tensor(rows)\n"
        "        self.x, self.y = t[:, :-1].float(), t[:, -1].long()\n    def __len__(self):\n"
        "        return self.y.numel()\n    def __getitem__(self, i):\n        return self.x[i], self.y[i]",
    ],
    "forward": [
        "import numpy as np\ndef forward(loader, net, epoch, mode):\n    net.train(mode == 'train')\n"
        "    l = []\n"
        "    for x, y in loader:\n        optimizer.zero_grad()\n"
        "        loss = criterion(net(x.to(args['device'])), y.to(args['device']))\n"
        "        l.append(loss.cpu().data)\n        if mode == 'train':\n            loss.backward()\n"
        "            optimizer.step()\n    print('Loss: %.4f' % np.asarray(l).mean())",
    ],
    "module": [
        "import torch\nfrom torch import nn\nclass MLP(nn.Module):\n"
        "    def __init__(self, inputs, hidden, classes):\n        super().__init__()\n"
        "        layers = nn.Linear(inputs, hidden), nn.Linear(hidden, classes)\n"
        "        self.features = nn.ModuleList(layers)\n    def forward(self, x):\n"
        "        return self.features[1](torch.relu(self.features[0](x.flatten(1))))",
    ],
}  # fmt: skip
"""Right solutions besides the script's own."""


def file_with(exercise: Exercise, text: str, folder: Path) -> Path:
    path = folder / "lesson.py"
    path.write_text(f"# exercise: {exercise.name}\n{text}\n")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_passes_and_the_file_as_it_is_given_is_no_try(name: str, tmp_path: Path) -> None:
    exercise = Exercise.named(name)
    imports = exercise.text().partition('"""\n')[2].partition(exercise.header)[0]
    path = file_with(exercise, imports + exercise.solution, tmp_path)
    assert exercise.outcome(path) == Outcome()
    path.write_text(exercise.text())
    assert not exercise.judge(path).tried
    assert len(exercise.hints(9)) == exercise.hint_count == 3


@pytest.mark.parametrize(("name", "style"), [(name, text) for name in STYLES for text in STYLES[name]])
def test_other_styles_pass(name: str, style: str, tmp_path: Path) -> None:
    exercise = Exercise.named(name)
    assert exercise.outcome(file_with(exercise, style, tmp_path)) == Outcome()


def mistakes() -> Iterator[tuple[str, str]]:
    for name in NAMES:
        yield from ((name, mistake) for mistake in Exercise.named(name).mistakes)


@pytest.mark.parametrize(("name", "mistake"), [*mistakes()])
def test_a_typical_mistake_is_told(name: str, mistake: str, tmp_path: Path) -> None:
    exercise = Exercise.named(name)
    path = tmp_path / "lesson.py"
    path.write_text(f"names = {{}}\nexec({exercise.body!r}, names)\n{exercise.called} = names[{mistake!r}]\n")
    found = exercise.outcome(path)
    assert found.hint == exercise.mistakes[mistake]
    assert "is right" in found.message
    if mistake == "InAList":  # only what differs, in the reader's language
        assert "gives weights and biases: 0, and weights and biases: 25450 is right" in found.message
        with speaking("pt_BR"):
            assert "dá pesos e vieses: 0" in exercise.outcome(path).message


FAULTY = {
    "def gradients(slopes, clear):\n    return slopes[9]": ("raises IndexError", "line 3 (return slopes[9])"),
    "def gradients(slopes, clear):\n    pass": ("gives None", "return"),
    "def gradients(slopes, clear) return 1": ("SyntaxError", "imports"),
    "def gradient(slopes, clear):\n    return 1": (
        "makes no function gradients",
        "def gradients(slopes, clear):",
    ),
    "def gradients():\n    return 1": ("raises TypeError", ""),
    "import nowhere": ("ModuleNotFoundError", "imports"),
}


@pytest.mark.parametrize("text", FAULTY, ids=range(len(FAULTY)))
def test_a_faulty_file_is_told_without_a_traceback(text: str, tmp_path: Path) -> None:
    found = Exercise.named("sum").outcome(file_with(Exercise.named("sum"), text, tmp_path))
    assert FAULTY[text][0] in found.message
    assert FAULTY[text][1] in found.hint


@pytest.mark.release
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("while True:\n        pass", "line [34]"),
        ("try:\n        while True:\n            pass\n    except Exception:\n        return 1", "line [45]"),
        ("import os; os._exit(0)", "ends the program"),
        ("raise SystemExit", "ends the program"),
    ],
)
def test_what_never_ends_or_ends_the_program_is_told(
    quick: None, tmp_path: Path, body: str, said: str
) -> None:
    exercise = Exercise.named("sum")
    path = file_with(exercise, f"def gradients(slopes, clear):\n    {body}", tmp_path)
    assert re.search(said, exercise.judge(path).message)


@pytest.mark.proof
def test_the_way_of_a_learner(treino: Callable[..., Said], quick: None) -> None:
    """Given, looked at, tried, hints, the solution, solved; and the record keeps it beside the katas'."""
    assert treino("lessons", "sum").status == 0
    path = Path("lesson-sum.py")
    given = path.read_text()
    assert treino("lessons", "sum", "--json").document["error"]["rule"] == "file_exists"
    assert treino("lessons", "sum", "--solution", "--json").document["error"]["rule"] == "no_try"
    assert treino("lessons", str(path)).status == 1
    assert treino("lessons", "sum", "--solution").status == 2  # nothing was written yet
    path.write_text(given.replace("...", "print('here'); return slopes"))
    said = treino("lessons", str(path))
    assert said.status == 1
    assert "each slope is added" in said.out
    assert "here" in said.err
    assert "Traceback" not in said.out + said.err
    for left in (2, 1, 0, 0):
        assert treino("lessons", "sum", "--hint", "--json").document["left"] == left
    assert "--solution" in treino("lessons", str(path)).out
    solution = treino("lessons", "sum", "--solution").out
    path.write_text(f"# exercise: sum\n{solution}")
    said = treino("lessons", str(path), "--json")
    assert (said.status, said.document["passed"]) == (0, True)
    kept = json.loads(Path("kata.json").read_text())["tasks"]["sum"]
    assert (kept["tries"], kept["shown"], bool(kept["solved"])) == (3, True, True)
    document = treino("lessons", "--no-browser", "--json").document
    assert document["done"] == 1
    assert document["next"] != "sum"
    assert "✓" in Path("lessons.html").read_text()


def test_the_table_of_a_class(treino: Callable[..., Said]) -> None:
    solved = {"exercises": {"sum": {"solved": "2026-05-01T10:00:00+00:00", "tries": 2, "hints": 1}}}
    Path("kata.json").write_text(json.dumps({"format": 1, **solved}))
    Path("class").mkdir()
    assert treino("lessons", "--to", "class/ana.json").status == 0
    Path("class/bia").mkdir()
    Path("class/bia/kata.json").write_text(
        '{"exercises": {"loop": {"tries": 1}}, "katas": {"wine": {"mended": "x"}}}'
    )
    pupils = treino("lessons", "--class", "class", "--json").document["pupils"]
    assert [(row["pupil"], row["solved"], row["hints"], row["katas"]) for row in pupils] == [
        ("ana", 1, 1, 0),
        ("bia", 0, 0, 1),
    ]
    assert (pupils[0]["exercises"]["sum"], pupils[1]["exercises"]["loop"]) == ("●", "○")
    said = treino("lessons", "--class", "class")
    assert re.search(r"ana +1 +1 +0 +0 +2026-05-01 +·*●·*", said.out)
    Path("class/caio.json").write_text("{")
    assert treino("lessons", "--class", "class", "--json").document["error"]["rule"] == "kata_progress"
    assert treino("lessons", "--class", "nowhere", "--json").document["error"]["rule"] == "class_folder"


@pytest.mark.parametrize(
    "typed", [("--hint",), ("sum", "--class", "x"), ("--solution",), ("sum", "--hint", "--solution")]
)
def test_what_does_not_go_together(treino: Callable[..., Said], typed: tuple[str, ...]) -> None:
    assert treino("lessons", *typed, "--json").document["error"]["rule"] == "usage"


@pytest.mark.parametrize("tongue", course.FOLDERS)
def test_each_lesson_with_code_has_an_exercise_and_each_page_a_question(tongue: str) -> None:
    with speaking(tongue):
        every = course.pages()
    names = [page.exercise for page in every if page.number]
    assert None not in names
    assert sorted(map(str, names)) == NAMES
    for page in every:
        assert page.text.count("<details>") >= 2, page.path.name


@pytest.mark.parametrize("tongue", course.FOLDERS)
def test_the_course_is_one_page_whose_links_lead_somewhere(tongue: str) -> None:
    with speaking(tongue):
        made = page_file.course({"sum"})
        names = [page.path.stem for page in course.pages()]
    assert made.count("<article") == len(names)
    links: Any = set(re.findall(r"""href=['"]([^'"]+)['"]""", made))
    places = {link[1:] for link in links if link.startswith("#")}
    assert places <= {*names}
    assert all(link.startswith(("http", "#", "playground.html#")) for link in links)
    assert re.findall(r"""src=['"](?!data:)""", made) == []
