"""A run that acts steer, in this process; and what is true of it, kept by nothing but the acts.

``Truth`` holds the settings of each step as a plain list, with which ``plain_loop`` trains the network as
anyone would write it in torch. Both know no command, no segment and no folder.
"""

import copy
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from treino.data.rows import order
from treino.engine import OPTIMIZERS
from treino.engine.optim import HP, ema_limit
from treino.engine.rng import dropout_keys
from treino.engine.schedules import scale
from treino.engine.user_module import replace_dropout
from treino.folders.stored_run import StoredRun
from treino.settings.spec import read_settings
from treino.training.branch import branching, rewinding
from treino.training.commands import send_settings
from treino.training.futures import FutureEnd, futures
from treino.training.loop import JobEnd, JobEvent, JobPause, JobStart
from treino.training.replay import Snapshot, snapshots
from treino.training.stored_results import open_run
from treino.training.train import resuming, train_events

ROWS, STEPS, FUTURE = 20, 24, 3  # FUTURE: the steps of a future
BASES: dict[str, dict[str, Any]] = {
    "adam": {"optimizer": "adam", "dropout": 0.25},
    "sgd": {"optimizer": "sgd", "momentum": 0.5, "clip": 2.0},
    "average": {"optimizer": "adamw", "ema": 0.9},
    "own": {"optimizer": "NAdam", "dropout": 0.25},
}
USUAL: dict[str, Any] = {
    "lr": 0.01,
    "weight_decay": 0.0,
    "clip": None,
    "dropout": 0.0,
    "ema": 0.0,
    "momentum": 0.0,
    "beta1": 0.9,
    "beta2": 0.999,
    "momentum_decay": 0.004,
    "batch_size": 8,
    "steps": STEPS,
    "schedule": "constant",
    "warmup": 0,
    "label_smoothing": 0.0,
    "shuffle": "each",
    "data_seed": 3,
    "fault": (),
}
LIVE: dict[str, list[Any]] = {
    "lr": [0.01, 0.05, 0.003],
    "weight_decay": [0.0, 0.1],
    "clip": [None, 0.5, 2.0],
    "dropout": [0.0, 0.25, 0.5],
    "ema": [0.5, 0.9],
    "momentum": [0.0, 0.5, 0.9],
    "beta1": [0.9, 0.8],
    "beta2": [0.999, 0.95],
    "momentum_decay": [0.004, 0.1],
}
"""Settings that a command changes, with values to draw from."""
BETWEEN: dict[str, list[Any]] = {
    "batch_size": [8, 5, "full"],
    "steps": [STEPS, 30],
    "schedule": ["constant", "cosine", "step"],
    "warmup": [0, 6],
    "label_smoothing": [0.0, 0.1],
    "shuffle": ["each", "off"],
    "data_seed": [3, 4],
    "fault": [(), ("missing_zero_grad",)],
    "optimizer": ["adam", "sgd", "adamw", "NAdam"],
    "betas": [(0.8, 0.9), (0.9, 0.999)],
}
"""Settings that change between two segments only."""
ADAMS = ("adam", "adamw", "NAdam")
READ_BY = {
    "momentum": ("sgd",),
    "beta1": ADAMS,
    "beta2": ADAMS,
    "betas": ADAMS,
    "momentum_decay": ("NAdam",),  # which is no setting: the optimizer alone has it
}
RESET = HP | {"momentum_decay": USUAL["momentum_decay"]}
ORDER = ("batch_size", "shuffle", "data_seed")


def table() -> tuple[np.ndarray, np.ndarray]:
    """Rows of three columns, in three classes."""
    x_ND = np.random.default_rng(0).normal(size=(ROWS, 3)).astype(np.float32)
    return x_ND, (x_ND.sum(1) > 0).astype(int) + (x_ND[:, 0] > 0.5)


# ---- what is true


