"""Segments with another batch size or optimizer: torch's own steps, epochs without a jump, exact again."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from treino import api
from treino.api import Run
from treino.api import open as open_result
from treino.base.errors import TreinoError
from treino.data.rows import order
from treino.engine import OPTIMIZERS
from treino.engine.saved_state import keyframe_of_saved
from treino.engine.schedules import scale
from treino.engine.step_plan import EpochCount
from treino.folders import detailed_listing
from treino.training.commands import PlayControl
from treino.training.loop import JobStart
from treino.training.replay import snapshots


def same_states(run: Run, other: Run, steps: list[int]) -> None:
    """Weights, optimizer state and settings in force after these steps."""
    for a, b in zip(snapshots(run, steps), snapshots(other, steps), strict=True):
        one, two = keyframe_of_saved(a.saved)[0], keyframe_of_saved(b.saved)[0]
        assert one.keys() == two.keys()
        assert all(np.array_equal(one[name], two[name]) for name in one), a.step
        assert a.hp == b.hp
        assert torch.equal(a.batch.index_B, b.batch.index_B)


@pytest.mark.parametrize("engine", ["module", "batched"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.sampled(6)
def test_another_optimizer_takes_torchs_steps_from_an_empty_state(
    engine: str, optimizer: str, tmp_path: Path
) -> None:
    """torch.optim with the new settings, made at the step, goes where the segment goes."""
    before = "adam" if optimizer != "adam" else "sgd"
    run = api.fit("wine", parent=tmp_path, lean=True, epochs=10, hidden=[6], engine=engine, optimizer=before)
    more: dict[str, Any] = (
        {"momentum": 0.5, "nesterov": True} if optimizer == "sgd" else {"betas": (0.7, 0.95)}
    )
    start = run.at(14)  # in the middle of an epoch
    changed = run.rewind(14, optimizer=optimizer, batch_size=10, lr=0.02, **more)
    net = start.net.train()
    update = OPTIMIZERS[optimizer].torch(net.parameters(), lr=0.02, weight_decay=0, **more)
    rows = run.data.train
    for step, index_B in enumerate(order(len(rows), run.data.data_seed, 4, "each").split(10)[:6], 14):
        update.zero_grad()
        loss = nn.functional.cross_entropy(net(rows.x[index_B]), rows.y[index_B])
        loss.backward()
        update.step()
        assert loss.item() == pytest.approx(changed.losses[step], rel=1e-5)
    for name, value in changed.at(20).net.state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], value, rtol=1e-4, atol=1e-5)
    s = changed.settings
    assert (s["optimizer"], s["batch_size"], s["lr"]) == (optimizer, 10, 0.02)


@pytest.mark.parametrize(
    ("asked", "changes"),
    [
        ({}, {"fault": ["missing_zero_grad"]}),
        ({"fault": ["missing_zero_grad"]}, {"fault": []}),
        ({"as_taught": True}, {"fault": ["softmax_before_cross_entropy"]}),
        ({}, {"label_smoothing": 0.2}),
        ({"clip": 0.3}, {"data_seed": 5}),
        ({"data_seed": 4}, {"seed": 5}),
        ({}, {"seed": 5}),
        ({}, {"shuffle": "off"}),
    ],
)
@pytest.mark.sampled(4)
def test_torchs_loop_with_another_fault_loss_or_order(
    asked: dict[str, Any], changes: dict[str, Any], tmp_path: Path
) -> None:
    run = api.fit(
        "wine", parent=tmp_path, lean=True, epochs=10, hidden=[6], optimizer="sgd", lr=0.05, **asked
    )
    start, changed = run.at(24), run.rewind(24, **changes)
    net, rows = start.net.train(), run.data.train
    update = torch.optim.SGD(net.parameters(), lr=0.05)
    faults = changes.get("fault", asked.get("fault", ()))
    seed = changes.get("data_seed", run.data.data_seed if "data_seed" in asked else changes.get("seed", 0))
    index = order(len(rows), seed, 6, changes.get("shuffle", "each"))
    for step, index_B in enumerate(index.split(32), 24):
        if "missing_zero_grad" not in faults:
            update.zero_grad()
        out_BC = net(rows.x[index_B])
        out_BC = out_BC.softmax(1) if "softmax_before_cross_entropy" in faults else out_BC
        smoothing = changes.get("label_smoothing", 0.0)
        loss = nn.functional.cross_entropy(out_BC, rows.y[index_B], label_smoothing=smoothing)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), asked.get("clip", 1e9))
        update.step()
        assert loss.item() == pytest.approx(changed.losses[step], rel=1e-4)
    assert changed.settings["fault"] == list(faults)
    same_states(changed, open_result(changed.path), [3, 23, 24, 39])
    steps = {f["rule"]: f["evidence"] for f in changed.document["findings"]}
    assert steps.keys() == set(faults)
    best = changed.at(24).saved[0]["best.step"].item()
    other_loss = changed.at(24).loss_function != start.loss_function
    assert best == (-1 if other_loss else start.saved[0]["best.step"].item())


@pytest.mark.slow
def test_the_epochs_go_on_without_a_jump(tmp_path: Path) -> None:
    run = api.fit("wine", parent=tmp_path, lean=True, epochs=10, batch_size=32, schedule="cosine", patience=9)
    assert run.spec.steps_per_epoch == 4
    changed = run.rewind(10, batch_size=5)  # half through its third epoch
    assert changed.document["epochs"] == 10
    assert changed.document["steps"] == 10 + 7 * 25
    assert changed.document["steps_per_epoch"] == 25
    mean_E = [run.losses[:4].mean(), run.losses[4:8].mean(), run.losses[8:10].mean()]
    mean_E += list(changed.losses[10:].reshape(7, 25).mean(1))
    np.testing.assert_allclose(changed.document["loss"]["train"], mean_E, rtol=1e-6)
    validation = changed.evaluations["validation"]["loss"]
    assert validation[:3] == [None, None, None]  # the first evaluation would have been after 20 steps
    assert None not in validation[3:]
    for epoch in range(4, 11):  # the figures stand at the epochs' ends, and the kept weights at theirs
        net, rows = changed.at(10 + 25 * (epoch - 3)).net, changed.data.validation
        with torch.no_grad():
            assert nn.functional.cross_entropy(net(rows.x), rows.y).item() == pytest.approx(
                validation[epoch - 1]
            )
    kept = changed.document["kept_epoch"]
    assert validation[kept - 1] == min(validation[3:])
    assert changed.document["kept_step"] == 10 + 25 * (kept - 3)
    # as far in its schedule as in its epochs
    for step in (10, 11, 100, 184):
        lr = 3e-3 * scale("cosine", 0, 3 * 25 + step - 10, 250)
        assert changed.at(step).hp["lr"] == pytest.approx(lr)
    seen = torch.cat([changed.at(step).batch.index_B for step in range(10, 35)])
    assert seen.sort().values.tolist() == list(range(len(changed.data.train)))
    again = changed.rewind(60, batch_size="full")
    assert [len(again.at(step).batch.index_B) for step in (9, 10, 59, 60)] == [32, 5, 5, 125]
    assert again.document["steps"] == 60 + 5
    back = again.rewind(40, epochs=6)  # of the segment in between
    assert back.document["steps"] == 10 + 3 * 25
    np.testing.assert_array_equal(back.losses[:40], changed.losses[:40])


@pytest.mark.slow
def test_a_branch_of_a_branch_is_played_again_alone(tmp_path: Path) -> None:
    run = api.fit("wine", parent=tmp_path, lean=True, epochs=6, optimizer="sgd", momentum=0.9, lr=0.05)
    first = run.at(9).branch(batch_size=50, optimizer="adam")
    second = first.at(14).branch(optimizer="sgd", nesterov=True, momentum=0.8, batch_size=20, epochs=9)
    assert second.settings["momentum"] == 0.8
    assert "momentum 0.8" in second.document["notes"][0]
    assert "began at zero" in second.document["notes"][1]
    assert "momentum" not in first.document["notes"][0]
    assert first.settings["momentum"] == 0.0
    steps = [0, 8, 9, 13, 14, 30]
    here = [(m.step, m.net.state_dict(), m.hp) for m in snapshots(second, steps)]
    shutil.rmtree(run.path)
    shutil.rmtree(first.path)
    again = open_result(second.path)
    for (step, weights, hp), moment in zip(here, snapshots(again, steps), strict=True):
        assert hp == moment.hp
        assert all(torch.equal(weights[name], t) for name, t in moment.net.state_dict().items()), step
    assert again.at(13).settings["optimizer"] == "adam"
    assert again.at(8).settings["batch_size"] == 32


def test_a_loss_of_another_number_of_outputs_is_refused(tmp_path: Path) -> None:
    two = api.fit("breast_cancer", parent=tmp_path, lean=True, epochs=1, loss="bce")
    with pytest.raises(TreinoError, match="needs 2 outputs, and breast_cancer-1 has 1"):
        two.rewind(3, loss="cross_entropy")


def test_a_pause_at_the_next_epochs_end_knows_the_new_ones() -> None:
    count = EpochCount(4).restarted(10, 25)
    for step, epochs, stop in ((10, 1, 35), (35, 1, 60), (36, 2, 85)):
        play_control = PlayControl()
        play_control.command("epoch", epochs, step, count)
        assert play_control.stop_step == stop


def test_steps_and_epochs_that_are_asked_for_while_others_are_done_add_up() -> None:
    count, play_control = EpochCount(4), PlayControl()
    for name, number, stop in (("step", 1, 6), ("step", 2, 8), ("epoch", 1, 12), ("epoch", 1, 16)):
        play_control.command(name, number, 5, count)
        assert play_control.stop_step == stop
    play_control.command("pause", None, 7, count)
    play_control.command("step", 1, 7, count)
    assert play_control.stop_step == 8
    play_control.command("play", None, 8, count)
    play_control.command("epoch", 1, 9, count)  # of one that plays: the end of the epoch that it is in
    assert play_control.stop_step == 12


def test_a_training_that_a_slow_speed_lets_wait_is_still_playing() -> None:
    count, play_control = EpochCount(4), PlayControl(speed=0.01)
    assert play_control.limit(5) == 5
    assert play_control.playing(5)
    play_control.command("step", 2, 5, count)
    assert play_control.playing(6)
    assert not play_control.playing(7)


def test_the_list_of_runs_names_what_was_given_to_a_rewound_run(tmp_path: Path) -> None:
    run = api.fit("wine", parent=tmp_path, lean=True, epochs=4, optimizer="sgd", momentum=0.9)
    changed = run.rewind(8, optimizer="adam", batch_size=10)
    (row,) = detailed_listing(tmp_path, {})
    assert set(row["asked"]) == changed.asked_settings.keys()
    assert "batch_size" in row["asked"]
    assert "momentum" not in row["asked"]
    assert row["settings"] == changed.settings


def test_the_list_of_runs_has_what_a_command_set_on_the_way(tmp_path: Path) -> None:
    def steer(event: Any) -> None:
        if isinstance(event, JobStart):
            event.job.folder.database.add_command("lr", 0.02)

    run = api.fit("wine", parent=tmp_path, lean=True, epochs=4, watch=steer)
    assert [change.settings for change in run.changes] == [{"lr": 0.02}]
    (row,) = detailed_listing(tmp_path, {})
    assert row["settings"]["lr"] == 0.02
