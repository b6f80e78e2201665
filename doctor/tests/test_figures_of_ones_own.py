"""Figures that a script works out wrongly: a count that is overwritten, and 0.5 taken of logits."""

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
BATCHES = """
correct, total, every = 0, 0, []
@torch.no_grad()
def right(loader):
    correct, total = 0, 0
    for rows, truth in loader:
        {said}
        {count}
        total += len(truth)
        {more}
    return {figure}
print(right(list(zip(x.split({size}), y.split({size})))))
"""
ANSWERS = "said = net(rows).argmax(1)"
COUNT = "correct = (said == truth).sum().item()  # here"
# what is counted, what else the loop does, the figure, rows of a batch, whether it is wrong
COUNTS = {
    "a tensor": ("correct = said.eq(truth).sum()  # here", "", "correct.item() / total", 48, True),
    "added": ("correct += (said == truth).sum().item()", "", "correct / total", 48, False),
    "added elsewhere": (
        COUNT,
        "every.append(correct)",
        "sum(every) / total + 0 * correct / total",
        48,
        False,
    ),
    "printed by batch": (COUNT, "print(correct)", "correct / total", 48, False),
    "of the last batch": (COUNT, "", "correct / len(truth)", 48, False),
}


def found(source, tmp_path):
    """The findings, as (rule, line); and the line marked ``here``."""
    findings, _log = examined(PRELUDE + source, tmp_path)
    lines = (PRELUDE + source).splitlines()
    marked = [i for i, line in enumerate(lines, 1) if line.endswith("# here")]
    return [(f.rule, f.line) for f in findings], marked


@pytest.mark.parametrize("what", COUNTS)
def test_a_count_that_each_batch_overwrites(what, tmp_path):
    count, more, figure, size, wrong = COUNTS[what]
    source = TRAINED.format(net="nn.Linear(8, 3)", loss="F.cross_entropy", target="y")
    source += BATCHES.format(said=ANSWERS, count=count, more=more, figure=figure, size=size)
    told, marked = found(source, tmp_path)
    assert told == ([("metric_overwritten", marked[0])] if wrong else [])


@pytest.mark.parametrize(
    ("count", "figure", "whole"),
    [
        (COUNT, "correct / total", 1),
        ("correct = (said == truth).sum()  # here", "(100 * correct / len(x)).item()", 100),
        ("correct = (said == truth).sum()  # here", "float(correct / 240)", 1),
    ],
)
def test_an_overwritten_count_is_told_with_the_figure_and_the_share_that_is_right(
    count, figure, whole, tmp_path, capsys
):
    source = TRAINED.format(net="nn.Linear(8, 3)", loss="F.cross_entropy", target="y")
    source += BATCHES.format(said=ANSWERS, count=count, more="", figure=figure, size=48)
    (finding,), _log = examined(PRELUDE + source, tmp_path)
    assert finding.evidence["figure"] == pytest.approx(float(capsys.readouterr().out) / whole, rel=1e-5)
    added, _log = examined(PRELUDE + source.replace("correct = (said", "correct += (said"), tmp_path)
    assert added == []
    assert finding.evidence["right"] == pytest.approx(float(capsys.readouterr().out) / whole, rel=1e-5)


LOGITS, CHANCES = "F.binary_cross_entropy_with_logits", "F.binary_cross_entropy"
NET, SIGMOID = "nn.Linear(8, 1)", "nn.Sequential(nn.Linear(8, 1), nn.Sigmoid())"
# the net, its loss, the figure, whether it is wrong
THRESHOLDS = {
    "of the outputs": (NET, LOGITS, "((net(x) > 0.5).float() == labels).float().mean()", True),
    "the other way round": (NET, LOGITS, "((0.5 < net(x).detach()).int() == labels).float().mean()", True),
    "rounded": (NET, LOGITS, "(torch.round(net(x)) == labels).float().mean()", True),
    "of chances": (NET, LOGITS, "((net(x).sigmoid() > 0.5).float() == labels).float().mean()", False),
    "at 0": (NET, LOGITS, "((net(x) > 0).float() == labels).float().mean()", False),
    "of a net that gives chances": (SIGMOID, CHANCES, "((net(x) > 0.5) == labels).float().mean()", False),
    "of numbers": (NET, "F.mse_loss", "((net(x) > 0.5) == labels).float().mean()", False),
    "of the labels": (NET, LOGITS, "((net(x) > 0) == (labels > 0.5)).float().mean()", False),
}


@pytest.mark.parametrize("what", THRESHOLDS)
def test_a_threshold_of_one_half_on_logits(what, tmp_path):
    net, loss, figure, wrong = THRESHOLDS[what]
    source = (
        TRAINED.format(net=net, loss=loss, target="labels")
        + f"with torch.no_grad():\n    print({figure}.item())  # here\n"
    )
    told, marked = found(source, tmp_path)
    assert told == ([("threshold_on_logits", marked[0])] if wrong else [])


def test_one_column_has_no_best_and_is_to_be_compared_with_a_threshold(tmp_path):
    source = TRAINED.format(net=NET, loss=LOGITS, target="labels")
    source += "with torch.no_grad():\n    print((net(x).argmax(1) == labels[:, 0]).float().mean())\n"
    (finding,), _log = examined(PRELUDE + source, tmp_path)
    assert finding.rule == "metric_wrong_axis"
    assert "of shape [240, 1]: one column's best is always 0" in finding.message
    assert "a single column with 0 if it holds logits" in finding.fix
