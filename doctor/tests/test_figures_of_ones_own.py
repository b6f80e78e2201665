"""Figures that a script works out wrongly: means of other batches or sizes, and 0.5 taken of logits."""

import random
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from examination import examined
from treino_doctor.finding import Site
from treino_doctor.record.log import Event, Log, LossCall, Printed
from treino_doctor.record.row_log import Evaluated, RowsTrained
from treino_doctor.rules import metric_wrong_mean
from treino_doctor.rules.rule import PRELUDE
from zygote import marked

TRAINED = """
labels = (y > 0).float()[:, None]
net = {net}
loss_of = {loss}
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for step in range(40):
    optimizer.zero_grad()
    loss = loss_of(net(x), {target})
    loss.backward()
    optimizer.step()
net.eval()
"""
EPOCHS = """
train, held = ([(x[r], y[r]) for r in torch.arange(a, b).split(16)] for a, b in ((0, 168), (168, 240)))
net, run, right, lost, every = nn.Linear(8, 3), 0.0, 0, 0.0, []
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(5):
    {first}
    for rows, truth in train:
        STEP: F.cross_entropy(net(rows), truth)
        every.append(loss.item())
        run += {more}
    with torch.no_grad():
        for rows, truth in held:
            said = net(rows)
            {judged}
    print(f"{{epoch}} {{{figure}}}")  # here
"""
RESET, LOSS, ROWS = "run, right, lost = 0.0, 0, 0.0", "loss.item()", "loss.item() * len(rows)"
SHARE = "right += (said.argmax(1) == truth).float().mean().item()"
COUNT = "right += (said.argmax(1) == truth).sum().item()"
LAST, TWICE = COUNT.replace("+=", "="), "0\n        loss += loss.item()"
LOST = "lost += F.cross_entropy(said, truth).item()"
# what an epoch begins with, what a batch adds, what an evaluation counts, the figure, what is said of it
FIGURES = {
    "never reset": ("pass", LOSS, "pass", "run / len(train):.4f", "the sum over all 5 epochs so far"),
    "by the rows": (RESET, LOSS, "pass", "run / 168", "a sum over 11 batches, divided by 168"),
    "rows by batches": (RESET, ROWS, "pass", "run / len(train):.3f", "a sum over 168 rows, divided by 11"),
    "by a batch": (RESET, LOSS, "pass", "run / len(train[0][1])", "a sum over 11 batches, divided by 16"),
    "kept as a tensor": (RESET, "loss.detach()", "pass", "run / 168", "a sum over 11 batches, divided"),
    "by a number": (RESET, LOSS, "pass", "run / 1000:.5f", "a sum over 11 batches, divided by 1000"),
    "of another part": (RESET, LOSS, LOST, "lost / len(train):.4f", "a sum over 5 batches, divided by 11"),
    "evaluations": ("pass", LOSS, LOST, "lost / len(held):.4f", "the sum over all 3 epochs so far"),
    "of other rows": (RESET, LOSS, COUNT, "100 * right / 168:.2f", "a sum over 72 rows, divided by 168"),
    "full batches": (RESET, LOSS, COUNT, "right / (16 * len(held)):.4f", "a sum over 72 rows, divided by 80"),
    "overwritten": (RESET, LOSS, LAST, "right / 72:.4f", "the count of the last of 5 batches"),
    "divided": (RESET, LOSS, "pass", "loss.item() / 11:.6f", "that of the last of 11 batches alone, divided"),
    "doubled": (RESET, TWICE, "pass", "loss / 11:.6f", "twice that of the last of 11"),
    "by the index": (RESET, LOSS, "pass", "run / (len(train) - 1)", "a sum over 11 batches, divided by 10"),
    "shares by the index": (RESET, LOSS, SHARE, "right / 4:.4f", "a sum over 5 batches, divided by 4"),
    "times": (RESET, LOSS, "pass", "loss.item() * 168:.4f", "that of the last of 11 batches alone, times"),
    "shares": (RESET, LOSS, SHARE, "right / len(held):.4f", ""),
    "of all epochs, a note": ("pass", LOSS, "pass", "sum(every) / len(every):.5f", ""),
    "reset": (RESET, LOSS, "pass", "run / len(train):.4f", ""),
    "rows by rows": (RESET, ROWS, "pass", "run / 168:.4f", ""),
    "a sum": (RESET, LOSS, "pass", "run:.4f", ""),
    "by the right number": (RESET, LOSS, "pass", "run / 11:.4f", ""),
    "a window": (RESET, LOSS, "pass", "sum(every[-20:]) / 20:.4f", ""),
    "evaluated": (RESET, LOSS, LOST, "lost / len(held):.4f", ""),
    "a share": (RESET, LOSS, COUNT, "100 * right / 72:.2f", ""),
    "of the last batch": (RESET, LOSS, LAST, "right / len(truth):.4f", ""),
    "the last one beside": (RESET, LOSS, "pass", "run / 11:.4f} {loss.item():.4f", ""),
    "the right one beside": (RESET, LOSS, COUNT, "right / 72:.4f} {right / 168:.4f", ""),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("what", FIGURES)
def test_a_printed_figure_is_the_mean_of_its_own_batches(what, tmp_path):
    first, more, judged, figure, said = FIGURES[what]
    epochs = EPOCHS.format(first=first, more=more, judged=judged, figure=figure)
    findings, _log = examined(PRELUDE + epochs, tmp_path)
    assert [f.rule for f in findings] == (["metric_wrong_mean"] if said else [])
    assert all(f.message.startswith(f"The figure printed here is {said}") for f in findings)


def test_a_tensor_that_print_shows_is_a_figure(tmp_path):
    epochs = EPOCHS.format(first=RESET, more="loss.detach()", judged="pass", figure="epoch")
    epochs = epochs.replace("    print(", "    print(run / len(train[0][1]))\n    print(")
    findings, _log = examined(PRELUDE + epochs, tmp_path)
    assert [f.rule for f in findings] == ["metric_wrong_mean"]


@dataclass
class Pass:
    """An evaluation: right answers, rows and mean loss of each batch."""

    right: list[int]
    sizes: list[int]
    losses: list[float]

    @property
    def rows(self) -> int:
        return sum(self.sizes)

    @property
    def shares(self) -> list[float]:
        return [k / n for k, n in zip(self.right, self.sizes, strict=True)]

    @property
    def heavy(self) -> float:
        return sum(v * n for v, n in zip(self.losses, self.sizes, strict=True))

    def events(self, turn: int) -> list[Event]:
        """What the record has of it."""
        at: dict[str, Any] = {"turn": turn, "site": Site("a.py", 1), "stack": (Site("a.py", 1),)}
        of_net = {"net": 0, "learned": True, "newest": turn, "whole": True, "shares": sum(self.shares)}
        of_rows = {"rows": self.rows, "most": max(self.sizes), "judged": self.rows}
        counts = {"calls": len(self.sizes), "right": sum(self.right), "final": self.right[-1]}
        loss = {"name": "cross_entropy", "trained": False, "reduction": "mean", "input_shape": ()}
        loss |= {"target_kind": "long", "low": 0, "high": 9}
        losses = [
            LossCall(loss=i, value=v, target_shape=(n,), **loss, **at)
            for i, (v, n) in enumerate(zip(self.losses, self.sizes, strict=True))
        ]
        return [Evaluated(**of_net, **of_rows, **counts, **at), *losses]


RIGHTS = {
    "count": lambda p: float(sum(p.right)),
    "share": lambda p: sum(p.right) / p.rows,
    "percent": lambda p: 100.0 * sum(p.right) / p.rows,
    "share of errors": lambda p: 1 - sum(p.right) / p.rows,
    "percent of errors": lambda p: 100 - 100.0 * sum(p.right) / p.rows,
    "mean of shares": lambda p: sum(p.shares) / len(p.shares),
    "mean of percents": lambda p: sum(100 * s for s in p.shares) / len(p.shares),
    "last batch": lambda p: 100 * p.shares[-1],
    "mean loss": lambda p: sum(p.losses) / len(p.losses),
    "mean loss of rows": lambda p: p.heavy / p.rows,
    "sum of losses": lambda p: sum(p.losses),
    "sum of losses of rows": lambda p: p.heavy,
    "last loss": lambda p: p.losses[-1],
}
WRONGS = {  # what a sum is divided by: rows of the training, or another number of batches
    "rows of the training": lambda p, trained: sum(p.right) / trained,
    "losses by the training's rows": lambda p, trained: p.heavy / trained,
    "losses by the rows": lambda p, trained: sum(p.losses) / p.rows,
    "rows' losses by the batches": lambda p, trained: p.heavy / len(p.sizes),
    "percent by the batches": lambda p, trained: 100 * sum(p.right) / len(p.sizes),
}
PRINTS = st.sampled_from(["{:.2f}", "{:.3f}", "{:.4f}", "{:.6f}", "{}"])
BATCHES = st.sampled_from([1, 2, 3, 10, 50, 99, 100, 101])
SIZES = st.sampled_from([1, 2, 10, 16, 32, 64, 100, 128, 1000])


def passes(batches: int, size: int, last: int, seed: int, epochs: int = 3) -> list[Pass]:
    """Evaluations of the same rows, by chance better each time."""
    drawn, made = random.Random(seed), list[Pass]()
    sizes = [size] * (batches - 1) + [min(last, size)]
    for epoch in range(epochs):
        share = (epoch + drawn.random()) / epochs
        right = [sum(drawn.random() < share for _ in range(n)) if n < 64 else round(n * share) for n in sizes]
        made.append(Pass(right, sizes, [(1 - share) + drawn.random() for _ in sizes]))
    return made


def said_of(every: list[Pass], figures: list[str], trained: int) -> list[str]:
    """What the rule says of these figures, without notes."""
    log, site = Log([RowsTrained(net=0, rows=trained, seen=trained)]), Site("a.py", 2)
    for turn, (one, figure) in enumerate(zip(every, figures, strict=True), 1):
        log.events += [*one.events(turn), Printed(figures=(figure,), site=site, turn=turn)]
    told = metric_wrong_mean.decide(log)
    return [e.numbers["what"] for e in told if not e.numbers["meant"]]


@pytest.mark.slow
@settings(max_examples=60)
@given(BATCHES, SIZES, SIZES, SIZES, BATCHES, st.sampled_from([*RIGHTS]), PRINTS, st.integers(0, 99))
@example(100, 100, 100, 60_000, 1, "percent", "{:.2f}", 0)
def test_a_right_figure_is_right_whatever_its_sizes(batches, size, last, most, others, right, form, seed):
    """As 100 * correct / total of 10,000 rows in 100 batches, which is also the count by the batches."""
    every = passes(batches, size, last, seed)
    figures = [form.format(RIGHTS[right](p)) for p in every]
    figures = [f if "." in f else f"{f}.0" for f in figures]
    assert said_of(every, figures, most * others) == []


@pytest.mark.slow
@settings(max_examples=40)
@given(BATCHES, SIZES, SIZES, st.sampled_from([*WRONGS]), st.integers(0, 99))
def test_a_wrong_figure_is_told_where_no_right_one_has_its_digits(batches, size, last, wrong, seed):
    every = passes(batches, size, last, seed)
    trained = 3 * every[0].rows + 7
    figures = [f"{WRONGS[wrong](p, trained):.8e}" for p in every]
    pairs = [*zip(every, map(float, figures), strict=True)]
    alike = [any(f"{right(p):.4e}" == f"{f:.4e}" for right in RIGHTS.values()) for p, f in pairs]
    if batches > 1 and not any(alike) and min(f for _, f in pairs) > 0:
        assert len(said_of(every, figures, trained)) == 1


TUTORIAL = """
pixels, digits = torch.randn(10_000, 4), torch.randint(3, (10_000,))
net = nn.Linear(4, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(3):
    for some, truth in zip(pixels.split(5000), digits.split(5000)):
        STEP: F.cross_entropy(net(some), truth)
    correct = total = 0
    with torch.no_grad():
        for some, truth in zip(pixels.split(100), digits.split(100)):
            _, predicted = torch.max(net(some).data, 1)
            total += truth.size(0)
            correct += (predicted == truth).sum().item()
    acc = 100. * correct / total
    print(f"Accuracy: {acc:.2f} %")
"""
CHARACTERS = """
class Characters(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.gru, self.out = nn.Embedding(9, 8), nn.GRU(8, 8), nn.Linear(8, 9)

    def forward(self, one, state):
        said, state = self.gru(self.embedding(one).view(1, 1, -1), state)
        return self.out(said.view(1, -1)), state

net = Characters()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(20):
    text, state, loss = torch.randint(9, (6,)), torch.randn(1, 1, 8), 0
    for one, after in zip(text, text[1:]):
        said, state = net(one, state)
        loss += F.cross_entropy(said, after[None])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{epoch} {loss.item() / 5:.4f}")
"""


@pytest.mark.parametrize("source", [TUTORIAL, CHARACTERS], ids=["100 batches of 100", "no dimensions"])
def test_the_lines_of_every_tutorial_are_right(source, tmp_path):
    findings, log = examined(PRELUDE + source, tmp_path)
    assert [f.rule for f in findings] == []
    assert len(log.of(Printed)) > 0
    assert list(metric_wrong_mean.decide(log)) == []


LOGITS, CHANCES = "F.binary_cross_entropy_with_logits", "F.binary_cross_entropy"
OWN, AGAIN = "nn.Linear(8, 1); own = lambda z: z.sigmoid()", f"lambda z, true: {LOGITS}(own(z), true)"
NET, SIGMOID = "nn.Linear(8, 1)", "nn.Sequential(nn.Linear(8, 1), nn.Sigmoid())"
# the net, its loss, the figure, whether it is wrong
THRESHOLDS = {
    "of the outputs": (NET, LOGITS, "((net(x) > 0.5).float() == labels).float().mean()", True),
    "the other way round": (NET, LOGITS, "((0.5 < net(x).detach()).int() == labels).float().mean()", True),
    "rounded": (NET, LOGITS, "(torch.round(net(x)) == labels).float().mean()", True),
    "of chances": (NET, LOGITS, "((net(x).sigmoid() > 0.5).float() == labels).float().mean()", False),
    "at 0": (NET, LOGITS, "((net(x) > 0).float() == labels).float().mean()", False),
    "of a net that gives chances": (SIGMOID, CHANCES, "((net(x) > 0.5) == labels).float().mean()", False),
    "of chances taken as logits": (OWN, AGAIN, "((own(net(x)) > 0.5) == labels).float().mean()", False),
    "of numbers": (NET, "F.mse_loss", "((net(x) > 0.5) == labels).float().mean()", False),
    "of the labels": (NET, LOGITS, "((net(x) > 0) == (labels > 0.5)).float().mean()", False),
}


@pytest.mark.parametrize("what", THRESHOLDS)
def test_a_threshold_of_one_half_on_logits(what, tmp_path):
    net, loss, figure, wrong = THRESHOLDS[what]
    look = f"with torch.no_grad():\n    print({figure}.item())  # here\n"
    findings, _log = examined(PRELUDE + TRAINED.format(net=net, loss=loss, target="labels") + look, tmp_path)
    told = [(f.rule, f.line) for f in findings if f.rule != "sigmoid_before_bce_with_logits"]
    assert told == ([("threshold_on_logits", marked(tmp_path))] if wrong else [])


def test_one_column_has_no_best_and_is_to_be_compared_with_a_threshold(tmp_path):
    source = TRAINED.format(net=NET, loss=LOGITS, target="labels")
    source += "with torch.no_grad():\n    print((net(x).argmax(1) == labels[:, 0]).float().mean())\n"
    (finding,), _log = examined(PRELUDE + source, tmp_path)
    assert finding.rule == "metric_wrong_axis"
    assert "of shape [240, 1]: one column's best is always 0" in finding.message
    assert "a single column with 0 if it holds logits" in finding.fix
