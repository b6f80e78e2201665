"""The commands of a run's page, which the worker carries out.

A training in progress gets commands through its folder. A command that begins a training (a resume, another
segment, a branch) returns a ``TrainerRequest`` for the trainer, which answers it.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from treino.base.apps import brought
from treino.base.encoding import tensor_bytes
from treino.base.errors import Refusal, TreinoError
from treino.base.files import claim_folder, copy_folder
from treino.folders import checked_name, in_use
from treino.inspection import check_axes, predicted_classes, row_of
from treino.inspection.outputs import has_answer, outputs
from treino.plots import TableCell
from treino.reports import shown_splits
from treino.training import (
    REMEDY,
    SmallPicture,
    Snapshot,
    check_changes,
    deliver,
    send_command,
    send_settings,
    send_stop,
    usual_futures,
    with_remedy,
)
from treino.training.futures import fan
from treino_studio import messages, protocol
from treino_studio.image_scene import drawn_pixels, picture_of_row
from treino_studio.messages import PAUSE, PlayControl, TrainerRequest
from treino_studio.process import LARGEST_BODY
from treino_studio.run_page import OVER, RunPage
from treino_studio.scene import small_grid

ARITHMETIC_NO_UPDATE = Refusal("At step 0 no weight has been updated yet.", "Take a step, and look again.")
PICTURE_UNSEEN = Refusal("Test rows are looked at only when the run is over.", "Choose a validation row.")
PICTURE_RATE = Refusal(
    "Pictures come faster than {n} a second.", "Send the newest one as soon as the last is answered."
)
BESIDE_FULL = Refusal("{n} runs are shown already.", "Take one of them away first.")
FUTURE_MISSING = Refusal(
    "There is no future {n} in view.", "Fan out first, and choose one of those that are shown."
)
PROPONENTS_UNANSWERED = Refusal(
    "The network's outputs are not finite there: it says nothing.", "Look at an earlier step."
)
KEEP_RUNNING = Refusal(
    "{run} is in training, so it can't be copied whole.", "Stop it first: it goes on when you play again."
)

# ---- commands

DRAWINGS = 100  # pictures that a page may send in a second
DRAWN = ("plane", "surface", "line")  # kinds of pictures that are drawn for futures
Answer = dict[str, Any] | TrainerRequest


Playback = protocol.PlainCommand | protocol.StepCommand | protocol.SpeedCommand


def play_control(page: RunPage, command: Playback) -> Answer:
    """``play pause step epoch speed``: control the current training, or begin one at the step in view."""
    verb: Any = command.do
    value: int | float | None = command.count if isinstance(command, protocol.StepCommand) else None
    if isinstance(command, protocol.SpeedCommand):
        value = command.steps_per_second
    if verb == "pause" and page.look.step is not None:
        return {}
    of_training = page.look.step is None or verb == "speed"
    delivered = of_training and deliver(lambda: send_command(page.run.folder, verb, value))
    if verb == "speed":
        page.speed = value  # where the training is over, of the next one
    if delivered:
        return {}
    if verb in ("pause", "speed"):  # an earlier command may just be resuming the run
        return messages.PlaybackRequest(run=page.path, command=(verb, value))
    return _go_on(page, {}, (verb, value))


def stop(page: RunPage, _command: protocol.PlainCommand) -> Answer:
    """Save and end the training, and show its newest step. If no training reads commands, the request goes to
    the trainer, as an earlier command may just be resuming the run."""
    if not deliver(lambda: send_stop(page.run.folder)):
        return messages.StopRequest(run=page.path)
    page.leave_past()
    if page.futures:
        page.close_fan()
    return {}


def set_setting(page: RunPage, command: protocol.SetCommand) -> Answer:
    """Set a hyper-parameter from the next step on; at a past step, or after the end, open a new segment."""
    name, value = command.name, command.value
    if page.look.step is None and deliver(lambda: send_settings(page.run, {name: value})):
        return {}
    return _go_on(page, {name: value}, _as_it_is(page))


def _as_it_is(page: RunPage) -> PlayControl | None:
    """The first playback command of a new segment; None: play if the training that it replaces does."""
    return None if page.look.step is None else PAUSE


def segment(page: RunPage, command: protocol.SegmentCommand) -> Answer:
    """Begin another segment, at ``step`` or the step in view. Seen from the newest step, it plays if the
    present one does; seen from a past step, it is paused."""
    how = _as_it_is(page) if command.step is None else PAUSE
    return _go_on(page, dict(command.changes), how, command.step)


def branch(page: RunPage, command: protocol.SegmentCommand) -> Answer:
    """Begin another run as a branch of this one, at ``step`` or the step in view; it is paused."""
    return _request(page, "branch", dict(command.changes), PAUSE, command.step)


def _go_on(
    page: RunPage, changes: dict[str, Any], how: PlayControl | None, step: int | None = None
) -> TrainerRequest:
    """Resume the run, or open a segment at ``step`` or the step in view. how: the first playback command."""
    past, status = page.look.step if step is None else step, page.run.folder.status
    if past is None and not changes and status not in OVER:  # if running, the training is about to end
        return messages.ResumeRequest(run=page.path, play_control=how, speed=page.speed)
    asked = _request(page, "rewind", changes, how, step)
    page.await_segment(page.playing if how is None else how[0] == "play")
    return asked


def _request(
    page: RunPage,
    verb: Literal["rewind", "branch"],
    changes: dict[str, Any],
    how: PlayControl | None,
    step: int | None = None,
) -> TrainerRequest:
    """A request to go on from ``step`` or the step in view; where the training is over, for as long again.

    Raises:
        TreinoError: the run can't go on so. Nothing has changed then: the trainer ends a training for another
            one only if it can begin.
    """
    begin = page.step_in_view if step is None else step
    snapshot = page.at(begin)
    if not changes.keys() & {"epochs", "steps"}:
        changes = page.extension(begin) | changes
    changes = _joined_betas(changes, page)
    check_changes(snapshot, changes, new_run=verb == "branch")
    # step None: the trainer knows the newest step; the page's may be from before a rewind
    return messages.ContinueRequest(
        do=verb,
        run=page.path,
        step=page.look.step if step is None else step,
        segment=page.look.segment,
        changes=changes,
        play_control=how,
        speed=page.speed,
        state=packed_state(snapshot),
    )


def packed_state(snapshot: Snapshot) -> bytes:
    """The snapshot's full state for the trainer, which then needn't replay it; empty if it is too large."""
    tensors, meta = snapshot.saved
    state = tensor_bytes(tensors, {"segment": snapshot.segment, "engine": meta})
    return state if len(state) <= LARGEST_BODY else b""


def _joined_betas(changes: dict[str, Any], page: RunPage) -> dict[str, Any]:
    """The changes, with ``beta1`` and ``beta2``, which the page sets one by one, joined to ``betas``."""
    one = {name: changes.pop(name) for name in ("beta1", "beta2") if name in changes}
    if one and page.snapshot is not None:
        hp = page.snapshot.hp
        changes["betas"] = [one.get("beta1", hp["beta1"]), one.get("beta2", hp["beta2"])]
    return changes


def look(page: RunPage, command: protocol.LookCommand) -> Answer:
    """Change the view: the step, the axes, the unit at full size, the picture, or whose weights are drawn."""
    axes, member, segment = command.axes, command.member, command.segment
    if command.picture is not None:
        _check_picture(page, command.picture)
    if axes is not None and page.data.kind != "image":
        check_axes(axes, page.shown.data)  # raises here; a live view is drawn later
    if member is not None:
        page.run.member(member)  # raises here if there is none
    if segment is not None:
        (page.run.latest or page.run).up_to(segment)  # raises here if there is none
    before, snapshot = page.look, page.snapshot
    page.look = command
    page.playback.member = member
    try:
        if page.look.segment != before.segment:
            page.change_way()
        if member != before.member:
            page.show_member()
        elif (page.look.step, page.look.axes) == (before.step, before.axes) and page.data.kind == "image":
            page.show_again()
        else:
            page.show_step(page.look.step)
    except TreinoError:
        asked, page.look, page.playback.member = page.look, before, before.member
        page.snapshot = snapshot
        if asked.segment != before.segment:
            page.change_way()
        raise
    page.send_state()  # the next look says again what this one has changed
    return {}


def _check_picture(page: RunPage, picture: Any) -> None:
    """Refuse a row that doesn't exist, or a test row before the run's end."""
    if picture == "drawn":
        return
    split, place = picture
    if split == "test" and page.run.status not in OVER:
        raise PICTURE_UNSEEN()
    if page.data.kind == "image":
        picture_of_row(page.data, split, place)


def draw(page: RunPage, command: protocol.DrawCommand) -> Answer:
    """From now on, send a picture from the page through the network."""
    now = time.monotonic()
    if now < page.next_drawing:
        raise PICTURE_RATE(n=DRAWINGS)
    pixel_D = drawn_pixels(command.pixels, page.data)
    page.next_drawing = now + 1 / DRAWINGS
    first, page.drawing, page.look.picture = page.look.picture != "drawn", pixel_D, "drawn"
    page.show_again()
    if first:
        page.send_state()
    return {}


def beside(page: RunPage, command: protocol.BesideCommand) -> Answer:
    """Show or hide the curves of another run of the same folder."""
    if not command.shown:
        page.beside.shown.pop(command.run, None)
    elif command.run not in page.beside.shown:
        if page.beside.full:
            raise BESIDE_FULL(n=len(page.beside.shown) + 1)
        page.beside.add(page.path.parent / command.run)
    return {}


def fan_out(page: RunPage, command: protocol.FanCommand) -> Answer:
    """Begin to train futures of ``step`` or the step in view; no frames are sent until a count of 0 closes
    the fan."""
    if not command.count:
        page.close_fan()
        return {}
    kind, rule = command.kind, command.rule
    step = page.step_in_view if command.step is None else command.step
    snapshot = page.at(step)
    sight = page.sight(snapshot)
    if kind == REMEDY and rule is not None:
        changes = with_remedy(snapshot, rule)
    else:
        changes = usual_futures(snapshot, kind, command.count)
    picture = SmallPicture(sight.shows, *small_grid(sight)) if sight.shows in DRAWN else None
    page.fan = fan(page.fans + 1, kind, snapshot, changes, command.steps, picture)
    page.fans += 1
    page.futures, page.fan_step = changes, step
    return {}


def adopt(page: RunPage, command: protocol.AdoptCommand) -> Answer:
    """Go on with one of the futures, as the run's next segment or as a new run."""
    number = command.future
    if number >= len(page.futures):
        raise FUTURE_MISSING(n=number)
    in_run = command.as_ == "segment"
    verb: Literal["rewind", "branch"] = "rewind" if in_run else "branch"
    asked = _request(page, verb, dict(page.futures[number]), PAUSE, page.fan_step)
    page.close_fan()
    if in_run:
        page.await_segment(plays=False)
    return asked


