"""Every figure of a script's page is one that the script computes, at drawn steps, on all its ways."""

import csv
import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.waiting import until

from apps.studio.tests.page_numbers import Rule, numbers, orphans, read
from apps.studio.tests.real_studio import RealStudio, real_studio
from apps.studio.tests.scripts import script
from apps.studio.tests.test_every_figure import opened_at

pytestmark = [
    pytest.mark.release,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks like this"),
]

ROUNDS, EACH = 2000, 4
FAN = 40  # steps of a future
TRAINS = f"""
import csv, time, torch
from torch import nn
torch.manual_seed(0)
x = torch.randn(60, 5); y = (x.sum(1) + torch.randn(60) > 0).long()
net = nn.Linear(5, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
criterion = nn.CrossEntropyLoss()
steps, measured = open("steps.csv", "w", buffering=1), open("measured.csv", "w", buffering=1)
step = 0
for epoch in range({ROUNDS}):
    for k in torch.arange(40).split(10):
        optimizer.zero_grad()
        loss = criterion(net(x[k]), y[k])
        loss.backward()
        step += 1
        norm = sum((p.grad**2).sum() for p in net.parameters()) ** 0.5
        optimizer.step()
        print(step, loss.item(), norm.item(), optimizer.param_groups[0]["lr"], sep=",", file=steps)
        time.sleep(0.001)
    with torch.no_grad():
        out = net(x[40:])
        right = (out.argmax(1) == y[40:]).float().mean()
        print(step, criterion(out, y[40:]).item(), right.item(), sep=",", file=measured)
"""


def whole(text: str) -> int:
    return int(text.replace("\u202f", ""))


