"""Futures of a step: continue a run in many ways side by side, each with its own settings.

Writes nothing. Futures that differ only in hyper-parameters and seeds are rows of one population, on the
run's own kernel. A future's losses equal, bit for bit, the losses of a branch with its settings.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from treino.base.errors import Refusal, nearest
from treino.base.resampling import groups_of
from treino.base.words import _, setting
from treino.engine import TrainingLoop
from treino.engine.batch_sources import as_kernel_input
from treino.engine.devices import torch_context, torch_threads
from treino.engine.hyperparameters import whole
from treino.engine.metrics import row_losses
from treino.engine.rng import member_seeds
from treino.engine.saved_state import keyframe_of_saved, saved_from_keyframe
from treino.engine.step_plan import StepPlan
from treino.engine.templates import check_memory
from treino.folders.store.change import settings_text
from treino.folders.stored_run import StoredRun
from treino.inspection.input_planes import draw
from treino.inspection.intervals import paired_losses
from treino.inspection.outputs import outputs
from treino.settings.spec import read_settings
from treino.training.branch import NextSegment, next_segment, segment_start
from treino.training.findings import remedy
from treino.training.replay import Snapshot

FUTURES_COUNT = Refusal("{n} futures were asked for; there may be 1 to {most}.", "{hint}")
FUTURES_UNKNOWN = Refusal("There is no kind of futures {kind!r}.", "{hint}")
REMEDY_MISSING = Refusal(
    "No setting that can change on the way mends {rule}.", "The finding says what to do."
)
FUTURES_LR = Refusal(
    "The learning rate is 0, and no multiple of it is another one.", "Set one first, e.g. {lr}."
)

Changes = Mapping[str, Any]
Floats = NDArray[np.float32]

MOST = 256  # maximum number of futures at once
SLICE_SECONDS = 0.05
LEAST_SECONDS = 0.01  # minimum seconds of a population's turn, since each turn costs as much as some steps
LAST_EVALUATIONS = 3  # a future's score is the mean of this many last evaluations; one alone may be luck
DECADES = 1.0  # on either side of the learning rate in force


@dataclass(frozen=True, eq=False)
class FutureSteps:
    """Some steps of some futures, trained side by side.

    futures: the F indices of these futures. first: updates done before. loss_FS: float32 ``[F, S]``, the
    training loss before each update; NaN after a future stopped. evaluations: ``(step, {metric: [F]})`` on
    validation rows, NaN for a stopped future. status_F: running, finished or diverged.
    """

    futures: tuple[int, ...]
    first: int
    loss_FS: Floats
    evaluations: tuple[tuple[int, dict[str, NDArray[np.float64]]], ...]
    status_F: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class FutureEnd:
    """A future after its last step.

    future: its index. step: updates done; if diverged, the updates up to the last finite weights. status:
    running (it could go on), finished or diverged; patience ends no future. net: the network with its last
    weights, in evaluation mode. validation: the mean of its last three validation losses; None without one,
    or if it diverged.
    outputs_NC: float32, the network's outputs for the requested rows: logits, or standardised target values;
    None without such rows.
    """

    future: int
    step: int
    status: str
    net: nn.Module
    validation: float | None
    outputs_NC: Floats | None


def futures(
    snapshot: Snapshot,
    changes: Sequence[Changes],
    steps: int,
    *,
    x_ND: Tensor | None = None,
    slice_seconds: float = SLICE_SECONDS,
) -> Iterator[FutureSteps | FutureEnd]:
    """Train from the snapshot on with each of these changes, for ``steps`` updates or to the training's end.

    Yields the measurement before the first step, then slices of about ``slice_seconds``, then the end of each
    future. The iteration may be left at any time; slices change no bit of the result.

    changes: one for each future, as for ``branching``, without name and out. x_ND: prepared rows for which
    each future's network is evaluated at its end, e.g. on the grid of a picture.

    For an ensemble, futures are of one member, ``snapshot.member``, like its branches.

    Raises:
        TreinoError: a setting that can't change during a run, or a value out of range; no future, too many
            futures, also for the network's size; nothing left to train.
    """
    if not 1 <= len(changes) <= MOST:
        raise FUTURES_COUNT(
            n=len(changes),
            most=MOST,
            hint=_("Ask for fewer of them.") if changes else _("Ask for at least one."),
        )
    stop = snapshot.step + whole("steps", steps, 1)
    every = list(snapshot.member_net.parameters())
    check_memory(sum(p.numel() for p in every), len(changes), every[0].dtype)
    return _trained(_groups(snapshot, changes), stop, x_ND, slice_seconds)


@dataclass(eq=False)
class _Group:
    """The futures of one population. validation: their validation losses ``[F]`` at each evaluation so
    far."""

    futures: tuple[int, ...]
    training: TrainingLoop
    validation: list[NDArray[np.float64]] = field(default_factory=list)

    def threads(self) -> AbstractContextManager[None]:
        """Set torch's threads as the kernel needs them for a whole slice: a change costs more than some
        steps."""
        return torch_threads(self.training.setup.kernel.intra_op_threads)


def _groups(snapshot: Snapshot, changes: Sequence[Changes]) -> list[_Group]:
    """Group futures that differ only in hyper-parameters and seeds, with a training at the snapshot's step
    for each group."""
    families: dict[str, dict[str, list[int]]] = {}  # keyed by settings without seeds, then with seeds
    begun = [next_segment(snapshot, change) for change in changes]
    for future, one in enumerate(begun):
        whole = {**one.segment.model_dump(mode="json"), "typed": one.typed}
        unseeded = {name: value for name, value in one.typed.items() if name not in ("seed", "data_seed")}
        family = {**whole, "typed": unseeded, "order_seed": one.segment.order_seed is None}
        texts = [json.dumps(key, sort_keys=True) for key in (family, whole)]
        families.setdefault(texts[0], {}).setdefault(texts[1], []).append(future)
    groups = []
    for family in families.values():
        alone = _at(snapshot, changes[next(iter(family.values()))[0]])
        together = isinstance(alone.setup.train.x, Tensor)  # rows in memory have an order for each member
        for members in [list(chain(*family.values()))] if together else family.values():
            training = _population(alone, [begun[future] for future in members], snapshot.member)
            groups.append(_Group(tuple(members), training))
    return groups


def _at(snapshot: Snapshot, changes: Changes) -> TrainingLoop:
    """The training of the branch with these changes, before its first step."""
    start = segment_start(snapshot, changes)
    training, (arrays, meta) = start.resolution.training, start.keyframe
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    loss_S = torch.from_numpy(np.array(snapshot.run.losses[: snapshot.step]))
    training.load(*saved_from_keyframe(training.setup, training.state, tensors, meta, loss_S))
    return training


def _population(alone: TrainingLoop, begun: Sequence[NextSegment], member: int) -> TrainingLoop:
    """A population with a copy of this network for each segment, with the segment's seed, row order and
    hyper-parameters."""
    segments = [one.segment for one in begun]
    setup, state = alone.setup, alone.state.rows([member] * len(segments))
    ensemble = alone.config.shared.ensemble
    setup = replace(setup, config=setup.config.with_settings(ensemble=1))
    setup = replace(
        setup, early_stopping=replace(setup.early_stopping, patience=0)
    )  # the futures are to be compared
    orders = tuple(dict.fromkeys(s.order_seed for s in segments if s.order_seed is not None))
    if orders:  # then each future has its own row order
        several = tuple((order, setup.plan.rows) for order in orders) if len(orders) > 1 else ()
        setup = replace(setup, plan=replace(setup.plan, data_seed=orders[0], orders=several))
        places = [orders.index(s.order_seed) for s in segments if s.order_seed is not None]
        state.population.order_P.copy_(torch.tensor(places))
    seeds = [member_seeds(read_settings(one.typed).seed, ensemble)[member] for one in begun]
    state.population.seed_P.copy_(torch.tensor(seeds))
    training = TrainingLoop(setup, state)
    for name in sorted({name for one in begun for name in one.state}):
        usual = float(alone.state.population.hp[name][member])
        value_F = [one.state.get(name, usual) for one in begun]
        training.set(name, [torch.inf if value is None else value for value in value_F])  # None: no clipping
    return training


def _trained(
    groups: list[_Group], stop: int, x_ND: Tensor | None, seconds: float
) -> Iterator[FutureSteps | FutureEnd]:
    for group in groups:
        with group.threads():
            start = _start(group)
        yield start
    while groups:
        for group in groups:
            with group.threads():
                part = _advanced(group, stop, max(seconds / len(groups), min(seconds, LEAST_SECONDS)))
            yield part
            if _over(group.training, stop):
                yield from _ends(group, x_ND)
        groups = [group for group in groups if not _over(group.training, stop)]


def _start(group: _Group) -> FutureSteps:
    """The measurement at the snapshot's step, at which all curves begin."""
    training, count = group.training, len(group.futures)
    state, validation = training.state, training.setup.validation
    none_FS = np.empty((count, 0), dtype=np.float32)
    if validation is None or not len(state.running):
        return FutureSteps(group.futures, training.step, none_FS, (), training.status_P)
    figures = validation.measure(state.population, state.running[:1])[0]  # equal for all futures
    evaluation = training.step, {k: v[:1].expand(count).numpy() for k, v in figures.items()}
    return FutureSteps(group.futures, training.step, none_FS, (evaluation,), training.status_P)