def explain(page: RunPage, command: protocol.ExplainCommand) -> Answer:
    """The arithmetic of the last update of one weight."""
    step = page.step_in_view
    if page.snapshot is not None and page.look.step is None:
        step = page.snapshot.step
    if step == 0:
        raise ARITHMETIC_NO_UPDATE()
    snapshot = page.at(step - 1)
    layer = command.layer
    name = None if layer is None else page.layer_names.get(layer, str(layer))
    shown: Answer = brought("treino.functions", "arithmetic")(snapshot, name, command.unit, command.input)
    return shown


def rows_behind(page: RunPage, command: protocol.ProponentsCommand) -> Answer:
    """The training rows that most support the answer of the network in view for a row."""
    run, row = page.shown, command.row
    _split, rows = row_of(run.data, row, shown_splits(run))
    snapshot = page.snapshot or page.at(page.step_in_view)
    out_1C = outputs(run.alone(snapshot.net), rows.x, item_shape=run.item_shape)
    if not has_answer(out_1C, run.data).all():
        raise PROPONENTS_UNANSWERED()
    answer = float(run.data.preparation.predictions(out_1C.double())[0, 0])
    if run.data.classes:
        answer = int(predicted_classes(out_1C, run.data.threshold)[0])
    behind = brought("treino.functions", "proponents")(run, [row], [answer], page.xray)
    page.xray, (shown,) = behind.xray, behind.tables
    cells = [[_cell(cell) for cell in line] for line in shown.table.rows]
    return {"title": shown.title, "about": behind.about, "head": shown.table.head, "rows": cells}


def _cell(cell: object) -> Any:
    """A text, or a picture's PNG in base64."""
    if not isinstance(cell, TableCell):
        return cell
    return {"alt": cell.text, "png": cell.picture.partition(",")[2]}


def keep(page: RunPage, command: protocol.KeepCommand) -> Answer:
    """Copy the run, as it is now, to another name in the same folder of runs."""
    folder = page.run.folder
    if folder.status == "running":
        raise KEEP_RUNNING(run=page.run.name)
    path = page.path.parent / checked_name(command.name)
    if not claim_folder(path):
        raise in_use(path)
    copy_folder(page.path, path)
    return {"run": path.name}


VERBS: Mapping[str, Callable[[RunPage, Any], Answer]] = {
    **dict.fromkeys(("play", "pause", "step", "epoch", "speed"), play_control),
    "stop": stop,
    "set": set_setting,
    "segment": segment,
    "branch": branch,
    "look": look,
    "draw": draw,
    "beside": beside,
    "fan": fan_out,
    "adopt": adopt,
    "explain": explain,
    "proponents": rows_behind,
    "keep": keep,
}
