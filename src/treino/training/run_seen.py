"""What the doctor's rules see of a run of treino's own without measuring: settings, losses, labels, rows."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from treino.data.dataset import Data
from treino.data.rows import Rows
from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rules.duplicate_leakage import numbers
from treino.diagnosis.watch.loss_seen import LossSeen
from treino.diagnosis.watch.seen import BackwardSeen, NetSeen, OptimizerSeen, Seen
from treino.diagnosis.watch.tables import DataSeen, TrainSeen, chance, hash_rows
from treino.documents.run_spec import RunSpec
from treino.engine import OPTIMIZERS
from treino.records.segments import path_of, setting_commands
from treino.spec import faults_of, read_settings
from treino.store import RunFolder
from treino.training.resolution import Plan
from treino.words import _

SETTINGS = Site("", 0)  # a run of treino's own has flags to change, not lines
LEAST = 12  # steps, of which a rule can tell anything
HEAD, TAIL = 1024, 3072  # losses that the rules see: the first ones, then evenly spaced
AFTER = 64  # a diverged run is ended; the loop of a script would go on, with NaN
MOST_ROWS = 2000
HASHED = 10_000_000  # numbers; beyond, looking for copies would take seconds


@dataclass
class KnownLoss(LossSeen):
    """The run's loss, whose best constant the engine knows exactly (weights and smoothing included)."""

    constant: float = math.nan

    def baseline(self) -> float:
        return self.constant


@dataclass(frozen=True, eq=False)
class TrainingCourse:
    """A training up to one of its steps, since its settings have been what they are now.

    segment: whose settings it has, but for what it was told since. first: updates that were done before.
    loss_S: of the path, from the run's first step on. planned: with the settings in force. faulty_from: the
    step since which it has its present faults. end, kept: the network at this step, and the one that is kept.
    rows: facts of the data, which stay.
    """

    data: Data
    planned: Plan
    segment: int
    first: int
    faulty_from: int
    loss_S: NDArray[np.float32]
    end: nn.Module
    kept: nn.Module
    diverged: bool
    rows: TrainSeen

    @property
    def steps(self) -> int:
        """That were taken since."""
        return len(self.loss_S) - self.first


def course_of(
    folder: RunFolder,
    spec: RunSpec,
    data: Data,
    planned: Plan,
    rows: TrainSeen,
    loss_S: NDArray[np.float32],
    nets: tuple[nn.Module, nn.Module],
    diverged: bool,
) -> TrainingCourse:
    """The run's newest course. planned: of its newest segment. nets: the network now, and the one kept.

    Settings that were changed again within a few steps count as one change.
    """
    link = path_of(spec)[-1]
    number = link.segment.number
    told = [c for c in setting_commands(folder) if (c.segment or 0) == number and c.step is not None]
    begins = [c.step for c in told if c.step is not None and len(loss_S) - c.step >= LEAST]
    first = max([link.first, *begins])
    settings = planned.settings | {c.name: c.value for c in told if c.name in planned.settings}
    now = replace(planned, settings=settings)
    return TrainingCourse(data, now, number, first, faulty_from(spec), loss_S, *nets, diverged, rows)


def seen_of(course: TrainingCourse) -> Seen:
    """All that is known of it without measuring."""
    seen = _histories(course)
    faults(seen, course.planned, len(course.loss_S) - course.faulty_from)
    _labels(seen.losses["loss", SETTINGS], course)
    return seen


def _histories(course: TrainingCourse) -> Seen:
    """Settings, losses and labels in the rules' own tables."""
    engine, s, data = course.planned.training, course.planned.settings, course.data
    losses, diverged = np.asarray(course.loss_S[course.first :], np.float64), course.diverged
    bad_S = np.flatnonzero(~np.isfinite(losses))
    steps = len(losses)
    step_S = np.arange(min(HEAD, steps))
    if steps > HEAD:
        step_S = np.append(step_S, np.unique(np.linspace(HEAD, steps - 1, TAIL).astype(int)))
    values = losses[step_S].tolist() + [math.nan] * (AFTER if len(bad_S) else 0)
    loss = KnownLoss(
        name=engine.loss,
        site=SETTINGS,
        calls=steps,
        trained=steps + (AFTER if diverged else 0),
        values=values,
        weighted=s["class_weights"] is not None,
        rows=min(len(data.train), len(data.train) if s["batch_size"] == "full" else s["batch_size"]),
        constant=engine.loss_function.best_constant(data.train.y),
    )
    if data.classes:
        loss.classes = len(data.classes)
        loss.counts = torch.bincount(data.train.y.reshape(-1).long(), minlength=loss.classes).numpy()
        if s["shuffle"] == "off":
            loss.runs = list(_runs(data.train.y, loss.rows, min(steps, HEAD)))
    optimizer = OptimizerSeen(
        kind=s["optimizer"],
        site=SETTINGS,
        lr=s["lr"],
        first_lr=s["lr"],
        weight_decay=s["weight_decay"],
        steps=steps + (AFTER if diverged else 0),
        adaptive=OPTIMIZERS[s["optimizer"]].adaptive,
        filled=steps,
        never_moved=False,
    )
    backward = BackwardSeen(SETTINGS, calls=steps, loss=values)
    if len(bad_S):
        backward.first_bad, backward.bad_steps = course.first + int(bad_S[0]) + 1, 1
    net = course.rows.net
    net.trained = steps + (AFTER if diverged else 0)
    return Seen(
        finished=True,
        steps=steps,
        backwards={SETTINGS: backward},
        optimizers=[optimizer],
        losses={("loss", SETTINGS): loss},
        nets=[net],
        data=DataSeen(trains={0: course.rows}),
    )


