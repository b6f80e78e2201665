"""Many networks in the playground: each the same as `treino train` would train it alone; how much of the best
is luck; who goes on after a rung; and the page that shows them."""

import json
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import treino as tr
from apps.studio.tests.playground.node import KERNEL, NODE, in_node, node
from apps.studio.tests.playground.tab import Tab
from apps.studio.tests.test_presses import PRESS
from treino.folders.stored_run import StoredRun
from treino.inspection.intervals import wilson
from treino.training.search import samplers as rungs
from treino.training.search.judge import by_rows, selection_bias

Json = dict[str, Any]


def ask(tasks: list[Json]) -> list[Any]:
    """The answers of the playground's modules, in one process."""
    return list(node("crowd.mjs", {"build": KERNEL, "tasks": tasks}))


# ---- each network is the one that treino trains

USUAL: Json = {
    "hidden": [8, 6], "activation": "tanh", "loss": "cross_entropy", "optimizer": "adam", "lr": 0.003,
    "weight_decay": 0, "momentum": 0, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "clip": None, "dropout": 0,
    "batch_size": 32, "seed": 0, "data_seed": 0, "schedule": "constant", "steps": 100000, "fault": [],
}  # fmt: skip
MEMBERS: list[Json] = [  # three kernels; one that is cut in between
    {"id": 0, "slot": 0, "own": {"lr": 0.01, "seed": 3, "hidden": [4, 2]}},
    {"id": 1, "slot": 1, "own": {"lr": 0.05, "seed": 4, "hidden": [4, 2]}},
    {"id": 2, "slot": 32, "own": {"lr": 0.003, "seed": 5, "hidden": [16, 8]}},
    {"id": 3, "slot": 64, "own": {"lr": 0.02, "seed": 6, "hidden": [16, 8], "dropout": 0.3}},
]
PLAN: Json = {
    "problem": {"source": "moons", "data_seed": 0},
    "settings": USUAL,
    "members": MEMBERS,
    "plane": {"axes": [0, 1], "low": [-2, -1.5], "high": [3, 2]},
    "cells": 16,
    "range": [0, 1],
}
STEPS = 66  # three epochs


@pytest.fixture(scope="module")
def crowd() -> Json:
    if NODE is None:
        pytest.skip("needs node, which runs the playground's modules")
    task = {
        "do": "crowd",
        "plan": PLAN,
        "turns": [{"steps": 7}, {"steps": 22, "alive": [0, 2, 3]}, {"steps": STEPS - 29}],
        "rows": [0, 2, 3],
        "scores": [{"part": 1}, {"part": 2, "ids": [2]}],
    }
    answer: Json = ask([task])[0]
    return answer


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[int, StoredRun]:
    """The networks that were left, trained by treino alone."""
    found = {}
    for member in (MEMBERS[0], MEMBERS[2], MEMBERS[3]):
        run = tr.fit(
            "moons", activation="tanh", batch_size=32, data_seed=0, steps=STEPS, patience=0, keep="last",
            recipe="plain", lean=True, out=tmp_path_factory.mktemp("alone") / "run", **member["own"],
        )  # fmt: skip
        assert isinstance(run, StoredRun)
        found[member["id"]] = run
    return found