def plain_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with both betas by their own names."""
    rest = dict(settings)
    if (betas := rest.pop("betas", None)) is not None:
        rest |= {"beta1": betas[0], "beta2": betas[1]}
    return rest


class Change(NamedTuple):
    """A setting that holds from ``step`` on."""

    step: int
    name: str
    value: Any
    sender: str = ""


@dataclass
class Truth:
    """The settings of each step of the present way. first: those of step 0. step: the updates so far."""

    first: dict[str, Any]
    changes: list[Change] = field(default_factory=list)
    step: int = 0

    def add(self, change: Change) -> None:
        """Add a change after all that hold from the same step on, or from an earlier one."""
        self.changes = sorted([*self.changes, change], key=lambda each: each.step)

    def back_to(self, step: int, changes: Mapping[str, Any] = {}, sender: str = "") -> "Truth":
        """The truth of a way that leaves this one at a step, with these changes."""
        past = Truth(self.first, [each for each in self.changes if each.step <= step], step)
        for name, value in plain_settings(changes).items():
            past.add(Change(step, name, value, sender))
            if name == "optimizer":  # a new one forgets what it doesn't read
                now = past.at(step)
                for other, readers in READ_BY.items():
                    if (
                        other in now
                        and value not in readers
                        and now[other] != RESET[other]
                        and other not in changes
                    ):
                        past.add(Change(step, other, RESET[other], sender))
        return past

    def at(self, step: int) -> dict[str, Any]:
        """The settings with which update number ``step`` + 1 is made."""
        return self.first | {each.name: each.value for each in self.changes if each.step <= step}

    def borders(self) -> list[int]:
        """Each step from which a setting changes, the one before it, and both ends."""
        around = {each.step + d for each in self.changes for d in (-1, 0)} | {0, self.step}
        return sorted(step for step in around if 0 <= step <= self.step)


class Moment(NamedTuple):
    """The plain loop after so many updates: weights, their average, the last loss."""

    weights: dict[str, Tensor]
    average: dict[str, Tensor]
    loss: float | None


def plain_loop(truth: Truth, net: nn.Module, rows: tuple[Tensor, Tensor]) -> list[Moment]:
    """Train a copy of the network, as anyone would write it in torch, with the settings of each step."""
    (x_ND, y_N), net = rows, copy.deepcopy(net).train()
    drops, parameters = replace_dropout(net), dict(net.named_parameters())
    average = {name: p.detach().clone() for name, p in parameters.items()}
    for p in parameters.values():
        p.grad = torch.zeros_like(p)
    optimizer, taken = new_optimizer(truth.first, net), 0
    batches, begun = list[Tensor](), 0

    def moment(loss: float | None) -> Moment:
        weights = {name: p.detach().clone() for name, p in parameters.items()}
        return Moment(weights, {n: a.clone() for n, a in average.items()}, loss)

    moments, now = [moment(None)], dict(truth.first)
    for step in range(truth.step):
        for change in truth.changes:
            if change.step != step:
                continue
            if change.value != now[change.name] and change.name == "optimizer":
                optimizer, taken = new_optimizer(now | {"optimizer": change.value}, net), 0
            if change.value != now[change.name] and change.name in ORDER:
                batches = []
            if change.value and not now["fault"] and change.name == "fault":
                optimizer.zero_grad(set_to_none=False)  # the sum of gradients begins here
            now[change.name] = change.value
        if not batches:
            index_N = order(len(x_ND), now["data_seed"], begun, now["shuffle"])
            size = now["batch_size"]
            batches = list(index_N.split(size)) if size != "full" else [torch.arange(len(x_ND))]
            begun += 1
        index_B = batches.pop(0)
        for place, drop in enumerate(drops):
            a, b = dropout_keys(torch.tensor([now["seed"]]), len(drops), step, 1)
            drop.rate = now["dropout"]
            drop.begin((int(a[0, place]), int(b[0, place])))
        if not now["fault"]:
            optimizer.zero_grad(set_to_none=False)
        loss = nn.functional.cross_entropy(
            net(x_ND[index_B]), y_N[index_B], label_smoothing=now["label_smoothing"]
        )
        loss.backward()
        if now["clip"] is not None:
            nn.utils.clip_grad_norm_(net.parameters(), now["clip"])
        optimizer.param_groups[0].update(torch_names(now) | {"lr": rate(now, step)})
        optimizer.step()
        taken += 1
        share = 1 - min(now["ema"], ema_limit(taken))
        for name, p in parameters.items():
            average[name].lerp_(p.detach(), share)
        moments.append(moment(loss.item()))
    return moments


def rate(now: Mapping[str, Any], step: int) -> float:
    """The learning rate of update number ``step`` + 1, with the schedule."""
    return float(now["lr"] * scale(now["schedule"], now["warmup"], step, now["steps"]))


def torch_names(now: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the optimizer reads besides lr, by torch's names."""
    own: dict[str, Any] = {"betas": (now["beta1"], now["beta2"])}
    if now["optimizer"] == "sgd":
        own = {"momentum": now["momentum"]}
    elif now["optimizer"] == "NAdam":
        own["momentum_decay"] = now["momentum_decay"]
    return own | {"weight_decay": now["weight_decay"]}


def new_optimizer(now: Mapping[str, Any], net: nn.Module) -> torch.optim.Optimizer:
    kind = torch.optim.NAdam if now["optimizer"] == "NAdam" else OPTIMIZERS[now["optimizer"]].torch
    return kind(net.parameters(), lr=now["lr"], **torch_names(now))  # type: ignore[call-arg]


# ---- the run