class ScriptFigures:
    """What the numbers on a script's page may be: by the files that the script and its branches write.

    told: the newest state and fan that the page was sent, for what only the studio measures: the pace, and
    the memory of checkpoints.
    """

    def __init__(self, folder: Path, told: dict[str, Any]) -> None:
        self.state, self.fan = told["state"], told.get("fan")
        known = [each["number"] for each in self.state["branches"] if each["number"]]
        known += [each["branch"] for each in self.fan["futures"]] if self.fan else []
        self.folders = {0: folder} | {each: folder / "train.branches" / str(each) for each in known}
        self.losses, self.others = self._read("steps.csv"), self._read("measured.csv")
        self.at: dict[int, set[float]] = defaultdict(set)
        for table in (*self.losses.values(), *self.others.values()):
            for step, values in table.items():
                self.at[step] |= {*values}
        self.step = self.state["step"]
        branches = self.state["branches"]
        self.names = [f"branch-{each['number']}" for each in branches]
        self.names += [each["folder"] for each in branches if each["folder"]]
        asked = [change["value"] for change in self.state["changes"]]
        asked += [value for each in branches for value in each["changes"].values()]
        asked += [each["changes"]["lr"] for each in self.fan["futures"]] if self.fan else []
        self.rates = {0.1, 0.5, 0.0, *asked, *(change["before"] for change in self.state["changes"])}

    def _read(self, name: str) -> dict[int, dict[int, list[float]]]:
        """By process, the numbers after each step's."""
        found: dict[int, dict[int, list[float]]] = {}
        for number, folder in self.folders.items():
            path = folder / name
            lines = path.read_text().splitlines() if path.is_file() else []
            rows = [[float(each) for each in row] for row in csv.reader(lines)]
            found[number] = {int(row[0]): row[1:] for row in rows}
        return found

    def rules(self) -> dict[str, Rule]:
        kept = self.state["checkpoints"] or {"list": [], "memory": 0, "budget": 0}
        sizes = [kept["memory"], kept["budget"], *(each["memory"] or 0 for each in kept["list"])]
        measured = {size / unit for size in sizes for unit in (1e3, 1e6, 1e9)}
        measured |= {each["ms"] or 0.0 for each in kept["list"]} | {len(kept["list"])}
        steps = {float(each["step"]) for each in kept["list"]}
        assert all(0 < step <= max(self.at) for step in steps)
        return {
            "text #script-progress": self.progress,
            "value #script-optimizers": lambda _: self.rates,
            "text #script-optimizers": lambda _: {0},
            "said #script-optimizers": lambda _: {0},
            "text #script-changes li": self.way,
            "said #script-changes li": lambda _: self.rates,
            "text .legend": self.legend,
            "text .table-behind table": self.table,
            "drawn .chart canvas": lambda _: self.rates | {*map(float, self.folders)},
            "text #script-memory": lambda _: measured,
            "said #script-track": lambda _: measured | steps,
            "text #script-checkpoint": lambda _: measured | steps,
            "value #script-checkpoint": lambda _: self.offered(),
            "text #script-branches li": self.branch,
            "text #script-fan": self.future,
            "said #script-fan": self.future,
            "text #tip": self.tip,
        }

    def progress(self, cells: list[str]) -> list[set[float]]:
        """The step, all steps of the loop, and how many a second as the studio has counted them."""
        assert self.step in self.losses[self.present]
        about = [{float(ROUNDS * EACH)}] if "about" in cells[0] else []
        return [{float(self.step)}, *about, {self.state["pace"]}]

    @property
    def present(self) -> int:
        return next((each["number"] for each in self.state["branches"] if each["present"]), 0)

    def ran(self, step: int) -> set[float]:
        """The losses of a step on all ways."""
        return {values[step][0] for values in self.losses.values() if step in values}

    def mean(self, step: int, many: int) -> set[float]:
        """Those of so many steps up to one."""
        return {
            float(np.mean([values[k][0] for k in range(step - many + 1, step + 1)]))
            for values in self.losses.values()
            if {step, step - many + 1} <= values.keys()
        }

    def way(self, cells: list[str]) -> list[set[float]]:
        """A stretch: what was changed, its steps, and the newest figures in it."""
        text = " · ".join(cells)
        steps = re.search(r"step ([\d\u202f]+) to ([\d\u202f]+)", text)
        assert steps
        first, last = whole(steps[1]), whole(steps[2])
        before, _, figures = text.partition(f"step {cells[1][5:]}")
        found = [self.rates for _ in numbers(before)] + [{first}, {last}]
        for part in figures.strip(" ·").split(" · ") if figures.strip(" ·") else ():
            name = part.rpartition(" ")[0]
            if mean := re.search(r"mean loss of ([\d\u202f]+) batches", name):
                many = whole(mean[1])
                near = range(max(first, last - 2 * many), last + 1)
                found += [{many}, {value for end in near for value in self.mean(end, many)}]
            elif name == "Training loss":
                found.append(self.ran(last))
            else:
                k = {"Validation loss": 0, "accuracy": 1}[name]
                ends = [
                    {end: row for end, row in of.items() if first < end <= last}
                    for of in self.others.values()
                ]
                found.append({of[max(of)][k] for of in ends if of})
        return found

    def table(self, cells: list[str]) -> list[set[float]]:
        """The newest points of a chart's lines: of each step the values of the columns."""
        begin = next(k for k, cell in enumerate(cells) if re.fullmatch(r"[\d\u202f]+", cell))
        head, found, many = cells[1:begin], list[set[float]](), 1
        for name in head:
            mean = re.search(r"mean loss of ([\d\u202f]+) batches", name)
            found += [self.rates for _ in re.findall(r"lr (\S+)", name)]
            if mean:
                many = whole(mean[1])
                found.append({many})
        for row in zip(*[iter(cells[begin:])] * len(head), strict=True):
            step = whole(row[0])
            found.append({step})
            for name, cell in zip(head[1:], row[1:], strict=True):
                if numbers(cell):
                    found.append(self.mean(step, many) if "mean" in name else self.at[step])
        return found

    def legend(self, cells: list[str]) -> set[float]:
        return self.rates | {2.0**k for cell in cells if "mean" in cell for k in range(1, 4)}

    def offered(self) -> set[float]:
        """What a form begins with: present rates, those around them, a hundred steps; and what was typed."""
        return {rate * factor for rate in self.rates for factor in (0.1, 0.3, 1, 3, 10)} | {
            100.0,
            FAN,
        }

    def branch(self, cells: list[str]) -> list[set[float]]:
        text = " ".join(cells)
        fork = re.search(r"from step ([\d\u202f]+)", text)
        changed = re.findall(r"lr (\S+)", text)
        found: list[set[float]] = [self.rates for _ in changed]
        if fork:
            found.append({each["step"] for each in self.state["branches"] if each["number"]})
        return found + [{0.0} for _ in re.findall("exit status", text)]

    def future(self, cells: list[str]) -> set[float]:
        """Of each future the newest loss of the validation rows, or the mean of its last losses."""
        fan = self.fan
        assert fan
        found = {float(len(fan["futures"])), float(fan["step"]), float(fan["done"]), float(fan["steps"])}
        for each in fan["futures"]:
            losses, others = self.losses[each["branch"]], self.others[each["branch"]]
            assert each["changes"]["lr"] > 0
            end = fan["step"] + fan["done"]
            tail = max(1, round(0.1 * fan["steps"]))
            found |= {each["changes"]["lr"], losses[end][0], *self.mean(end, tail), float(tail)}
            found |= {others[max(step for step in others if step <= end)][0]}
        return found

    def tip(self, cells: list[str]) -> list[set[float]]:
        """The box beside the pointer: each name with its value, at the head's step or its own."""
        (at,) = (int(each.value) for each in numbers(cells[0]))
        found: list[set[float]] = [{at}]
        names = [cell for cell in cells[1:] if not re.fullmatch(r"[−\d.e]+|–", cell)]
        for name in names:
            own = re.search(r"\(step ([\d\u202f]+)\)", name)
            step = whole(own[1]) if own else at
            mean = re.search(r"mean loss of ([\d\u202f]+) batches", name)
            if name.startswith("click") or not re.search("loss|accuracy|SGD", name):
                found += [self.rates for _ in numbers(name)]  # what was changed there
                continue
            found += [self.rates for _ in re.findall(r"lr (\S+)", name)]
            if mean:
                many = whole(mean[1])
                value, more = self.mean(step, many), [{float(many)}]
            else:
                value, more = self.at[step], list[set[float]]()
            found += more + ([{step}] if own else []) + [value]
        return found


