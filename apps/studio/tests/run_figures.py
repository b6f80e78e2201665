"""What the numbers on a run's page may be: by the command line, scikit-learn and torch."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, mean_squared_error, r2_score
from torch import nn

from apps.studio.tests.page_numbers import Rule, numbers
from apps.studio.tests.real_studio import TREINO
from treino.folders.timeline import segments_of
from treino.inspection.outputs import outputs
from treino.training.replay import Snapshot, snapshots
from treino.training.stored_results import open_run


def command_line(folder: Path, *words: str) -> str:
    """What a command prints in a folder."""
    line = [*TREINO, *words]
    return subprocess.run(line, cwd=folder, check=True, capture_output=True, text=True).stdout


class RunFigures:
    """What the numbers on a run's page may be at a step.

    document: as ``treino show --json`` has it. terminal: what ``treino show`` prints.
    """

    def __init__(self, path: Path) -> None:
        self.run, name = open_run(path, verify=False), path.name
        self.document = json.loads(command_line(path.parent.parent, "show", f"runs/{name}", "--json"))
        self.terminal = command_line(path.parent.parent, "show", f"runs/{name}")
        data = self.run.data
        self.names = [*data.features, *map(str, data.by_target[0].classes), data.by_target[0].target, name]
        self.names = [each for each in self.names if re.search(r"\d", each) and not each.isdigit()]
        self.pictures = data.kind == "image"
        self.segments = len(segments_of(self.run.spec))
        self.over = self.document["status"] in ("finished", "diverged")

    def at(self, step: int, axes: list[str]) -> "RunFigures":
        self.step, self.axes = step, axes
        self.settings = self.run.timeline.settings_at(step)
        (self.now,) = snapshots(self.run, [step])
        self.splits = [each for each in self.run.data.splits if each != "test" or self.over]
        return self

    def out(self, split: str, x: Any = None, at: Snapshot | None = None) -> torch.Tensor:
        rows = self.run.data.splits[split]
        return outputs(
            (at or self.now).net, rows.x if x is None else x, item_shape=self.run.item_shape
        ).double()

    def right(self, split: str) -> int:
        return int((self.out(split).argmax(1) == self.run.data.splits[split].y.reshape(-1)).sum())

    @property
    def metric_name(self) -> str:
        return "accuracy" if self.run.data.classes else "rmse"

    def measured(self, split: str, metric: str, at: Snapshot | None = None) -> float:
        """A figure of all rows at the step, as scikit-learn has it."""
        out, y = self.out(split, at=at), self.run.data.splits[split].y
        if metric == "loss" and self.run.data.classes:
            return float(log_loss(y, out.softmax(1), labels=range(out.shape[1])))
        if metric == "accuracy":
            return float(accuracy_score(y, out.argmax(1)))
        if metric == "loss":
            return float(mean_squared_error(y, out))
        values = [self.run.data.preparation.values(each[:, 0]) for each in (out, y.double())]
        return float(mean_squared_error(*values)) ** 0.5

    def rules(self) -> dict[str, Rule]:
        data, settings, step = self.run.data, self.settings, self.step
        rows = {split: len(data.splits[split]) for split in data.splits}
        drawn = {min(each, 1000 if split == "train" else 300) for split, each in rows.items()}
        told = self.document["reasons"] + self.document["notes"]
        hidden = settings.get("hidden") or []
        epochs = {
            float(self.document["epochs"]),
            float(settings.get("epochs") or 0),
            2.0 * self.document["epochs"],
        }
        unit_values = {float(n) for n in (*self.units(), 12)}
        return {
            "text #name": numbers_in,
            "text #tabs": numbers_in,
            "text .bound .table-behind thead": lambda _: {*range(len(data.classes))},
            "text #about": lambda cells: [
                {sum(rows.values())},
                *({2} for _ in re.findall("viewers", cells[0])),
            ],
            "text #ways li": self.way,
            "text #clock-step": lambda _: {step},
            "text #clock-epoch": lambda _: {step / self.document["steps_per_epoch"]},
            "text #when": lambda _: [{step}, {self.document["steps"]}][
                : 1 + (step != self.document["steps"])
            ],
            "said #time": lambda _: [{step}, {self.document["steps"]}],
            "text #goes-on": lambda _: epochs,
            "value #epochs": lambda _: epochs,
            "text #seed": lambda _: {settings["seed"]},
            "value #lr": lambda _: {self.now.hp["lr"]},
            "said #lr-slider": lambda _: {self.now.hp["lr"]},
            "text #sign-lr": lambda _: {self.now.hp["lr"]},
            **{
                f"{kind} #{name}{end}": lambda _, name=name: {self.now.hp[name]}
                for name in ("weight_decay", "beta1", "beta2", "momentum", "dropout", "clip")
                for kind, end in (("text", "-value"), ("said", ""))
            },
            "said #ema": lambda _: {settings["ema"] or 0},
            "text #ema-value": lambda _: {settings["ema"] or 0},
            "value #shape": lambda _: [{len(hidden)}, *({n} for n in hidden)],
            "text #shape": lambda _: [{k} for k in range(len(hidden))],
            "said #shape": lambda _: {*range(len(hidden))},
            "text #decisions li": lambda _: numbers_in(told),
            "text #network-about": lambda _: {self.document["parameters"]},
            "text .net .table-behind tbody tr": self.unit_row,
            "said #network-canvas": lambda _: [*({n} for n in self.units()), {step}],
            "drawn #network-canvas": lambda _: unit_values | self.mistakes(),
            "said #picture-figure": self.rows_right,
            "text #picture-figure": self.rows_right,
            "said #picture-canvas": lambda cells: [{step}, *self.rows_right(cells)],
            "drawn #picture-canvas": lambda _: self.mistakes(),
            "text #picture-key .count": lambda _: {*rows.values()} | drawn,
            "text #picture-note": self.note,
            "said #picture-note": self.note,
            "text .bound .table-behind caption": lambda _: {*rows.values()} | drawn,
            "text .bound .table-behind tbody tr": self.picture_row,
            "text #seen-of": lambda _: {*rows.values()},
            "value #seen-place": lambda _: {0},
            "text #seen-says": lambda _: {*self.mistakes(), *range(len(data.classes))},
            "text #figures > div": self.figures,
            "said #curves-canvas": lambda cells: self.spoken(cells),
            "text .curves .table-behind tbody tr": self.epoch_row,
            "text #sign-gradient_norm": lambda _: {self.gradient_norm()},
            "text #sign-update_ratio": lambda _: {self.update_ratio()},
            "text #result tbody tr": self.result_row,
            "text #result thead tr": lambda _: {},
            "text #result": lambda _: numbers_in([self.terminal, self.document_words()]),
            "text #tip": self.tip,
        }

    # ---- panels of the page

    def units(self) -> list[int]:
        return [group.shape[1] for group in self.groups()]

    def groups(self) -> list[torch.Tensor]:
        """The values of the inputs and of each layer with what follows it, on the drawn training rows."""
        value = self.run.data.train.x[:1000]
        found = [] if self.pictures else [value]
        value = value.reshape(len(value), *(self.run.item_shape or value.shape[1:]))
        assert isinstance(self.now.member_net, nn.Sequential)
        with torch.no_grad():
            for layer in self.now.member_net:
                value = layer(value)
                if isinstance(layer, nn.Linear | nn.Conv2d):
                    found.append(value)
                elif not isinstance(layer, nn.Flatten):
                    found[-1] = value
        return found

    def unit_row(self, cells: list[str]) -> list[set[float]]:
        """How many units a layer has, and how many of them never change."""
        total = int(numbers(cells[-2])[0].value)
        groups = [group.transpose(0, 1).flatten(1) for group in self.groups() if group.shape[1] == total]
        return [{total}, {float((group.amax(1) == group.amin(1)).sum()) for group in groups}]

    def mistakes(self) -> set[float]:
        """The probabilities of the validation pictures, and the classes, which are numbers."""
        if not self.pictures:
            return set()
        share = self.out("validation").softmax(1)
        return {*share.flatten().tolist(), *map(float, range(share.shape[1]))}

    def rows_right(self, cells: list[str]) -> list[set[float]]:
        """Of each split that is named."""
        found: list[set[float]] = []
        for split, word in (("train", "training"), ("validation", "validation"), ("test", "test")):
            part = re.search(rf"{word}: [^·]*", cells[0])
            if part is None:
                continue
            assert split in self.splits
            rows = len(self.run.data.splits[split])
            drawn = re.search(r"([\d\u202f]+) of ([\d\u202f]+) rows drawn", part[0])
            if drawn:
                least = numbers(drawn[1])[0].value
                found += [{*range(int(least) + 1)}, {least}, {min(rows, least)}, {rows}]
            elif self.run.data.classes:
                found += [{self.right(split)}, {rows}]
            else:
                found += [{self.measured(split, "rmse")}]
        return found

    def picture_row(self, cells: list[str]) -> Any:
        word, _, name = cells[0].partition(", ")
        split = {"training": "train"}.get(word, word)
        data = self.run.data
        rows = data.splits[split]
        if not data.classes:
            return [{self.metric(split, metric)} for metric in ("loss", "rmse", "mae", "r2")]
        if len(rows) > 300:
            return {*map(float, range(1001))}
        of = rows.y.reshape(-1) == list(data.classes).index(name) if name in data.classes else None
        if of is None:  # a class whose name is a number
            numbered = int(numbers(cells[0])[0].value)
            of = rows.y.reshape(-1) == numbered
        said = self.out(split).argmax(1)[of]
        counts = [{int((said == k).sum())} for k in range(len(data.classes))]
        return counts if name in data.classes and not name.isdigit() else [{float(name)}, *counts]

    def metric(self, split: str, metric: str) -> float:
        if metric in ("loss", "rmse"):
            return self.measured(split, metric)
        out, y = self.out(split), self.run.data.splits[split].y.double()
        truth, said = (self.run.data.preparation.values(each[:, 0]) for each in (y, out))
        return float({"mae": mean_absolute_error, "r2": r2_score}[metric](truth, said))

    def note(self, cells: list[str]) -> Any:
        """On how many rows the plane agrees, and at which medians of the training rows it lies."""
        data = self.run.data
        if len(self.axes) < 2 or len(data.features) < 3:
            return set()
        kept = [list(data.features).index(name) for name in self.axes]
        middle_D = data.train.x.median(dim=0).values
        same = rows = 0
        for split in self.splits:
            x = data.splits[split].x
            plane = middle_D.repeat(len(x), 1)
            plane[:, kept] = x[:, kept]
            same += int((self.out(split, plane).argmax(1) == self.out(split).argmax(1)).sum())
            rows += len(x)
        raw = self.raw()
        held = [
            {float(raw.iloc[data.train.index.tolist()][name].median())}
            for name in data.features
            if name not in self.axes
        ]
        large = any(len(data.splits[split]) > 1000 for split in self.splits)
        agreed = (
            [{*np.arange(0, 1.001, 0.005).tolist()}, {*range(rows)}] if large else [{same / rows}, {rows}]
        )
        return [*agreed, *held[:3]] if "%" in cells[0] else held[:3]

    def raw(self) -> pd.DataFrame:
        name = "large" if self.run.name == "large" else "small"
        return pd.read_csv(self.run.path.parent.parent / f"{name}.csv")

    def figures(self, cells: list[str]) -> list[set[float]]:
        """Each figure by its metric, its split, and the step, epoch or rows that it names."""
        metric = {"RMSE": "rmse"}.get(cells[0], cells[0])
        text = " ".join(cells[1:])
        return self._figures(metric, text)

    def _figures(self, metric: str, text: str) -> list[set[float]]:
        found: list[set[float]] = []
        for part in re.findall(
            r"[\d.−e]+ (?:training|validation)[^.]*?(?=(?: [\d.−e]+ (?:training|validation))|$)", text
        ):
            split = "train" if "training" in part else "validation"
            at = re.search(r"step ([\d\u202f]+)", part)
            epoch = re.search(r"mean of epoch ([\d\u202f]+)", part)
            rows = re.search(r"on ([\d\u202f]+) of ([\d\u202f]+) rows", part)
            total = len(self.run.data.splits[split])
            if rows:
                some = numbers(rows[1])[0].value
                value = self.measured(split, metric)
                found += [self.nearly(value, some)]
                found += [{some}, {total}] if some < total else [set(), set()]
            elif epoch:
                number = int(numbers(epoch[1])[0].value)
                assert self.ends(number) <= self.step
                found += [{self.document[metric]["train"][number - 1]}, {number}]
            elif at:
                told = int(numbers(at[1])[0].value)
                number = self.ended(told)
                assert told <= self.step
                assert self.ends(number) == told
                assert split == "validation"
                found += [{self.recorded(metric, number)}, {told}]
            else:
                found += [{self.measured(split, metric)}]
        return found

    def spoken(self, cells: list[str]) -> list[set[float]]:
        """The same in one sentence: step 4: loss 0.3 training, 0.4 validation; RMSE …"""
        _step, _, rest = cells[0].partition(": ")
        found: list[set[float]] = [{self.step}]
        for group in rest.split("; "):
            name, _, text = group.partition(" ")
            found += self._figures(
                {"RMSE": "rmse"}.get(name, name), re.sub(r",(?= [\d.−e]+ (train|valid))", "", text)
            )
        return found

    def ended(self, step: int) -> int:
        return step // int(self.document["steps_per_epoch"])

    def ends(self, epoch: int) -> int:
        return epoch * int(self.document["steps_per_epoch"])

    def epoch_row(self, cells: list[str]) -> list[set[float]]:
        number = int(numbers(cells[0])[0].value)
        values = [self.document["loss"]["train"][number - 1]]
        values += [self.recorded(metric, number) for metric in ("loss", self.metric_name)]
        return [{number}, {self.ends(number)}, *({value} for value in values if value is not None)]

    def recorded(self, metric: str, epoch: int) -> float | None:
        """A figure of the validation rows at an epoch's end, as it was recorded."""
        if metric == "loss":
            return self.document["loss"]["validation"][epoch - 1]
        return self.run.evaluations["validation"][metric][epoch - 1]

    def gradient_norm(self) -> float:
        net, batch = self.now.trained_net, self.now.batch
        net.train()
        net.zero_grad()
        with torch.enable_grad():
            x = batch.x_BD.reshape(-1, *self.run.item_shape) if self.run.item_shape else batch.x_BD
            out = net(x)
            loss = (
                nn.functional.cross_entropy(out, batch.y_B)
                if self.run.data.classes
                else nn.functional.mse_loss(out, batch.y_B)
            )
            loss.backward()
        return float(sum(float((p.grad**2).sum()) for p in net.parameters() if p.grad is not None)) ** 0.5

    def update_ratio(self) -> float:
        """That of the next update by torch.optim, whose gradients ``gradient_norm`` leaves."""
        self.gradient_norm()
        net, hp = self.now.trained_net, self.now.hp
        how = {"lr": hp["lr"], "betas": (hp["beta1"], hp["beta2"]), "eps": hp["eps"]}
        optimizer = torch.optim.Adam(net.parameters(), weight_decay=hp["weight_decay"], **how)
        for name, parameter in net.named_parameters():
            if name in self.now.state:
                state = {k: v.clone() for k, v in self.now.state[name].items()}
                optimizer.state[parameter] = state | {"step": torch.tensor(float(self.step))}
        before = torch.cat([p.detach().flatten().clone() for p in net.parameters()])
        optimizer.step()
        moved = torch.cat([p.detach().flatten() for p in net.parameters()]) - before
        return float(moved.norm() / before.norm())

    def way(self, cells: list[str]) -> list[set[float]]:
        """A stretch of the training, with the figures that were measured last in it, and their step."""
        steps = next(cell for cell in cells if cell.startswith("step "))
        begin, end = (int(each.value) for each in numbers(steps))
        found: list[set[float]] = [{begin}, {end}]
        number = self.ended(end)
        measured = [self.run.up_to(segment).evaluations["validation"] for segment in range(self.segments)]
        text, steps_of = " ".join(cells).replace("\u202f", ""), set[float]()
        for metric, step in re.findall(r"(loss|accuracy|RMSE) \S+|at step (\d+)", text):
            if step:  # of the figures before it
                found.append({at for at in steps_of if (begin or -1) < at})
                continue
            known = [list(of[metric.replace("RMSE", "rmse")][:number]) for of in measured]
            last = [max((k for k, v in enumerate(of) if v is not None), default=-1) for of in known]
            found.append({of[k] if k >= 0 else -1.0 for of, k in zip(known, last, strict=True)})
            steps_of = {self.ends(k + 1) for k in last}
        return found

    def result_row(self, cells: list[str]) -> Any:
        """A column of the terminal's table is a row here."""
        metrics, intervals = self.document["metrics"], self.document["intervals"]["test"]
        values = {*map(float, self.document["rows"].values())}
        for table in (metrics, self.document["baseline"]):
            values |= {v for of in table.values() for v in (of or {}).values() if v is not None}
        values |= {v for ends in intervals.values() for v in ends} | {0.95}
        return values

    def document_words(self) -> str:
        keys = ("kept_epoch", "kept_step", "steps", "epochs")
        return " ".join([str(self.document[key]) for key in keys] + self.document["notes"])

    def tip(self, cells: list[str]) -> list[set[float]]:
        """The box beside the curves' pointer: each name with its value, at the head's step or its own."""
        (at,) = (int(each.value) for each in numbers(cells[0]))
        found: list[set[float]] = [{at}]
        for name in cells[1::2]:
            own = re.search(r"\(step ([\d\u202f]+)\)", name)
            step = int(numbers(own[1])[0].value) if own else at
            metric, _, of = name.partition(", ")
            metric = metric.replace("RMSE", "rmse")
            if name.startswith("loss of the batch"):
                value = {float(self.run.losses[step - 1])}
            elif mean := re.search(r"mean loss of ([\d\u202f]+) batches", name):
                many = int(numbers(mean[1])[0].value)
                found.append({many})
                value = {float(self.run.losses[step - many : step].astype(float).mean())}
            elif of.startswith("validation"):
                assert self.ends(self.ended(step)) == step
                value = {self.recorded(metric, self.ended(step)) or 0.0}
            elif of.startswith("training"):
                (then,) = snapshots(self.run, [step])
                value = {self.measured("train", metric, then)}
                if part := re.search(r"on ([\d\u202f]+) of", of):
                    some = numbers(part[1])[0].value
                    found += [{some}, {len(self.run.data.train)}]
                    value = self.nearly(*value, some)
            else:
                assert name.startswith("click"), name
                break
            found += [{step}, value] if own else [value]
        return found

    @staticmethod
    def nearly(value: float, rows: float) -> set[float]:
        """What a figure may be on a part of the rows: four standard errors away."""
        away = 4 * max(0.05, min(abs(value), (abs(value) * abs(1 - value)) ** 0.5)) / rows**0.5
        return {*np.arange(value - away, value + away, 0.0004).tolist()}


def numbers_in(texts: list[str]) -> set[float]:
    """The numbers of sentences."""
    return {each.value for text in texts for each in numbers(text)}