def test_each_network_has_the_bits_of_a_training_alone(crowd: Json, alone: dict[int, StoredRun]) -> None:
    for (member, run), bits in zip(alone.items(), crowd["rows"], strict=True):
        weights = np.array(bits, dtype=np.uint32)
        tensors = [tensor.numpy().ravel().view(np.uint32) for tensor in run.module.state_dict().values()]
        starts = np.cumsum([0, *(-(-len(tensor) // 16) * 16 for tensor in tensors)])  # each on a line of 16
        for tensor, start in zip(tensors, starts, strict=False):
            assert np.array_equal(weights[start : start + len(tensor)], tensor), member


def test_rows_are_judged_as_treino_judges_them(crowd: Json, alone: dict[int, StoredRun]) -> None:
    validation, test = crowd["scores"]
    for score, part, row, member in ((validation, "validation", 2, 2), (test, "test", 0, 2)):
        rows = score["rows"]
        loss_N = score["loss_MN"][row * rows : (row + 1) * rows]
        right_N = score["right_MN"][row * rows : (row + 1) * rows]
        run = alone[member]
        data = getattr(run.data, part)
        with torch.no_grad():
            z_NC = run.module(data.x)
        expected = torch.nn.functional.cross_entropy(z_NC, data.y, reduction="none")
        assert rows == len(data.y)
        assert np.allclose(loss_N, expected.numpy(), rtol=1e-4, atol=1e-6)
        assert np.array_equal(right_N, (z_NC.argmax(1) == data.y).float().numpy())


def test_a_tile_shows_the_winner_and_its_lead(crowd: Json, alone: dict[int, StoredRun]) -> None:
    last = [frame for frame in crowd["frames"] if frame["step"] == STEPS]
    ids = [network for frame in last for network in frame["ids"]]
    assert sorted(ids) == [0, 2, 3], "who was cut is painted no more"
    run, cells = alone[2], PLAN["cells"]
    every = np.array([byte for frame in last for byte in frame["bytes"]]).reshape(-1, cells, cells, 2)
    bytes_ = every[ids.index(2)]
    low, high = PLAN["plane"]["low"], PLAN["plane"]["high"]
    middle = (np.arange(cells) + 0.5) / cells
    x, y = (low[k] + middle * (high[k] - low[k]) for k in (0, 1))
    raw = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    prep = run.preparation
    inputs = torch.tensor((raw - np.array(prep.mean)) / np.array(prep.scale), dtype=torch.float32)
    with torch.no_grad():
        share = run.module(inputs).softmax(1).numpy().reshape(cells, cells, 2)
    lead = np.abs(share[..., 0] - share[..., 1])
    assert np.array_equal(bytes_[..., 0], share.argmax(-1))
    assert np.abs(bytes_[..., 1] - 255 * np.sqrt(lead)).max() < 1


# ---- luck


def scores(members: int, rows: int, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    draw = np.random.default_rng(seed)
    loss = (draw.random((members, rows)) ** 2 * draw.random((members, 1))).astype(np.float32)
    return loss, (draw.random((members, rows)) < 0.9).astype(np.float32)


@pytest.mark.slow
@in_node
def test_luck_is_what_the_judge_of_a_sweep_finds() -> None:
    cases = [(40, 150, 0), (300, 90, 1), (7, 3, 2), (1, 20, 3), (12, 1, 4)]
    tasks, expected = [], []
    for members, rows, seed in cases:
        loss, right = scores(members, rows, seed)
        if members > 5:
            loss[3], loss[5, 0] = np.nan, np.nan  # diverged
        choose = by_rows(-torch.tensor(loss))
        order = choose(None).nan_to_num(nan=-math.inf).argsort(descending=True).tolist()
        for classes, report in (
            (2, by_rows(torch.tensor(right))),
            (0, by_rows(-torch.tensor(loss), lambda mean: -(-mean).sqrt())),
        ):
            bias = selection_bias(choose, members, rows, report=report)
            for cut in (0, min(1, members - 1)):  # also the best: only those that are left can win
                left = [int(m in order[cut::2]) for m in range(members)]
                expected.append((order[cut], float(report(None)[order[cut]]), bias))
                tasks.append({
                    "do": "luck", "members": members, "rows": rows, "classes": classes, "left": left,
                    "loss_MN": [None if math.isnan(v) else float(v) for v in loss.ravel()],
                    "right_MN": right.ravel().tolist(),
                })  # fmt: skip
    for answer, (winner, best, bias) in zip(ask(tasks), expected, strict=True):
        assert answer["winner"] == winner
        assert [answer[key] for key in ("best", "inflation", "other")] == pytest.approx(
            [best, bias.inflation, bias.other_inflation], abs=1e-9
        )
        if winner == bias.winner:
            assert answer["error"] == pytest.approx(bias.error, abs=1e-9)


@in_node
def test_a_verdict_has_wilsons_interval_and_the_figure_of_a_constant_answer() -> None:
    cases = [(0, 5), (5, 5), (17, 30), (149, 150)]
    assert np.allclose(
        ask([{"do": "wilson", "right": k, "rows": n} for k, n in cases]), [wilson(k, n) for k, n in cases]
    )
    parts = {"train": {"y": [0, 1, 1, 2]}, "test": {"y": [1, 1, 0, 2]}}
    of_classes, of_values = ask([
        {"do": "verdict", "classes": 3, "loss_N": [1] * 4, "right_N": [1, 1, 0, 1], **parts},
        {"do": "verdict", "classes": 0, "loss_N": [4.0] * 9, "right_N": [0] * 9, "scale": 2.5,
         "train": {"y": []}, "test": {"y": [1.0, -1.0]}},
    ])  # fmt: skip
    assert of_classes["figure"] == 0.75
    assert of_classes["constant"] == 0.5
    assert of_values["figure"] == pytest.approx(5)
    assert of_values["interval"] == pytest.approx([5, 5])
    assert of_values["constant"] == pytest.approx(2.5)


# ---- who goes on


@in_node
def test_rungs_and_survivors_are_those_of_a_sweep() -> None:
    plans = [(m, e, eta) for m in (1, 2, 64, 972, 1024, 4096) for e in (1, 7, 40, 81, 243) for eta in (2, 3)]
    draw = np.random.default_rng(0)
    figures = [
        [None if v < 0.1 else round(float(v), 1) for v in draw.random(n)]
        for n in (1, 5, 50)
        for _ in range(9)
    ]
    answers = ask(
        [{"do": "halving", "members": m, "epochs": e, "eta": eta} for m, e, eta in plans]
        + [{"do": "survivors", "figures": f, "count": max(1, len(f) // 2)} for f in figures]
    )
    for answer, plan in zip(answers, plans, strict=False):
        (bracket,) = rungs.halving(*plan)
        assert answer == [{"members": r.members, "epochs": r.epochs} for r in bracket]
    for answer, values in zip(answers[len(plans) :], figures, strict=True):
        assert answer == rungs.survivors(values, max(1, len(values) // 2))


@in_node
@settings(max_examples=3, deadline=None)
@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.floats(0.01, 10)), min_size=1, max_size=40), min_size=1, max_size=30
    )
)
def test_an_order_is_changed_only_where_one_is_clearly_better(lists: list[list[float | None]]) -> None:
    for answer, worth in zip(
        ask([{"do": "settle", "order": list(range(len(w))), "worth": w} for w in lists]),
        lists,
        strict=True,
    ):
        value = [math.inf if w is None else w for w in worth]
        assert sorted(answer) == list(range(len(worth)))
        for above, below in pairwise(answer):
            assert value[below] >= 0.97 * value[above]
            assert value[above] < math.inf or value[below] == math.inf
        for i, network in enumerate(answer):  # equals stay as they stood
            assert all(value[other] != value[network] or other < network for other in answer[:i])


# ---- which networks


@pytest.mark.slow
@in_node
def test_every_plan_makes_about_so_many_networks_and_every_picture_has_a_place() -> None:
    plans = [
        {"count": count, "across": across, "down": down, "panels": panels, "values": {}}
        for count in (64, 256, 576, 1024, 2304, 4096)
        for across, down, panels in (
            ("lr", "seed", "hidden"), ("lr", "seed", None), ("weight_decay", "lr", "activation"),
            ("hidden", "batch_size", None), ("dropout", "activation", "hidden"), ("seed", "lr", "dropout"),
        )
    ]  # fmt: skip
    for plan, made in zip(
        plans,
        ask([{"do": "members", "plan": p, "settings": USUAL, "workers": 3, "each": 32} for p in plans]),
        strict=True,
    ):
        members, shares = made["members"], made["shares"]
        listed = {"hidden", "activation", "batch_size"} >= {plan["across"], plan["down"]}
        assert len(members) <= plan["count"]
        assert listed or len(members) > 0.75 * plan["count"]
        assert [m["id"] for m in members] == list(range(len(members)))
        assert sorted(m["id"] for share in shares for m in share) == list(range(len(members)))
        assert len({m["slot"] for m in members}) == len(members)
        assert max(m["slot"] for m in members) < made["slots"]
        assert len({json.dumps(m["own"], sort_keys=True) for m in members}) == len(members)
        for share in shares:  # the pictures of a group lie in blocks of 32
            kinds: dict[str, list[int]] = {}
            for member in share:
                all_ = {**USUAL, **member["own"]}
                kind = str([all_[k] for k in ("hidden", "activation", "batch_size")] + [all_["dropout"] > 0])
                kinds.setdefault(kind, []).append(member["slot"])
            for slots in kinds.values():
                assert slots == list(range(slots[0], slots[0] + len(slots)))
                assert slots[0] % 32 == 0


@in_node
def test_a_plan_goes_into_the_address_and_comes_back() -> None:
    plans: list[Json] = [
        {"count": 1024, "across": "lr", "down": "seed", "panels": "hidden", "values": {}},
        {"count": 64, "across": "weight_decay", "down": "lr", "panels": None,
         "values": {"lr": {"low": 0.001, "high": 10}, "weight_decay": {"low": 1e-6, "high": 0.5}}},
        {"count": 4096, "across": "seed", "down": "activation", "panels": "batch_size",
         "values": {"seed": {"low": 7}, "activation": {"list": ["relu"]},
                    "batch_size": {"list": ["1", "full"]}}},
    ]  # fmt: skip
    fields = ask([{"do": "fields", "plan": plan} for plan in plans])
    assert not any(fields[0].values()), "what is usual needs no address"
    back = ask([{"do": "plan", "fields": one} for one in fields])
    assert back == [{"plan": plan, "wrong": []} for plan in plans]


@in_node
def test_what_an_address_says_wrongly_is_as_usual_and_said() -> None:
    fields = [
        {"count": "1000"}, {"across": "size"}, {"down": "lr"}, {"lr_values": "1..0.1"}, {"lr_values": "x"},
        {"hidden_values": "4,0"}, {"hidden_values": "999"}, {"seed_values": "0.5.."},
    ]  # fmt: skip
    answers = ask([{"do": "plan", "fields": one} for one in fields])
    wrong = [answer["wrong"] for answer in answers]
    assert wrong == [
        ["count"],
        ["across"],
        [],
        ["lr_values"],
        ["lr_values"],
        *[["hidden_values"]] * 2,
        ["seed_values"],
    ]
    assert {answer["plan"]["down"] for answer in answers} == {"seed"}, "one setting stands in one place"
    assert all(answer["plan"]["values"] == {} for answer in answers)
    big, none = ask([{"do": "values", "name": "lr", "text": t} for t in ("0,001..1000000000", "0..1")])
    assert big == {"low": 0.001, "high": 1e9}
    assert none is None


# ---- the page


class Crowd(Tab):
    """A tab with many networks. Chromium warns where there is no graphics card."""

    complaints = ("error",)

    def painted(self) -> "Crowd":
        """... once every network has a picture."""
        self.see("networks.length && treinoCrowd.networks.every((n) => n.loss !== undefined)")
        return self

    def get(self, expression: str) -> Any:
        """A part of what the view shows to tests."""
        return self.page.evaluate(f"treinoCrowd.{expression}")

    def see(self, expression: str) -> None:
        """Wait until this holds of it."""
        self.wait(lambda: self.page.evaluate(f"globalThis.treinoCrowd && Boolean(treinoCrowd.{expression})"))

    def train(self, steps: int) -> None:
        """So many steps at least, and everything is painted."""
        at = self.get("step")
        self.page.locator("#play").click()
        self.see(f"step >= {at + steps}")
        self.page.locator("#play").click()
        self.see("together")

    def loss(self) -> list[float]:
        return [math.nan if v is None else v for v in self.get("networks.map((n) => n.loss)")]


@pytest.fixture
def many(tab: Any) -> Any:
    def opening(hash_: str, *args: Any, paints: bool = True, **how: Any) -> Crowd:
        one: Crowd = tab(f"#view=many&{hash_}", *args, made=Crowd, **how)
        return one.painted() if paints else one

    return opening


COLOURS = """() => { const c = document.querySelector('#tiles > canvas');
    const d = new OffscreenCanvas(c.width, c.height).getContext('2d');
    const share = {blue: 0, orange: 0, painted: 0};
    d.drawImage(c, 0, 0);
    const p = d.getImageData(0, 0, c.width, c.height).data;
    for (let i = 0; i < p.length; i += 4) {
        if (p[i + 3] < 250) continue;
        share.painted += 4 / p.length;
        if (p[i + 2] > p[i] + 60) share.blue += 4 / p.length;
        if (p[i] > p[i + 2] + 60) share.orange += 4 / p.length;
    }
    return share; }"""


@pytest.mark.release
@pytest.mark.parametrize("kind", ["2d", "webgl"])
def test_tiles_show_what_their_networks_answer(many: Any, kind: str) -> None:
    one = many(f"data=moons&count=64&panels=none&tiles={kind}&lr_values=0.001..0.1")
    if one.get("kind()") != kind:
        pytest.skip("needs WebGL, which this Chromium lacks")
    one.train(60)
    share = one.page.evaluate(COLOURS)
    assert min(share["blue"], share["orange"]) > 0.05


@pytest.mark.release
def test_babysitting_opens_the_same_network_at_the_same_step(many: Any) -> None:
    one = many("data=moons&count=64&lr_values=0.01..0.1")
    one.train(40)
    step = one.get("step")
    member = one.get("networks[37].member.own")
    row = one.page.evaluate("treinoCrowd.ask(37, 'row', {id: 37}).then((row) => [...row])")
    one.page.locator("#tiles").focus()
    one.page.keyboard.press("Home")
    one.page.evaluate("document.querySelector('#tiles').blur()")
    one.page.evaluate("treinoCrowd.enlarge(37)")
    one.page.get_by_role("button", name="Babysit this one").click()
    one.page.wait_for_selector("main[data-frame]")
    asks = one.asks()
    assert "view" not in asks
    assert int(asks["step"]) == step
    assert [float(asks["lr"]), [int(n) for n in asks["hidden"].split(",")]] == [
        member["lr"],
        member["hidden"],
    ]
    assert int(asks.get("seed", 0)) == member["seed"]
    assert len(row) > 0


@pytest.mark.release
def test_halving_keeps_as_many_as_a_sweep_does(many: Any) -> None:
    one = many("data=moons&count=64&halving=2,8&play=1&speed=full")
    one.see("over")
    (bracket,) = rungs.halving(64, 8, 2)
    gone = one.get("networks.map((n) => n.gone)")
    steps = one.get("networks.map((n) => n.step)")
    per_epoch = 22  # 700 rows by 32
    assert gone.count(False) == bracket[-1].members
    assert {s for s, out in zip(steps, gone, strict=True) if not out} == {8 * per_epoch}
    trained = sorted(steps)
    for rung, after in pairwise(bracket):
        assert trained.count(rung.epochs * per_epoch) == rung.members - after.members
    assert one.page.locator("#play").is_disabled()


@pytest.mark.release
def test_a_button_of_many_networks_says_at_once_that_it_was_pressed_and_means_once(many: Any) -> None:
    """But each press of Step counts."""
    one = many("data=moons&count=64&halving=2,8&lang=pt_BR&speed=1", viewport={"width": 800, "height": 900})

    def press(button: str) -> None:
        assert one.page.locator(button).evaluate(PRESS), button
        one.see("together")

    press("#step")
    assert one.get("step") == 2
    press("#anew")
    one.see("step === 0 && !document.querySelector('[data-sent]')")
    for says in ("Pausar", "Rodar"):
        one.page.locator("#play").dblclick(delay=30)
        assert one.text("#play") == says
        one.wait(lambda: one.get("step") > 0)
    assert one.text("#many-hint").startswith("rodada 1 de ")
    hint = one.page.locator("#many-hint")
    assert hint.evaluate("node => node.scrollWidth <= node.clientWidth")  # it stands whole
    assert one.page.get_by_role("status").get_by_text("em pausa").count() == 1  # which ears hear
    assert one.page.locator("#judge").evaluate(PRESS)
    one.see("verdict")


@pytest.mark.release
def test_the_luck_is_of_the_step_and_the_best_beside_it(many: Any) -> None:
    one = many("data=spirals&count=64&lr_values=0.003..0.1&speed=16&workers=1")
    for steps in np.random.default_rng(7).integers(20, 200, 3).tolist():
        one.train(steps)
        one.see("luck?.step === treinoCrowd.step")
        said, step = one.text("#luck"), f"{one.get('step'):,}".replace(",", "\u202f")
        best = one.text("#best-right").removesuffix(" right")
        assert said.startswith(f"At step {step}, of the {best} that the best has right"), said


@pytest.mark.release
@pytest.mark.parametrize("halving", ["", "&halving=2,64"])
def test_the_best_is_judged_once_on_test_rows_and_its_luck_is_the_judges(many: Any, halving: str) -> None:
    one = many(f"data=spirals&count=64&lr_values=0.003..0.1&speed=64&workers=1{halving}")
    one.train(300)
    one.wait(lambda: "among 64 networks" in one.text("#luck"))
    one.page.locator("#judge").click()
    one.see("verdict")
    scores_ = one.page.evaluate(
        "treinoCrowd.ask(0, 'scores', {part: 1})"
        ".then((s) => ({...s, loss_MN: [...s.loss_MN], right_MN: [...s.right_MN]}))"
    )
    order = np.argsort(scores_["ids"])
    loss, right = (
        torch.tensor(np.array(scores_[key], dtype=np.float32).reshape(64, -1)[order])
        for key in ("loss_MN", "right_MN")
    )
    bias = selection_bias(by_rows(-loss), 64, loss.shape[1], report=by_rows(right))
    luck, verdict = one.get("luck"), one.get("verdict")
    gone = torch.tensor(one.get("networks.map((n) => n.gone)"))
    winner = int(loss.mean(1).masked_fill(gone, math.inf).argmin())  # of those that are left
    assert bool(gone.any()) == bool(halving)
    assert [luck["members"], luck["winner"]] == [64, winner]
    assert [luck["best"], luck["inflation"]] == pytest.approx([float(right[winner].mean()), bias.inflation])
    if winner == bias.winner:
        assert luck["error"] == pytest.approx(bias.error)
    low, high = wilson(round(verdict["figure"] * verdict["rows"]), verdict["rows"])
    assert verdict["interval"] == pytest.approx([low, high])
    assert verdict["constant"] == pytest.approx(1 / 3, abs=0.02)
    said = one.text("#verdict")
    for share in (luck["best"], verdict["figure"], low, high):
        assert f"{100 * share:.3g} %" in said
    step = one.get("step")
    for button in ("#play", "#step", "#judge"):
        assert one.page.locator(button).is_disabled()
    one.page.keyboard.press("Space")
    one.page.evaluate("new Promise((done) => setTimeout(done, 50))")
    assert one.get("step") == step
    one.page.locator("#anew").click()
    one.see("step === 0")
    assert one.page.locator("#play").is_enabled()
