"""treino in real notebooks, run by a real kernel: one changing output, cards, the doctor's cells."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
import torch

import treino as tr
from tests.plots.browser import looked_at
from tests.waiting import HANG
from treino import api
from treino.inspection.boundary import boundary_preview, previewable, sight
from treino.notebook import SHARE, Output, RunFigure
from treino.training.loop import JobEnd, JobProgress, JobStart

NASTY = "<script>document.title='run'</script>"
FAULTY = """
for step in range(70):
    loss = torch.nn.functional.cross_entropy(net(x), y)
    loss.backward()
    opt.step()"""
MADE = """import torch
x, y = torch.randn(60, 4), torch.randint(0, 3, (60,))
net = torch.nn.Linear(4, 3)
opt = torch.optim.SGD(net.parameters(), 0.01)"""


class Handle:
    """What IPython's display gives: it keeps each thing that was shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def __call__(self, html: Any, display_id: bool = False) -> "Handle":
        self.shown.append(html.data)
        return self

    def update(self, html: Any) -> None:
        self.shown.append(html.data)


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Handle:
    display = pytest.importorskip("IPython.display")
    made = Handle()
    monkeypatch.setattr(display, "display", made)
    return made


def test_drawing_takes_a_hundredth_of_the_time(handle: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    drawn: list[float] = []
    monkeypatch.setattr("treino.notebook.time.perf_counter", lambda: now)
    output = Output("begin")

    def draw() -> str:
        nonlocal now
        now += 0.02
        drawn.append(now)
        return "drawn"

    while now < 200:
        now += 0.05  # a chunk of training
        if output.due:
            output.show(draw)
    assert 50 <= len(drawn) <= now / (0.02 * SHARE) + 1
    assert np.diff(drawn).min() >= 0.5


@pytest.mark.slow
def test_the_figure_follows_a_training_and_changes_nothing(
    handle: Handle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treino.notebook.EVERY", 0.0)
    monkeypatch.setattr("treino.notebook.SHARE", 0.0)
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 2)), columns=["a", "<b>"])
    frame["c"] = np.where(frame["a"] > 0, NASTY, "fine")
    settings = {"target": "c", "epochs": 30, "lean": True, "parent": tmp_path}
    figure, events = RunFigure(), list[type]()

    def tell(event: Any) -> None:
        events.append(type(event))
        figure.tell(event)

    run = tr.fit(frame, watch=tell, **settings)
    plain = tr.fit(frame, **settings)
    weights, same = run.tensors, plain.tensors
    assert all(torch.equal(weights[name], same[name]) for name in {*weights, *same})
    assert events[0] is JobStart
    assert events[-1] is JobEnd
    assert JobProgress in events
    last = handle.shown[-1]
    assert "<script" not in "".join(handle.shown)
    test = run.metrics["test"]
    assert f"{100 * test['accuracy']:.1f} % are right" in last
    assert str(run.path) in last
    assert "decision boundary" in last
    assert "deviation over batches" in last
    assert last.count("<circle") >= len(run.data.train[:200])
    (tmp_path / "page.html").write_text(last)
    found = looked_at(tmp_path / "page.html")
    assert (found.said, found.asked, found.title) == ([], [], "")


def test_a_glimpse_says_what_the_network_says(tmp_path: Path) -> None:
    data = tr.load("wine", features=["alcohol", "color_intensity"])
    assert previewable(data)
    assert not previewable(tr.load("wine"))
    assert not previewable(tr.load("diabetes", features=["bmi", "bp"]))
    run = tr.fit(data, epochs=10, lean=True, parent=tmp_path)
    seen = boundary_preview(run.module, data, sight(run.module, data, axes=data.features))
    for row, column in ((0, 0), (3, 60), (71, 4)):
        at_12 = data.preparation.transform(np.array([[seen.x_R[column], seen.y_R[row]]]))
        with torch.no_grad():
            p = torch.softmax(run.module(torch.as_tensor(at_12, dtype=torch.float32)), 1)[0]
        assert seen.winner_RR[row, column] == p.argmax()
        np.testing.assert_allclose(seen.probability_RRC[row, column], p, atol=1e-5)
    (points,) = seen.points
    raw_N2 = data.preparation.inverse(data.train.x)[: len(points)]
    np.testing.assert_allclose(points.at_NK, raw_N2, rtol=1e-6)
    assert len(points) == min(200, len(data.train))


