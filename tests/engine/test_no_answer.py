"""Networks whose output isn't finite: no class is predicted, and no figure or picture hides it."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score
from tests.conftest import Said, Treino
from tests.quick_ends import _quick_ends  # noqa: F401

import treino as tr
from treino.api import Run
from treino.engine.metrics import measure
from treino.inspection.boundary import score
from treino.inspection.outputs import confusion, mistakes, outputs, predicted_classes
from treino.plots.captions import score_sentence
from treino.plots.confusion import sentences
from treino.plots.run_sentences import headlines

NET = """import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear({inputs}, {outputs})
    def forward(self, x):
        lost = torch.ones_like(x[:, :1]).bool() if {every} else x[:, :1] > 0.05
        return self.layer(x) if self.training else self.layer(x).masked_fill(lost, float("nan"))
"""
ASK = ("--net", "net.py:Net")


def trained(treino: Treino, data: str, inputs: int, outputs: int, every: bool) -> tuple[Said, Run]:
    Path("net.py").write_text(NET.format(inputs=inputs, outputs=outputs, every=every))
    said = treino("train", data, *ASK, "--steps", 4, "--name", "m", "--json")
    assert said.status == 0, said.err
    run = tr.open("m", net="net.py:Net")
    assert isinstance(run, Run)
    return said, run


@pytest.mark.parametrize("every", [True, False])
def test_a_network_without_answers_has_no_accuracy(every: bool, treino: Treino) -> None:
    said, run = trained(treino, "wine", 13, 3, every)
    d = said.document
    assert d["status"] == "finished"
    assert d["metrics"]["test"] == d["intervals"]["test"] == dict.fromkeys(("loss", "accuracy", "f1_macro"))
    lost = int(outputs(run.module, run.data.test.x).isnan().any(1).sum())
    assert lost == 26 if every else 0 < lost < 26
    assert f"The network's output is NaN or ∞ in {lost} of 26 test rows: they have no figure." in d["notes"]
    assert headlines(run.result) == []
    drawn = score(run.module, run.data)
    assert (drawn.accuracy, drawn.interval, drawn.unanswered) == (None, None, lost)
    assert "not finite" in score_sentence(drawn)
    assert not any("ccuracy" in sentence for sentence in sentences(confusion(run.module, run.data)))


@pytest.mark.parametrize(("data", "shape", "every"), [("wine", (13, 3), False), ("diabetes", (10, 1), True)])
def test_rows_without_an_answer_have_no_prediction(
    data: str, shape: tuple[int, int], every: bool, treino: Treino
) -> None:
    _said, run = trained(treino, data, *shape, every)
    document = treino("predict", "m", data, *ASK, "--json").document
    without = [p["prediction"] is None for p in document["predictions"]]
    assert all(without) if every else 0 < sum(without) < len(without)
    assert set(document["metrics"].values()) == {None}
    (note,) = (note for note in document["notes"] if "no prediction" in note)
    assert f"{sum(without)} of {len(without)} rows" in note
    for p in document["predictions"]:
        shares = p.get("probabilities", {"": p["prediction"]}).values()
        assert (None in shares) == (p["prediction"] is None)
    for words in ((), ("--to", "out.csv")):
        shown = treino("predict", "m", data, *ASK, *words)
        assert (shown.status, "nan" in shown.out) == (0, False), shown.err
    with open("out.csv") as file:
        assert [row["prediction"] == "" for row in csv.DictReader(file)] == without
    assert [value is None or value != value for value in run.predict(data)] == without


def test_an_estimator_says_that_no_class_is_the_most_probable() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    model = tr.Classifier(steps=4, hidden=(4,)).fit(x, x[:, 0] > 0)
    with torch.no_grad():
        next(model.module_.parameters()).fill_(torch.nan)
    with pytest.raises(ValueError, match="60 of 60 rows"):
        model.predict(x)


INFINITE = """import torch
class Net(torch.nn.Linear):
    def __init__(self):
        super().__init__(13, 3)
    def forward(self, x):
        out = super().forward(x)
        lost = torch.zeros_like(out).bool()
        lost[:, {columns}] = x[:, :1] > 0.05
        return out if self.training else out.masked_fill(lost, float("{value}"))
"""


@pytest.mark.parametrize(("value", "columns"), [("inf", ":1"), ("inf", "1:"), ("-inf", ":"), ("-inf", ":2")])
def test_every_door_says_of_the_same_rows_that_they_have_no_class(
    value: str, columns: str, treino: Treino
) -> None:
    """Those whose softmax isn't a number, by torch's own; a class that is masked by −∞ isn't among these."""
    Path("net.py").write_text(INFINITE.format(value=value, columns=columns))
    said = treino("train", "wine", *ASK, "--steps", 4, "--name", "m", "--json")
    run = tr.open("m", net="net.py:Net")
    assert isinstance(run, Run)
    test = run.data.test
    output_NC = outputs(run.module, test.x)
    lost_N = output_NC.softmax(1).isnan().any(1)
    lost = int(lost_N.sum())
    assert lost == 0 if columns == ":2" else 0 < lost < len(test)
    assert (predicted_classes(output_NC) < 0).equal(lost_N)
    share = None if lost else pytest.approx(accuracy_score(test.y, output_NC.argmax(1)), abs=1e-12)
    assert said.document["metrics"]["test"]["accuracy"] == share
    drawn = score(run.module, run.data)
    assert (drawn.accuracy, drawn.unanswered) == (share, lost)
    assert (confusion(run.module, run.data).score.accuracy, mistakes(run.module, run.data).unsaid) == (
        share,
        lost,
    )
    predicted = treino("predict", "m", "wine", *ASK, "--json").document["predictions"]
    every_NC = outputs(run.module, torch.cat([run.data.splits[split].x for split in run.data.splits]))
    assert sum(p["prediction"] is None for p in predicted) == int(every_NC.softmax(1).isnan().any(1).sum())


def test_one_output_is_a_class_where_its_sigmoid_is_a_number() -> None:
    output_11C = torch.tensor([[[float("inf")]], [[float("-inf")]], [[float("nan")]]])
    assert predicted_classes(output_11C[:, 0]).tolist() == [1, 0, -1]
    found = measure(output_11C, torch.tensor([1]), "bce")["accuracy"]
    assert found.nan_to_num(-1).tolist() == [1, 0, -1]
