"""A fan: futures of a step, as messages of ``apps/studio/docs/studio-protocol.md`` while they train."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from treino.engine.devices import torch_threads
from treino.engine.metrics import row_losses
from treino.folders.segments import segment_text
from treino.inspection.input_planes import draw
from treino.inspection.intervals import paired_losses
from treino.inspection.outputs import outputs
from treino.training.futures import FutureEnd, FutureSteps, futures, rate
from treino.training.replay import Snapshot

CURVE = 60  # maximum number of values of a curve in a message
REMEDY = "remedy"  # the kind of a fan of two: as it is, and with what a finding asks for
MOST_ROWS = 2000  # validation rows on which these two are compared

Changes = Mapping[str, Any]


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
    """What all futures answer at the points of the picture. output_FNC: of each future and point."""

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

    number: the fan's number on the page. kind, changes: see ``usual_futures``; of the kind ``remedy``, see
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
    test = paired_losses(loss_a_N, loss_b_N, weight_N)
    interval = None if test.interval is None else list(test.interval)
    return {"metric": test.metric, "a": test.a, "b": test.b, "rows": test.rows, "interval": interval}


def _text(snapshot: Snapshot, changes: Changes, names: Sequence[str]) -> str:
    """The label of a future: its values of the settings in which the futures differ, such as ``lr 0.001``."""
    values = {name: changes.get(name, _now(snapshot, name)) for name in names}
    return segment_text({n: f"{v:g}" if isinstance(v, float) else v for n, v in values.items()})