def test_a_bare_terminal_is_silent_in_a_pipe(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = tr.fit("wine", epochs=3, lean=True, parent=tmp_path, watch=True)
    many = tr.fit("wine", epochs=3, seeds=2, parent=tmp_path, watch=True)
    swept = tr.sweep(
        "wine", {"lr": "1e-3..1e-1:log"}, members=3, epochs=3, fresh=0, parent=tmp_path, watch=True
    )
    assert (run.status, many.status, swept.status) == ("finished",) * 3
    said = capfd.readouterr()
    assert said.out == ""
    assert "\r" not in said.err


@pytest.mark.release
def test_cards_hold_no_markup_from_data(tmp_path: Path) -> None:
    frame = pd.DataFrame({NASTY: np.arange(60.0), "b": np.arange(60.0) % 7, "c": [NASTY, "fine"] * 30})
    data = tr.load(frame, target="c")
    run = tr.fit(data, epochs=2, lean=True, parent=tmp_path)
    many = tr.fit(data, epochs=2, seeds=2, parent=tmp_path)
    swept = tr.sweep(data, {"activation": "relu|tanh"}, members=2, epochs=2, fresh=0, parent=tmp_path)
    listed = tr.runs(tmp_path)
    assert {(type(each), each.path) for each in listed} == {
        (type(each), each.path) for each in (run, many, swept)
    }
    cards = [card._repr_html_() for card in (data, run, many, swept, listed)]
    assert "<script" not in "".join(cards)
    assert "&lt;script&gt;" in cards[0]
    test = run.metrics["test"]
    assert f"{100 * test['accuracy']:.1f} % are right" in cards[1]
    assert "deviation" in cards[2]
    assert "activation=" in cards[3]
    assert cards[4].count("<tr") == 1 + 3
    for i, card in enumerate(cards):
        (tmp_path / f"{i}.html").write_text(card)
        found = looked_at(tmp_path / f"{i}.html", width=600)
        assert (found.said, found.asked, found.title) == ([], [], "")


IMPORTED = (
    "%load_ext treino\nimport matplotlib.pyplot, sklearn.linear_model, sklearn.svm, torch, treino as tr"
)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The manager of a kernel that has imported treino; its working folder is empty."""
    manager = pytest.importorskip(
        "jupyter_client.manager", reason="needs jupyter_client: pip install nbclient"
    )
    place = tmp_path_factory.mktemp("notebook")
    kernels, client = manager.start_new_kernel(startup_timeout=HANG, cwd=str(place))
    client.execute_interactive(IMPORTED, store_history=False)
    client.stop_channels()
    yield kernels
    kernels.shutdown_kernel(now=True)
    kernels.cleanup_resources()


def executed(kernel: Any, *sources: str) -> list[Any]:
    """The cells of a notebook that nbclient has executed, with their outputs."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient: pip install nbclient")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    client = nbclient.NotebookClient(book, km=kernel, timeout=int(HANG), allow_errors=True)
    client.execute()
    client.kc.stop_channels()
    return list(book.cells)


def html_of(cell: Any) -> str:
    (output,) = cell.outputs  # one output, whatever happened in between
    return str(output["data"]["text/html"])


WATCHED = (
    "run = tr.fit('wine', features=['alcohol', 'color_intensity'], epochs=100, optimizer='sgd', "
    "keep='last', lean=True, watch=True, name={!r})"
)


@pytest.mark.slow
def test_a_watched_training_is_one_output_and_has_a_card(kernel: Any) -> None:
    figure, run, data = executed(kernel, WATCHED.format("seen"), "run", "tr.load('wine')")
    assert figure.outputs[0].output_type == "display_data"
    for text in ("Finished after", "decision boundary", "runs/seen"):
        assert text in html_of(figure)
    assert "are right" in html_of(run)
    assert "class_0" in html_of(data)


@pytest.mark.slow
def test_a_watched_sweep_is_one_output_and_has_a_card(kernel: Any) -> None:
    sweep = "found = tr.sweep('wine', {'lr': '1e-4..1e-1:log'}, members=4, epochs=3, fresh=0, watch=True)"
    table, found, runs = executed(kernel, sweep, "found", "tr.runs()")
    assert "4 begun" in html_of(table)
    assert "luck" in html_of(table) or "Kept in" in html_of(table)
    assert "wine-sweep-1" in html_of(found)
    assert "wine-sweep-1" in html_of(runs)


