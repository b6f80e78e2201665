"""``sweep --ensemble``: networks that are chosen, one after the other, to answer together."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss

import treino as tr
from treino.base.errors import TreinoError
from treino.data.rows import Rows
from treino.engine.losses import Loss
from treino.training.sweeps.ensemble import selection


def frame(rows: int = 400) -> pd.DataFrame:
    r = np.random.default_rng(5)
    a, b = r.normal(size=rows), r.normal(size=rows)
    kind = np.where(np.sin(2 * a) + b + r.normal(size=rows) / 2 > 0, "yes", "no")
    return pd.DataFrame({"a": a, "b": b, "kind": kind})


@pytest.fixture(scope="module")
def chosen(tmp_path_factory) -> tr.Sweep:
    return tr.sweep(
        frame(), ["lr=1e-3..1e-1:log", "hidden=4|16|16,8"], target="kind", ensemble=6, members=12, epochs=4,
        top=6, fresh=0, parent=tmp_path_factory.mktemp("runs"),
    )  # fmt: skip


def test_each_place_goes_to_the_network_that_helps_most() -> None:
    """Against a loop that writes the mean of probabilities and the log-loss out."""
    r = np.random.default_rng(0)
    logit_MNC, y = r.normal(size=(5, 80, 3)), r.integers(0, 3, 80)
    logit_MNC[:, np.arange(80), y] += 1
    share_MNC = np.exp(logit_MNC) / np.exp(logit_MNC).sum(-1, keepdims=True)
    order = np.argsort([log_loss(y, share_NC) for share_NC in share_MNC])
    share_MNC, logit_MNC = share_MNC[order], logit_MNC[order]
    chosen, best = [0], [0]
    while len(chosen) < 7:
        losses = [log_loss(y, share_MNC[[*chosen, m]].mean(0)) for m in range(5)]
        chosen = [*chosen, int(np.argmin(losses))]
        if log_loss(y, share_MNC[chosen].mean(0)) < log_loss(y, share_MNC[best].mean(0)):
            best = chosen
    rows = Rows(torch.zeros(80, 1), torch.from_numpy(y), torch.arange(80))
    found = selection(torch.from_numpy(logit_MNC), rows, Loss("cross_entropy"), "loss", 7)
    assert found == best
    assert len(set(best)) > 1


def test_the_sweep_answers_with_their_mean_and_says_what_it_is_worth(chosen: tr.Sweep) -> None:
    found = chosen.document["ensemble"]
    members = found["members"]
    assert members[0] == chosen.document["best"]["member"]
    assert 1 < len(members) <= 6
    rows = frame(30).drop(columns="kind")
    predicted = chosen.predict(rows)
    each = [chosen.member(m).predict(rows)["probability_yes"] for m in members]
    assert np.allclose(predicted["probability_yes"], np.mean(each, axis=0), atol=1e-6)
    test = chosen.best.data.test
    source = frame().iloc[test.index.numpy()]
    said = {
        "test": chosen.predict(source.drop(columns="kind"))["prediction"],
        "alone": chosen.best.predict(source.drop(columns="kind"))["prediction"],
    }
    for name, values in said.items():
        assert found[name]["accuracy"] == pytest.approx(accuracy_score(source["kind"], values))
    assert found["difference"] == pytest.approx(found["test"]["accuracy"] - found["alone"]["accuracy"])
    low, high = found["difference_interval"]
    assert low <= found["difference"] <= high
    best = next(leader for leader in chosen.leaderboard if leader["member"] == members[0])
    assert found["validation"]["loss"] < best["validation"]["loss"]


def test_a_space_of_ensembles_is_refused(tmp_path) -> None:
    with pytest.raises(TreinoError):
        tr.sweep(frame(), "ensemble=2|3", target="kind", parent=tmp_path)
    assert not list(tmp_path.iterdir())