def _over(training: TrainingLoop, stop: int) -> bool:
    return training.done or training.step >= stop


def _advanced(group: _Group, stop: int, seconds: float) -> FutureSteps:
    training, first = group.training, group.training.step
    tick = training.advance(seconds, stop)
    measured = [(e.step, e.evaluation["validation"]) for e in tick.epochs if e.evaluation is not None]
    state, validation = training.state, training.setup.validation
    last = _over(training, stop) and state.evaluated_step < tick.step and len(state.running)
    if last and validation is not None:  # the branch would go on, and isn't evaluated here
        measured.append((tick.step, validation.measure(state.population, state.running)[0]))
    evaluations = tuple((step, {k: v.numpy() for k, v in figures.items()}) for step, figures in measured)
    group.validation += [figures["loss"] for _step, figures in evaluations]
    return FutureSteps(group.futures, first, tick.loss_SP.T.numpy(), evaluations, tick.status_P)


def _ends(group: _Group, x_ND: Tensor | None) -> Iterator[FutureEnd]:
    training = group.training
    hopeless_F = training.state.epoch_loss.last > training.threshold_P  # as at the end of a training
    step_F = training.last_step_P.tolist()
    for row, future in enumerate(group.futures):
        status = "diverged" if hopeless_F[row] else training.status_P[row]
        loss_E = [float(loss_F[row]) for loss_F in group.validation if np.isfinite(loss_F[row])]
        last = [] if status == "diverged" else loss_E[-LAST_EVALUATIONS:]
        outputs_NC: Floats | None = None
        if x_ND is not None:
            kernel, x = training.setup.kernel, as_kernel_input(x_ND, training.model)
            with torch_context(kernel.intra_op_threads):
                output_RNC = kernel.outputs(training.state.population, torch.tensor([row]), x)
            outputs_NC = output_RNC[0].cpu().float().numpy()
        yield FutureEnd(
            future,
            step_F[row],
            status,
            training.net(row, "last"),
            sum(last) / len(last) if last else None,
            outputs_NC,
        )


