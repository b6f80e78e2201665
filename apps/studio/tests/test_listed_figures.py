"""Every figure of the first page, and of the pages of sweeps and studies, equals the command line."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pandas as pd
import pytest

import treino as tr
from apps.studio.tests.page_numbers import Rule, numbers
from apps.studio.tests.real_studio import RealStudio, real_studio
from apps.studio.tests.run_figures import command_line
from apps.studio.tests.test_every_figure import opened_at, rested, unsourced

pytestmark = pytest.mark.release


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStudio]:
    folder = tmp_path_factory.mktemp("listed")
    how: dict[str, Any] = {"parent": folder / "runs", "epochs": 3}
    tr.fit("wine", name="wine", **how)
    tr.fit("diabetes", name="diabetes", **how)
    space = {"lr": "1e-4..1e6:log", "activation": ["gelu", "relu", "tanh"]}
    tr.sweep("wine", space, members=6, fresh=2, optimizer="sgd", name="sweep", **how)
    tr.fit("wine", seeds=3, name="seeds", **how)
    tr.study("wine", batch_sizes=[20, 60], name="study", **how)
    with real_studio(folder, []) as found:
        yield found
    assert found.said == []


def field(cells: list[str]) -> set[float]:
    """What somebody may type over is no figure."""
    return {each.value for cell in cells for each in numbers(cell)}


def shown(studio: RealStudio, *words: str) -> Any:
    return json.loads(command_line(studio.runs.parent, *words, "--json"))


def test_the_list_of_runs_says_what_treino_runs_says(studio: RealStudio, browser: Any) -> None:
    runs = {each["run"]: each for each in shown(studio, "runs")["runs"]}

    def row(cells: list[str]) -> set[float]:
        run = next(runs[cell] for cell in cells if cell in runs)
        when = datetime.fromisoformat(run["when"])
        date = {when.month, when.day, when.year % 100, when.hour % 12 or 12, when.minute}
        return {*map(float, date), run["steps"], run["figure"] or 0.0, run["test_looks"] or 0.0}

    rules: dict[str, Rule] = {
        "text #home-listed": lambda _: {len(runs)},
        "text .rows tbody tr": row,
        "said .rows tbody tr": row,
        "value #home-space": field,
        "value #home-members": field,
    }
    page = opened_at(studio, browser, "home", ".rows tbody tr[data-row]")
    rested(page)
    assert unsourced(page, rules, []) == []


@pytest.mark.parametrize("name", ["sweep", "seeds"])
def test_the_page_of_a_sweep_says_what_treino_show_says(studio: RealStudio, browser: Any, name: str) -> None:
    document = shown(studio, "show", name)
    table: pd.DataFrame = tr.open(studio.runs / name).frame  # type: ignore[union-attr]
    listed = {each["member"]: each for each in document["leaderboard"]}
    of_member = {
        int(member): {float(value) for value in rows.select_dtypes("number").iloc[-1].dropna()}
        | {float(rows["rung"].iloc[-1]) + 1}
        for member, rows in table.groupby("member")
    }
    for member, each in listed.items():
        of_member[member] |= {float(v) for v in each["validation"].values()}
        of_member[member] |= {float(v) for v in each["params"].values() if isinstance(v, int | float)}
    everything = {value for values in of_member.values() for value in values}
    rules: dict[str, Rule] = {
        "text #about": lambda _: {document["members"]},
        "text #sweep-listed": lambda _: {document["members"]},
        "text .head .hint": lambda _: {document["diverged"], document["members"] - document["finished"]},
        "text .rows tbody tr": lambda cells: of_member[int(cells[0])],
        "said .rows tbody tr": lambda cells: {*map(float, of_member)},
        "drawn .parallel canvas": lambda _: everything,
        "value .brush": field,
        "value #sweep-more": field,
        "text #sweep-result": lambda _: field([command_line(studio.runs.parent, "show", name)]),
    }
    page = opened_at(studio, browser, f"sweep/{name}", ".rows tbody tr")
    rested(page)
    assert unsourced(page, rules, []) == []


def test_the_page_of_a_study_says_what_treino_show_says(studio: RealStudio, browser: Any) -> None:
    document = shown(studio, "show", "study")
    rows = document["rows"]

    def row(cells: list[str]) -> set[float]:
        each = rows[int(cells[0]) - 1]
        figures = {each[name][-1] for name in ("loss", "measured_loss", "accuracy")}
        figures |= {each["loss"][0], *each["accuracy_interval"], each["updates_per_epoch"]}
        times = [each["seconds_per_epoch"], *(each["seconds_interval"] or ())]
        figures |= {unit * time for time in times for unit in (1, 1e3)}
        return {float(cells[0]), each["batch_size"], each["epochs"]} | figures

    def epoch(cells: list[str]) -> set[float]:
        number = int(cells[0])
        series = [each[name] for each in rows for name in ("loss", "measured_loss", "accuracy")]
        return {float(number)} | {of[number - 1] for of in series}

    sizes = {float(each["batch_size"]) for each in rows}
    rules: dict[str, Rule] = {
        "text #about": lambda _: {len(rows), document["epochs"]},
        "text .table-behind thead": lambda _: sizes,
        "text .legend": lambda _: sizes,
        "text .table-behind tbody tr": epoch,
        "text .rows tbody tr": row,
        "text #study-answers": lambda _: field(document["answers"]),
    }
    page = opened_at(studio, browser, "study/study", ".rows tbody tr")
    rested(page)
    page.wait_for_timeout(1500)  # until the tables behind the charts are written
    assert unsourced(page, rules, []) == []