class SteeredRun:
    """A run of this process: it rests between two acts.

    saved: the step of the last checkpoint, from which a killed run goes on.
    """

    def __init__(self, base: str, parent: Path) -> None:
        own = {
            "hidden": (4,),
            "recipe": "plain",
            "engine": "module",
            "keep": "last",
            "validation": 0,
            "test": 0,
        }
        chosen = USUAL | BASES[base]
        self.truth = Truth(chosen | {"seed": 3})
        unasked = "beta1", "beta2", "momentum_decay"
        asked = {name: value for name, value in chosen.items() if name not in unasked and value}
        if chosen["optimizer"] != "sgd":
            asked.pop("momentum", None)
        self._left: list[tuple[Path, int | None, Truth]] = []
        self.names = iter(f"branch-{n}" for n in range(100))
        settings = read_settings(own | asked | {"seed": 3, "name": "run"})
        self._begin(train_events(table(), settings, parent=parent, checkpoint_seconds=1e9))
        layers = [each for each in self.job.training.trained_net(0)[0] if isinstance(each, nn.Linear)]
        self.net = nn.Sequential(layers[0], nn.ReLU(), nn.Dropout(), layers[1])
        rows = self.job.data.train
        assert isinstance(rows.x, Tensor)
        self.rows = rows.x.clone(), rows.y.clone()

    @property
    def path(self) -> Path:
        return self.job.folder.path

    @property
    def over(self) -> bool:
        return self.job.run is not None

    def stored(self) -> StoredRun:
        """The run as another process reads it now."""
        if not self.over:
            self.job.folder.database.flush()
        return open_run(self.path, verify=False)

    def left(self) -> Iterator[tuple[StoredRun, Truth]]:
        """Runs that were left for a branch, and ways left within a run, each with what is true of it."""
        for path, segment, truth in self._left:
            run = open_run(path, verify=False)
            yield run if segment is None else run.up_to(segment), truth

    # ---- acts

    def play(self, steps: int) -> None:
        """Train so many steps, or to the planned end."""
        if self.over or not steps:
            return
        training = self.job.training
        goal = min(training.step + steps, training.steps)
        self.job.play_control.command("step", steps, training.step, training.plan.count)
        while not self.over and (not isinstance(self._next(), JobPause) or training.step < goal):
            pass
        self.truth.step = training.step

    def set(self, name: str, value: Any, after: int, sender: str) -> None:
        """Set a setting by a command, from the step on that comes so many steps later; None: now."""
        step = self.truth.step + after
        if self.over or step >= self.job.training.steps:
            return
        send_settings(self.stored(), {name: value}, step if after else None, sender=sender)
        self._next()  # it is read
        self.truth.add(Change(step, name, value, sender))

    def checkpoint(self) -> None:
        if not self.over:
            self.job.checkpoint()
            self.saved = self.truth.step

    def stop(self) -> None:
        """Save and end the training; the run can be resumed."""
        if not self.over:
            self.job.stop_wish = "stopped"
            while not self.over:
                self._next()
            self.saved = self.truth.step

    def resume(self) -> None:
        """Go on after a stop."""
        if self.job.run is not None and self.job.run.status == "stopped":
            self._begin(resuming(self.path, checkpoint_seconds=1e9))

    def kill(self, unread: tuple[str, Any] | None) -> None:
        """End the process without a word, and resume the run. unread: a command that nobody had read."""
        if self.over:
            return
        path, rest = self.path, self.path.with_name("rest")
        if unread is not None:
            send_settings(open_run(path, verify=False), {unread[0]: unread[1]}, *unread[2:])
        shutil.copytree(path, rest)
        self.stream.close()
        shutil.rmtree(path)
        rest.rename(path)
        self._begin(resuming(path, checkpoint_seconds=1e9))
        self.truth.step = self.saved
        assert self.job.training.step == self.saved
        if unread is not None:
            self._next()
            self.truth.add(Change(self.saved, *unread))

    def snapshot(self, step: int) -> Snapshot:
        (snapshot,) = snapshots(self.stored(), [step])
        return snapshot

    def rewind(self, step: int, changes: Mapping[str, Any], sender: str) -> None:
        """Go back to a step in the same folder, with these changes."""
        self.stop()
        past = self.truth.back_to(step, changes, sender)
        self._left.append((self.path, self.job.segment, self.truth))
        self._begin(rewinding(self.snapshot(step), changes, sender=sender, checkpoint_seconds=1e9))
        self.truth, self.saved = past, step

    def branch(self, step: int, changes: Mapping[str, Any], sender: str) -> None:
        """Go on from a step in a new folder; the old one is left as it is."""
        past = self.truth.back_to(step, changes, sender)
        stream = branching(
            self.snapshot(step), changes | {"name": next(self.names)}, sender=sender, checkpoint_seconds=1e9
        )
        self.stop()
        self._left.append((self.path, None, self.truth))
        self._begin(stream)
        self.truth, self.saved = past, step

    def adopt(self, step: int, fan: list[dict[str, Any]], *, as_branch: bool) -> dict[str, Tensor]:
        """Train futures of a step, begin to go on with the last one, and return its weights at its end."""
        ends = futures(self.snapshot(step), fan, FUTURE)
        (end,) = (each for each in ends if isinstance(each, FutureEnd) and each.future == len(fan) - 1)
        (self.branch if as_branch else self.rewind)(step, fan[-1], "")
        return end.net.state_dict()

    # ---- inside

    def _begin(self, stream: Iterator[JobEvent]) -> None:
        """Begin a training, which rests before its first step."""
        self.stream = stream
        start = next(stream)
        assert isinstance(start, JobStart)
        self.job, self.saved = start.job, start.job.training.step
        self.job.play_control.command("pause", None, self.saved, self.job.training.plan.count)

    def _next(self) -> JobEvent:
        event = next(self.stream)
        if isinstance(event, JobEnd):
            self.stream.close()
        return event

    def end(self) -> None:
        self.stream.close()