def usual_futures(snapshot: Snapshot, kind: str, count: int = 64) -> list[dict[str, Any]]:
    """At most ``count`` changes for ``futures``.

    kind: ``lr``: learning rates evenly spaced on a logarithmic scale, a decade to either side of the present
    one, which is among them; ``seed``: the run unchanged and with the seeds that follow its own, which change
    row order and dropout from here on; ``batch_size``: powers of two, the present one, and all rows. Where
    the training is over, all of them with ``extension`` too.

    Raises:
        TreinoError: an unknown kind; a learning rate of 0, around which there is no such scale.
    """
    whole("count", count, 2, MOST, text="count")
    changes: list[dict[str, Any]]
    if kind == "lr":
        if not (lr := rate(snapshot)):
            raise FUTURES_LR(lr=setting("lr", 0.001))
        middle = count // 2
        factors = [10 ** (DECADES * (i - middle) / middle) for i in range(count)]
        changes = [{"lr": lr if factor == 1 else float(f"{lr * factor:.3g}")} for factor in factors]
    elif kind == "seed":  # the seed determines the row order if ``data_seed`` was left open
        name = "data_seed" if "data_seed" in next_segment(snapshot, {}).typed else "seed"
        changes = [{}, *({name: snapshot.settings[name] + i} for i in range(1, count))]
    elif kind == "batch_size":
        rows, now = snapshot.plan.rows, snapshot.plan.batch_size or snapshot.plan.rows
        powers = {2**i for i in range(rows.bit_length()) if 2**i < rows}
        if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in snapshot.member_net.modules()):
            powers = {size for size in powers if size > 1 and rows % size != 1}  # no batch of a single row
        sizes = sorted({*powers, now, rows}, key=lambda size: (abs(math.log(size / now)), size))
        changes = [{"batch_size": "full" if size == rows else size} for size in sorted(sizes[:count])]
    else:
        raise FUTURES_UNKNOWN(kind=kind, hint=nearest(kind, ("lr", "seed", "batch_size")))
    longer = extension(snapshot.run, snapshot.plan, snapshot.step)
    return [longer | each for each in changes]