@pytest.mark.slow
def test_the_doctor_in_a_notebook(kernel: Any) -> None:
    around = "%doctor on", MADE, FAULTY.lstrip(), "%doctor off"
    raises = "%%doctor\nimport torch\nraise ValueError('mine')"
    whole, _on, _made, _faulty, off, raising, sideways, bare = executed(
        kernel, "%%doctor\n" + MADE + FAULTY, *around, raises, "%doctor sideways", "%doctor"
    )
    line = (MADE + FAULTY).splitlines().index("    loss.backward()") + 2  # below the magic's own
    assert "missing_zero_grad" in html_of(whole)
    place = re.search(r"line (\d+) \(seen at line (\d+)\)", html_of(whole))
    assert int(place[1]) == line
    assert "missing_zero_grad" in html_of(off)
    line = FAULTY.lstrip().splitlines().index("    loss.backward()") + 1
    assert re.search(rf"In\[\d+\], line {line}\b", html_of(off))
    assert [o.output_type for o in raising.outputs] == ["error", "display_data", "error"]
    assert raising.outputs[0].evalue == "mine"
    assert raising.outputs[2].traceback == []  # shown once
    assert "UsageError: %doctor takes on or off" in sideways.outputs[0].text
    assert "".join(each.text for each in bare.outputs) == "The doctor is off.\n"


@pytest.mark.slow
def test_mistakes_and_explanations_in_a_notebook(kernel: Any) -> None:
    pytest.importorskip("treino_microscope")
    wrong, explained = executed(kernel, "rate = 0.1\ntr.fit('wnie')", "tr.explain('mse')")
    (refused,) = wrong.outputs
    assert refused.ename == "TreinoError"
    assert refused.traceback[0] == "tr.fit('wnie')"  # the line that asked, what is wrong, the next move
    assert "wnie" in refused.traceback[1]
    assert refused.traceback[2] == "Did you mean 'wine'?"
    assert "&lt;math" in html_of(explained)


@pytest.mark.slow
def test_an_interrupted_cell_saves_and_says_how_to_go_on(kernel: Any, tmp_path: Path) -> None:
    client = kernel.client()
    client.start_channels()
    shown: list[str] = []
    errors: list[Any] = []
    code = (
        f"import treino as tr\nrun = tr.fit('wine', hidden=[8], epochs=2_000_000, keep='last', lean=True, "
        f"watch=True, parent={str(tmp_path)!r})"
    )
    try:
        client.wait_for_ready(HANG)
        sent = client.execute(code, store_history=False)
        stopped = False
        while True:
            message = client.get_iopub_msg(timeout=HANG)
            if message["parent_header"].get("msg_id") != sent:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind in ("display_data", "update_display_data"):
                shown.append(content["data"]["text/html"])
            elif kind == "error":
                errors.append(content)
            elif kind == "status" and content["execution_state"] == "idle":
                break
            if len(shown) >= 4 and not stopped:
                stopped = True
                kernel.interrupt_kernel()
    finally:
        client.stop_channels()
    assert stopped
    (error,) = errors
    assert error["ename"] == "KeyboardInterrupt"
    assert error["traceback"] == [error["evalue"]]  # a line, not a screenful
    assert "resume" in error["evalue"]
    assert "Interrupted after" in shown[-1], shown[-1][:1500]
    assert "treino.open" in shown[-1]
    (made,) = tr.runs(tmp_path)
    assert made.status == "interrupted"
    assert len(made.losses) > 100


@pytest.mark.parametrize("name", ["fit", "sweep"])
def test_the_signature_says_what_watch_may_be(name: str) -> None:
    """And all else is as it is without a notebook: what the editor offers, and its docs."""
    watchable, plain = getattr(tr, name), {"fit": api.fit, "sweep": api.sweep}[name]
    mine, own = inspect.signature(watchable), inspect.signature(plain)
    watch = mine.parameters["watch"]
    assert watch.default is False
    assert bool in get_args(watch.annotation)
    assert watchable.__annotations__["watch"] == watch.annotation
    assert list(mine.parameters) == list(own.parameters)
    assert all(mine.parameters[n] == own.parameters[n] for n in own.parameters if n != "watch")
    assert watchable.__doc__ == plain.__doc__
