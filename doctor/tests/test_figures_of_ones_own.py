"""Figures that a script works out wrongly: means of other batches or sizes, and 0.5 taken of logits."""

import pytest

from examination import examined
from treino_doctor.rules.rule import PRELUDE

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
    "a window": (RESET, LOSS, "pass", "sum(every[-20:]) / 20:.4f", ""),
    "evaluated": (RESET, LOSS, LOST, "lost / len(held):.4f", ""),
    "a share": (RESET, LOSS, COUNT, "100 * right / 72:.2f", ""),
    "of the last batch": (RESET, LOSS, LAST, "right / len(truth):.4f", ""),
    "the last one beside": (RESET, LOSS, "pass", "run / 11:.4f} {loss.item():.4f", ""),
    "the right one beside": (RESET, LOSS, COUNT, "right / 72:.4f} {right / 168:.4f", ""),
}


def found(source, tmp_path):
    """The findings, as (rule, line); and the line marked ``here``."""
    findings, _log = examined(PRELUDE + source, tmp_path)
    lines = (PRELUDE + source).splitlines()
    marked = [i for i, line in enumerate(lines, 1) if line.endswith("# here")]
    return [(f.rule, f.line) for f in findings], marked


@pytest.mark.parametrize("what", FIGURES)
def test_a_printed_figure_is_the_mean_of_its_own_batches(what, tmp_path):
    first, more, judged, figure, said = FIGURES[what]
    epochs = EPOCHS.format(first=first, more=more, judged=judged, figure=figure)
    findings, _log = examined(PRELUDE + epochs, tmp_path)
    assert [f.rule for f in findings] == (["metric_wrong_mean"] if said else [])
    assert all(f.message.startswith(f"The figure printed here is {said}") for f in findings)


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
    told, marked = found(TRAINED.format(net=net, loss=loss, target="labels") + look, tmp_path)
    told = [one for one in told if one[0] != "sigmoid_before_bce_with_logits"]
    assert told == ([("threshold_on_logits", marked[0])] if wrong else [])


def test_one_column_has_no_best_and_is_to_be_compared_with_a_threshold(tmp_path):
    source = TRAINED.format(net=NET, loss=LOGITS, target="labels")
    source += "with torch.no_grad():\n    print((net(x).argmax(1) == labels[:, 0]).float().mean())\n"
    (finding,), _log = examined(PRELUDE + source, tmp_path)
    assert finding.rule == "metric_wrong_axis"
    assert "of shape [240, 1]: one column's best is always 0" in finding.message
    assert "a single column with 0 if it holds logits" in finding.fix