def extension(run: StoredRun, plan: StepPlan, step: int) -> dict[str, Any]:
    """The setting with which a training that is over at this step, as planned or by its patience, goes on for
    as long again; else {}. plan: of the step's segment."""
    result = run.result
    over = step >= plan.steps or (result is not None and result.stopped_early and step >= result.steps)
    return {"epochs": 2 * max(1, plan.count.epoch_of(step))} if over else {}


def with_remedy(snapshot: Snapshot, rule: str) -> list[dict[str, Any]]:
    """Two changes for ``futures``: the run as it is, and with the correction of this rule's finding; with
    ``extension`` in both if the training is over.

    Raises:
        TreinoError: no change of settings during the training corrects the finding.
    """
    own = {"clip": None if math.isinf(snapshot.hp["clip"]) else snapshot.hp["clip"]}
    own |= {"lr": rate(snapshot), "weight_decay": snapshot.hp["weight_decay"]}
    change = remedy(rule, {**snapshot.settings, **own})
    if change is None:
        raise REMEDY_MISSING(rule=rule)
    next_segment(snapshot, change)  # raises here, before anything is trained
    longer = extension(snapshot.run, snapshot.plan, snapshot.step)
    return [longer, longer | change]


def rate(snapshot: Snapshot) -> float:
    """The learning rate in force, without the schedule's factor."""
    arrays, meta = keyframe_of_saved(snapshot.saved)
    return float(meta["hp"]["lr"] if "hp" in meta else arrays["hp.lr"][snapshot.member])


# ---- a fan: futures of a step, as messages of apps/studio/docs/studio-protocol.md

CURVE = 60  # maximum number of values of a curve in a message
REMEDY = "remedy"  # the kind of a fan of two: the run as it is, and with a finding's correction
MOST_ROWS = 2000  # validation rows on which these two are compared


@dataclass(frozen=True, eq=False)
class SmallPicture:
    """The grid over which the boundary of each future is drawn.

    shows: plane, surface or line. x_ND: the grid's prepared inputs, lowest y first. shape: ``(R, R)``, or
    ``(R,)`` for a line.
    """

    shows: str
    x_ND: Tensor
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class FanBoundaries:
    """The outputs of all futures at the points of the picture. output_FNC: by future and point."""

    header: dict[str, Any]
    output_FNC: Tensor
    picture: SmallPicture


@dataclass(eq=False)
class _Curve:
    """The curve of a future: validation losses at some steps; without validation rows, the mean training loss
    of each slice. worth: the ``validation`` of ``FutureEnd``, once the future has ended."""

    status: str
    step: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    worth: float | None = None


def fan(
    number: int,
    kind: str,
    snapshot: Snapshot,
    changes: Sequence[Changes],
    steps: int,
    picture: SmallPicture | None = None,
) -> Iterator[dict[str, Any] | FanBoundaries]:
    """Train futures and yield messages: after each slice of about 50 ms a complete ``{"fan": …}``, and at the
    end the boundaries, if there is a picture. The iterator may be dropped at any time. In the last ``fan``,
    ``steps`` and ``done`` are the steps that were taken: fewer near the training's end.

    number: the fan's number on the page. kind, changes: see ``usual_futures``; for the kind ``remedy``, see
    ``with_remedy``: two futures, which are compared on validation rows; ``candidates``: any changes.

    Raises:
        TreinoError: as ``futures``.
    """
    events = futures(snapshot, changes, steps, x_ND=None if picture is None else picture.x_ND)
    head = {"number": number, "kind": kind, "step": snapshot.step, "steps": steps, "metric": "loss"}
    head["split"] = "validation" if len(snapshot.data.validation) else "train"
    names = [
        n for n, value in changes[-1].items() if any(c.get(n, _now(snapshot, n)) != value for c in changes)
    ]
    labels = [
        {"future": i, "text": _text(snapshot, c, names), "changes": dict(c)} for i, c in enumerate(changes)
    ]
    return _messages(head, labels, snapshot, picture, events)


