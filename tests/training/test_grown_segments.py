"""Segments with other layers: what was computed stays, each is exact again, and every verb still answers."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import treino as tr
from tests.training.test_changed_segments import same_states
from treino import api
from treino.api import open as open_result
from treino.data.rows import order
from treino.reports.export.formats import exported
from treino.reports.pictures.dynamics import dynamics_of

GROWTHS: dict[str, tuple[dict[str, Any], dict[str, Any], float]] = {  # asked, changes, how much may change
    "wider": ({"hidden": [5]}, {"hidden": [9]}, 1e-5),
    "wider and deeper": ({"hidden": [5, 4]}, {"hidden": [8, 4, 6]}, 1e-5),
    "deeper, tanh": ({"hidden": [6], "activation": "tanh"}, {"hidden": [6, 6]}, 0.1),
    "from linear": ({"hidden": []}, {"hidden": [20]}, 1e-4),
    "fewer units": ({"hidden": [9, 7]}, {"hidden": [8, 7]}, 3.0),
    "fewer layers": ({"hidden": [9, 7]}, {"hidden": [9]}, 9.0),
    "another activation": ({"hidden": [9]}, {"activation": "gelu"}, 3.0),
}


@pytest.mark.parametrize("case", GROWTHS)
@pytest.mark.parametrize("engine", ["module", "batched"])
@pytest.mark.sampled(7)
def test_outputs_stay_and_training_goes_on_as_torchs(case: str, engine: str, tmp_path: Path) -> None:
    asked, changes, most = GROWTHS[case]
    run = api.fit("wine", parent=tmp_path, lean=True, epochs=12, engine=engine, seed=1, dropout=0, **asked)
    before, changed = run.at(26), run.rewind(26, **changes)
    start, x = changed.at(26), run.data.train.x
    with torch.no_grad():
        seen = float((start.net(x) - before.net(x)).abs().max())
    said = changed.spec.segments[-1].output_change
    assert said is not None
    assert seen == pytest.approx(said, rel=1e-3, abs=1e-6)
    assert seen <= most
    assert "No output on training rows changed by more than" in " ".join(changed.document["notes"])
    other = len(changes.get("hidden", asked["hidden"])) != len(asked["hidden"])
    net = start.net.train()
    update = torch.optim.Adam(net.parameters(), lr=3e-3)
    for name, p in net.named_parameters():
        t = torch.tensor(0.0 if other else 26.0)
        update.state[p] = {k: v.clone() for k, v in start.state[name].items()} | {"step": t}
        assert other == all(not v.any() for v in start.state[name].values())
    index = order(len(x), run.data.data_seed, 6, "each").split(32)
    for step, index_B in enumerate(index[2:], 26):  # in the middle of an epoch, which goes on
        update.zero_grad()
        loss = nn.functional.cross_entropy(net(x[index_B]), run.data.train.y[index_B])
        loss.backward()
        update.step()
        assert loss.item() == pytest.approx(changed.losses[step], rel=1e-4)
    assert start.saved[0]["best.step"].item() == -1
    assert changed.document["kept_step"] > 26
    assert changed.module(x).shape == (len(x), 3)
    assert list(changed.resolved.hidden or ()) == changes.get("hidden", asked["hidden"])
    same_states(changed, open_result(changed.path), [3, 25, 26, 27, 47])


@pytest.mark.slow
def test_every_verb_on_segments_of_other_layers(tmp_path: Path) -> None:
    run = api.fit("wine", parent=tmp_path, epochs=8, hidden=[5], lr=0.01)
    run = run.rewind(12, hidden=[9, 4], batch_size=20, optimizer="sgd", momentum=0.9, lr=0.02)
    run = run.rewind(30, dropout=0.3, activation="tanh", epochs=10)
    again = open_result(run.path)
    assert [len(again.timeline.settings_at(step)["hidden"]) for step in (11, 12, 30)] == [1, 2, 2]
    assert again.document["layers"][0]["out"] == "9"
    found = dynamics_of(again)
    assert [layer.shape for layer in found.layers] == [(9, 13), (4, 9), (3, 4)]
    assert len(found.lr_S) == again.steps
    now = found.step_K >= 30
    assert bool(np.isfinite(found.gradient_KL[now]).all())
    assert not np.isfinite(found.gradient_KL[~now]).any()
    assert "from step 30 on" in " ".join(found.notes)
    pytest.importorskip("treino_microscope")
    for topic, step in (("adam", 5), ("adam", 11), ("momentum", 12), ("momentum", 29), ("momentum", 31)):
        assert tr.explain(topic, again, step=step).holds, step
    branch = again.at(13).branch(hidden=[9], epochs=6)
    shutil.rmtree(run.path)
    alone = open_result(branch.path)
    assert [len(list(m.net.parameters())) for m in (alone.at(5), alone.at(12), alone.at(20))] == [4, 6, 4]
    assert exported(alone, "safetensors").paths[0].exists()
    assert "def train" not in exported(alone, "script").paths[0].read_text()
    assert len(alone.predict("wine")) == 178