def faults(seen: Seen, planned: Plan, steps: int) -> None:
    """The faults that the run was asked to have."""
    asked, engine = planned.settings["fault"], planned.training
    if "missing_zero_grad" in asked:
        if not seen.optimizers:
            seen.optimizers = [OptimizerSeen(planned.settings["optimizer"], SETTINGS)]
        seen.optimizers[0].steps = max(steps, seen.optimizers[0].steps)
        seen.optimizers[0].judged = steps
        seen.optimizers[0].tainted_steps = max(steps - 1, 0)
        seen.optimizers[0].tainted_at = SETTINGS
    if "softmax_before_cross_entropy" in asked:
        loss = seen.losses.setdefault(("loss", SETTINGS), LossSeen(engine.loss, SETTINGS))
        loss.softmax, loss.softmax_at, loss.classes = steps, SETTINGS, engine.outputs


def faulty_from(spec: RunSpec) -> int:
    """The step from which on the run has the faults that it has now."""
    path = path_of(spec)
    faults = [set(faults_of(read_settings(link.segment.asked))) for link in path]
    other = [place for place, of in enumerate(faults) if of != faults[-1]]
    return path[other[-1] + 1].first if other else 0


def _runs(y: Tensor, batch: int, steps: int) -> Iterator[tuple[int, int]]:
    """(the commonest label, its share in ‰) of each batch, in the order in which the rows stand."""
    parts = y.reshape(-1).long().split(batch)
    once = [torch.bincount(part) for part in parts]
    told = [(int(count.argmax()), round(1000 * int(count.max()) / int(count.sum()))) for count in once]
    return itertools.islice(itertools.cycle(told), steps)


def rows_seen(data: Data) -> TrainSeen:
    """The scale of the columns, as the network sees them."""
    net = NetSeen(_("the network"), SETTINGS, modal=False)
    some = data.train.x[:MOST_ROWS].double()
    return TrainSeen(
        net,
        site=SETTINGS,
        largest=float(max(abs(v) for v in torch.aminmax(data.train.x))) if data.train.x.numel() else 0.0,
        column_std=some.std(dim=0, correction=0).numpy() if len(some) >= 4 else None,
    )


def _labels(loss: LossSeen, course: TrainingCourse) -> None:
    """What the kept weights say of the training rows, where a class is rare enough to be given up."""
    if len(loss.counts) < 2 or loss.weighted or loss.counts.min() > 0.5 * loss.counts.sum() / loss.classes:
        return
    rows, net = course.data.train, course.kept
    if len(rows) > MOST_ROWS:
        taken = torch.linspace(0, len(rows) - 1, MOST_ROWS).long()
        rows = Rows(rows.x[taken], rows.y[taken], rows.index[taken])
    with torch.no_grad():
        output_NC = net(items(rows.x, course.planned))
    said = output_NC.argmax(-1) if output_NC.shape[-1] > 1 else (output_NC[:, 0] > 0).long()
    loss.newest.clear()
    loss.newest.append((rows.y.reshape(-1).long().numpy(), said.reshape(-1).long().numpy()))


def copies(data: Data) -> Evidence | None:
    """Test rows that are training rows too, more than chance allows. A split of treino's own keeps equal
    rows on one side; rows that a source itself calls test rows need not be others.
    """
    if not len(data.test) or (len(data.train) + len(data.test)) * data.inputs > HASHED:
        return None
    trained, tested = (
        hash_rows(torch.cat([rows.x, rows.y.reshape(len(rows), -1).float()], dim=1).numpy())
        for rows in (data.train, data.test)
    )
    again = int(np.isin(tested, trained).sum())
    sample = [data.train.x[:512, :64].numpy()]
    if again < max(3, 0.02 * len(tested)):
        return None
    table = TrainSeen(NetSeen("", None, modal=False), rows=dict.fromkeys(trained.tolist(), 0), sample=sample)
    if chance(table) > 0.01:
        return None
    return Evidence(None, None, numbers(len(tested), again))


def items(x: Tensor, planned: Plan) -> Tensor:
    shape = planned.training.shared.item_shape
    return x if shape is None else x.reshape(len(x), *shape)