def _messages(
    head: dict[str, Any],
    labels: list[dict[str, Any]],
    snapshot: Snapshot,
    picture: SmallPicture | None,
    events: Iterator[FutureSteps | FutureEnd],
) -> Iterator[dict[str, Any] | FanBoundaries]:
    curves, done_F = [_Curve("running") for _future in labels], [0] * len(labels)
    ends: dict[int, FutureEnd] = {}
    taken = 0
    for event in events:
        if isinstance(event, FutureEnd):
            ends[event.future] = event
            curves[event.future].status, curves[event.future].worth = event.status, event.validation
            done_F[event.future] = head["steps"]  # also if it ended earlier
            continue
        _take(event, curves, head["split"] == "train")
        done = event.first + event.loss_FS.shape[1] - snapshot.step
        taken = max(taken, done)
        for future in event.futures:
            done_F[future] = done
        yield _message(head, labels, curves, min(done_F), None)
    worth = {future: end.validation for future, end in ends.items() if end.validation is not None}
    best = min(worth, key=lambda future: worth[future]) if worth else None
    if head["kind"] == REMEDY:
        head["comparison"] = found = _comparison(ends, snapshot)
        low, high = (found and found["interval"]) or (0.0, 0.0)
        best = best if len(worth) < len(ends) else 1 if high < 0 else 0 if low > 0 else None
    yield _message(head | {"steps": taken}, labels, curves, taken, best)
    if picture is not None:
        outputs = [torch.from_numpy(ends[future].outputs_NC) for future in range(len(labels))]
        yield FanBoundaries({"fan": head["number"], "shows": picture.shows}, torch.stack(outputs), picture)


def _take(event: FutureSteps, curves: list[_Curve], trained: bool) -> None:
    """Add new values to the curves. trained: whether to use training losses."""
    measured = [(step, figures["loss"]) for step, figures in event.evaluations]
    if trained and event.loss_FS.shape[1]:
        measured = [(event.first + event.loss_FS.shape[1], event.loss_FS.mean(axis=1))]
    for row, future in enumerate(event.futures):
        curve = curves[future]
        curve.status = event.status_F[row]
        for step, loss_F in measured:
            if not math.isnan(loss_F[row]):
                curve.step.append(step)
                curve.loss.append(float(loss_F[row]))


def _message(
    head: dict[str, Any], labels: list[dict[str, Any]], curves: list[_Curve], done: int, best: int | None
) -> dict[str, Any]:
    listed = []
    for future, curve in zip(labels, curves, strict=True):
        apart = -(-len(curve.step) // CURVE) or 1
        places = sorted({*range(0, len(curve.step), apart), len(curve.step) - 1} - {-1})[-CURVE:]
        loss = [curve.loss[i] if math.isfinite(curve.loss[i]) else None for i in places]
        step = [curve.step[i] for i in places]
        listed.append(future | {"status": curve.status, "worth": curve.worth, "step": step, "loss": loss})
    return {"fan": {**head, "done": done, "best": best, "futures": listed}}


def _now(snapshot: Snapshot, name: str) -> Any:
    """The value of a setting in force."""
    value = rate(snapshot) if name == "lr" else snapshot.hp.get(name, snapshot.settings.get(name))
    return None if value == math.inf else value


def _comparison(ends: Mapping[int, FutureEnd], snapshot: Snapshot) -> dict[str, Any] | None:
    """The losses a and b of two futures on validation rows, and the 95 % interval of b - a; None without such
    rows, or if one of the two has diverged."""
    data = snapshot.data
    if not len(data.validation) or any(end.status == "diverged" for end in ends.values()):
        return None
    rows, losses = draw(data.validation, MOST_ROWS), []
    for future in (0, 1):
        with torch_threads(1):
            output_NC = outputs(ends[future].net, rows.x, item_shape=snapshot.run.item_shape)
        losses.append(row_losses(output_NC, rows.y, snapshot.loss_function, rows.weight))
    (loss_a_N, weight_N), (loss_b_N, _weight_N) = losses
    test = paired_losses(loss_a_N, loss_b_N, weight_N, group_N=groups_of(rows.group))
    interval = None if test.interval is None else list(test.interval)
    return {"metric": test.metric, "a": test.a, "b": test.b, "rows": test.rows, "interval": interval}


def _text(snapshot: Snapshot, changes: Changes, names: Sequence[str]) -> str:
    """The label of a future: its values of the settings in which the futures differ, such as ``lr 0.001``."""
    values = {name: changes.get(name, _now(snapshot, name)) for name in names}
    return settings_text({n: f"{v:g}" if isinstance(v, float) else v for n, v in values.items()})
