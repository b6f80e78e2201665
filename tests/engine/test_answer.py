"""The greedy choice of the weights that an ensemble answers with."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import treino as tr
from treino.engine import TrainingLoop, answer
from treino.engine.answer import as_outputs, averaged_values, greedy
from treino.engine.ensemble import Ensemble, mean_output
from treino.engine.losses import Loss
from treino.engine.metrics import measure


def naive(value_KN: np.ndarray, y_N: np.ndarray, places: int) -> list[int]:
    """Caruana's rule by the squared error, as it is written."""

    def error(members: list[int]) -> float:
        return float(((value_KN[members].mean(0) - y_N) ** 2).mean())

    members = [min(range(len(value_KN)), key=lambda k: error([k]))]
    best = members
    while len(members) < places:
        members = [*members, min(range(len(value_KN)), key=lambda k: error([*members, k]))]
        if error(members) < error(best) - 1e-12:
            best = members
    return best


@given(seed=st.integers(0, 10**6), candidates=st.integers(1, 6), rows=st.integers(1, 20))
def test_it_adds_what_most_improves_the_mean(seed: int, candidates: int, rows: int) -> None:
    r = np.random.default_rng(seed)
    y, value = r.normal(size=rows), r.normal(size=(candidates, rows))
    chosen = greedy(
        torch.tensor(value), lambda mean_KN: (mean_KN - torch.tensor(y)).square().mean(1), places=8
    )
    ours, theirs = ((value[c].mean(0) - y) for c in (chosen, naive(value, y, 8)))
    assert (ours**2).mean() == pytest.approx((theirs**2).mean(), abs=1e-9)
    assert (ours**2).mean() <= ((value - y) ** 2).mean(1).min() + 1e-12


def test_a_candidate_without_an_answer_is_never_added() -> None:
    value = torch.tensor([[torch.nan, 1.0], [3.0, 3.0]])
    assert set(greedy(value, lambda mean_KN: mean_KN.square().mean(1), 4)) == {1}


@pytest.mark.parametrize(("loss", "outputs"), [("cross_entropy", 3), ("bce", 1), ("mse", 2)])
def test_shares_are_repetitions(loss: str, outputs: int) -> None:
    output_RBC = torch.randn(3, 7, outputs, generator=torch.Generator().manual_seed(0))
    repeated, share = output_RBC[[0, 1, 1, 1, 2]], torch.tensor([0.2, 0.6, 0.2])
    one, other = mean_output(repeated, loss), mean_output(output_RBC, loss, share_R=share)
    if loss == "cross_entropy":
        one, other = one.softmax(1), other.softmax(1)
    assert torch.allclose(one, other, atol=1e-5)
    values = as_outputs(averaged_values(repeated, Loss(loss)).mean(0), Loss(loss)).float()
    assert torch.allclose(values.softmax(1) if loss == "cross_entropy" else values, one, atol=1e-5)


SETTINGS: dict[str, Any] = {
    "ensemble": 4, "epochs": 25, "lr": 0.02, "answer": "greedy", "ema": 0.5, "patience": 8
}  # fmt: skip


def whole(data: Any, **settings: Any) -> TrainingLoop:
    training = tr.train(data, tr.mlp(12, dropout=0.2), **SETTINGS | settings)
    for _tick in training:
        pass
    return training


@pytest.fixture(scope="module")
def data() -> Any:
    return tr.load("wine")


@pytest.fixture
def sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chosen weights answer in any case."""
    monkeypatch.setattr(answer, "SURE", -torch.inf)


@pytest.mark.usefixtures("sure")
@pytest.mark.parametrize("engine", ["lanes", "batched", pytest.param("module", marks=pytest.mark.release)])
def test_the_answer_is_made_of_weights_that_members_had_at_these_steps(data: Any, engine: str) -> None:
    training = whole(data, engine=engine)
    shares = training.answer_shares
    assert shares is not None
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)
    net = training.answer()
    assert isinstance(net, Ensemble)
    again = tr.train(data, tr.mlp(12, dropout=0.2), **SETTINGS, engine=engine)
    x, total = data.test.x, 0
    places = list(zip(training.answering_steps, training.answering, net.members, shares, strict=True))
    for step, member, there, share in sorted(places, key=lambda place: place[0]):
        while again.step < step:
            again.advance(None, step)
        here = again.net(member, "last")
        assert all(torch.equal(a, b) for a, b in zip(here.parameters(), there.parameters(), strict=True))
        total = total + share * here(x).softmax(1)
    assert torch.allclose(net(x).softmax(1), total, atol=1e-6)


@pytest.mark.usefixtures("sure")
def test_the_chosen_answer_is_no_worse_on_validation_rows_than_any_member(data: Any) -> None:
    training = whole(data)
    rows = data.validation
    loss = measure(training.answer()(rows.x)[None].detach(), rows.y)["loss"][0]
    assert loss <= min(training.best_P[training.answering]) + 1e-6


@pytest.mark.usefixtures("sure")
@pytest.mark.parametrize("stop", [1, 37, 100])
def test_a_saved_training_goes_on_to_the_same_answer(data: Any, stop: int) -> None:
    one, other = whole(data), tr.train(data, tr.mlp(12, dropout=0.2), **SETTINGS)
    while other.step < stop:
        other.advance(None, stop)
    saved = other.save()
    resumed = tr.train(data, tr.mlp(12, dropout=0.2), **SETTINGS)
    resumed.load(*saved)
    while not resumed.done:
        resumed.advance(0.001)
    assert resumed.state == one.state
    assert resumed.answering == one.answering


def test_unless_it_is_surely_better_the_best_half_answers(data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "SURE", torch.inf)
    training, half = whole(data), whole(data, answer="half")
    assert training.answer_shares is None
    assert (training.answering, training.answering_steps) == (half.answering, half.answering_steps)
    one, other = training.answer().state_dict(), half.answer().state_dict()
    assert all(torch.equal(one[name], other[name]) for name in other)
    every = whole(data, answer="all")
    assert sorted(every.answering) == [0, 1, 2, 3]
    assert every.answering[:2] == half.answering


@pytest.mark.usefixtures("sure")
@pytest.mark.parametrize("loss", ["bce", "mse", "huber", "cross_entropy"])
def test_a_stored_run_predicts_as_it_did(tmp_path: Path, loss: str) -> None:
    more: dict[str, Any] = (
        {"label_smoothing": 0.1, "class_weights": (1, 3)} if loss == "cross_entropy" else {}
    )
    name = "diabetes" if loss in ("mse", "huber") else "breast_cancer"
    more |= {"clip_target": True} if name == "diabetes" else {}
    run = tr.fit(name, parent=tmp_path, lean=True, loss=loss, hidden=(6,), **SETTINGS | {"epochs": 12} | more)
    assert isinstance(run, tr.Run)
    stored = tr.open(run.path)
    result = stored.result
    assert result is not None
    assert sum(result.shares) == pytest.approx(1)
    assert len(result.shares) == len(result.answering) == len(stored.module.members)
    assert max(result.answering_steps) == result.kept_step
    x = run.data.test.x
    assert torch.equal(stored.module(x), run.module(x))
    figures = measure(
        stored.module(x)[None].detach(), run.data.test.y, run.loss_function, run.data.target_scale
    )
    assert run.metrics["test"]["loss"] == pytest.approx(float(figures["loss"][0]), rel=1e-5)