class Walk:
    """A page of the script at work; what it was sent last, and the numbers without a source."""

    def __init__(self, studio: RealStudio, browser: Any) -> None:
        self.folder, self.told, self.left = studio.runs.parent, dict[str, Any](), list[str]()
        self.page = opened_at(studio, browser, "script", "#script-0-0-lr", self._hear)

    def _hear(self, socket: Any) -> None:
        socket.on("framereceived", self._heard)

    def _heard(self, text: Any) -> None:
        self.told |= json.loads(text) if isinstance(text, str) else {}

    def at(self, step: int) -> None:
        """Go on until this step at least, and wait."""
        if not self.told["state"]["playing"]:
            self.page.get_by_role("button", name="Play", exact=True).click()
        until(lambda: self.told["state"]["step"] >= step, meanwhile=lambda: self.page.wait_for_timeout(20))
        self.page.get_by_role("button", name="Pause", exact=True).click()
        self.page.locator("#script-progress", has_text="paused").wait_for()

    def look(self, *canvases: int) -> None:
        """Note the numbers of the page without a source, and those of the boxes that the keys open."""
        page = self.page
        page.mouse.move(2, 2)
        for _look in range(6):  # until the tables behind the charts are written
            page.wait_for_timeout(700)
            told = ScriptFigures(self.folder, self.told)
            rules = told.rules()
            if not (left := orphans(read(page, rules), rules, told.names)):
                break
        for k in canvases:
            page.locator(".chart canvas").nth(k).focus()
            for key in ("ArrowLeft", "ArrowLeft", "ArrowRight"):
                page.keyboard.press(key)
                page.locator("#tip:not([hidden])").wait_for()
                units, axes = read(page, rules)
                units = [unit for unit in units if unit["place"] == "text #tip"]
                left += orphans((units, axes), rules, told.names)
            page.keyboard.press("Escape")
        self.left += [f"step {told.step}: {each}" for each in left]


def test_every_figure_of_a_scripts_page_is_one_that_the_script_computes(browser: Any, tmp_path: Path) -> None:
    script(tmp_path, TRAINS, prelude="")
    with real_studio(tmp_path, ["train.py", "--checkpoints"]) as studio:
        walk = Walk(studio, browser)
        page = walk.page
        page.get_by_role("button", name="Pause", exact=True).click()
        page.locator("#script-progress", has_text="paused").wait_for()
        walk.look(0)
        for step in np.random.default_rng(4).integers(50, 900, 2).tolist():
            walk.at(walk.told["state"]["step"] + step)
            walk.look(0)
        page.get_by_role("button", name="Step", exact=True).click()
        walk.look(0, 1, 2)
        page.fill("#script-0-0-lr", "0.05")
        page.press("#script-0-0-lr", "Tab")
        page.click("#script-mark")
        walk.at(4300)  # where points of the curve are means
        walk.look(0)
        page.locator("#script-track .marked").first.click()
        walk.look()
        page.fill("#rewind-lr", "0.2")
        page.click("#script-rewind")
        page.wait_for_selector("#script-branches .chosen:has-text('branch-1')")
        until(lambda: walk.told["state"]["present"] == "branch-1" and walk.told["state"]["step"] > 100)
        page.get_by_role("button", name="Pause", exact=True).click()
        page.locator("#script-progress", has_text="paused").wait_for()
        walk.look(0, 1)
        page.fill("#script-fan-values", "0.01 0.3 1")
        page.fill("#script-fan-steps", str(FAN))
        page.click("#script-fan-out")
        page.wait_for_function("() => document.querySelector('#script-fan').textContent.includes('40 of')")
        walk.look(0)
        page.locator("#script-futures button").nth(1).click()
        page.wait_for_selector("#script-fan", state="hidden")
        walk.at(walk.told["state"]["step"] + 30)
        walk.look(0)
    assert not walk.left, "\n".join(walk.left)
    assert studio.said == []
