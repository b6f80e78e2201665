"""The page of a run: frames and curves of the newest state of its training, or of any past step."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from treino.base.errors import Refusal, TreinoError
from treino.base.words import N_, _, speaking
from treino.data import Data
from treino.folders import Access, LiveFolder, RunFolder, StoredRun, segments_of
from treino.inspection import CLOSE, better_axes
from treino.training import (
    FanBoundaries,
    LiveFindings,
    Playback,
    Snapshot,
    extension,
    stored,
)
from treino_studio.beside import RunsBeside
from treino_studio.folder_page import Send, identity
from treino_studio.image_scene import (
    Part,
    Pixels,
    SeenPicture,
    picture_of_row,
    picture_parts,
)
from treino_studio.messages import PageMessage, notice
from treino_studio.page_messages import NoticeKind
from treino_studio.protocol import LookCommand
from treino_studio.run_history import Known, history, left_losses
from treino_studio.run_state import (
    ThinnedLosses,
    Vitals,
    as_pictures,
    choices,
    epochs,
    findings,
    finite,
    next_update,
    remedy_of,
    run_state,
    settings_at,
)
from treino_studio.scene import (
    Sight,
    boundary_parts,
    frame_bytes,
    points_of,
    scene,
    sight_of,
    training_figures,
)

REPLAYING = N_(
    "{run} is trained again up to step {step:,}, whose state is not kept. It is at step {reached:,}."
)
REPLAYED = N_("{run} has reached step {step:,} again.")
REPLAY_LEFT = Refusal(
    "{run} is not trained again up to step {step:,}: another step is wanted.",
    "Choose it again to go there.",
)
TOLD = 2.0  # seconds between two sentences on how far a replay is
PAST_SHARE = 0.1  # of the time, at most, for past steps while a training plays
HEARTBEAT = 1.0  # seconds between two signals to the training that the page has viewers
LOOK = 0.4  # seconds between two checks of the run's documents
CURVES = 0.2  # seconds between two messages of curves
AWAITED = 5.0  # seconds to wait for a training's state; replaying its newest step may take minutes
OVER = ("finished", "diverged")  # statuses of a run that can't go on: its test rows may be shown


class RunPage:
    """The page of the run in ``path``. send: sends a message and its body to the studio's server.

    Raises:
        TreinoError: the run is missing or damaged; its rows can't be loaded; its network's code may not run.
    """

    def __init__(self, key: str, path: Path, send: Send) -> None:
        self.key, self.path, self._send = key, path, send
        self.identity = identity(path)
        self.access, self.look = Access(), LookCommand(id=1, do="look")
        self.run = self._opened(None)
        self.rows: Data = self.run.data  # as the run trains on them
        self.data = as_pictures(self.rows)
        self.playback = Playback(self.run, self.rows)
        self.loss_S: np.ndarray = self.run.losses
        self.live = LiveFolder(path)
        self._known: Known = {}
        self._told = set[int]()  # segments whose losses were sent as those of a way that was left
        self.viewers, self.languages = 0, ["en"]
        self.looks_elsewhere: Callable[[], bool] = lambda: False  # whether a newer look waits to be answered
        self.playing = False
        self.speed: float | None = None
        self.beside = RunsBeside(path, self.access, self.rows)
        self.layer_names: dict[int, str] = {}  # by the layers' numbers in the picture
        self.snapshot: Snapshot | None = None
        self.newest: Snapshot | None = None  # the newest state that the training sent
        self.live_findings = LiveFindings(self.playback)
        self.drawing: Pixels | None = None  # the newest picture that a page has sent
        self.next_drawing = 0.0  # the time from which the next one is accepted
        self.xray: Any = None  # the x-ray of its rows, after a row is clicked
        self._sight: tuple[Any, Sight] | None = None
        self._rested: tuple[int, int] | None = None  # the segment and step by which its axes were chosen
        self._scene: tuple[Any, tuple[dict[str, Any], list[Part]]] | None = None  # the newest, for images
        self._thinned, self._vitals = ThinnedLosses(), Vitals()
        self._epochs: dict[int, dict[int, float]] = {}  # as ``epochs`` knows them
        self._curves_due = False  # whether points of the curves are still unsent
        self._frame, self._stamp = 0, 0
        self._documents: tuple[int, str] | None = None
        self._beat = self._looked = self._curves_at = self._awaited = self._past_due = 0.0
        self._left: int | None = None  # the segment whose end is not shown while another one is awaited
        self._sent: dict[str, Any] = {}
        self._readings: dict[str, StoredRun] = {}  # by language: reading a run translates its sentences
        self.fan: Iterator[dict[str, Any] | FanBoundaries] | None = None
        self.fans, self.futures = 0, list[dict[str, Any]]()
        self.fan_step = 0
        self._segment = segments_of(self.run.spec)[-1].number
        self._playable = True  # whether past steps can be replayed in idle moments

    @property
    def last_step(self) -> int:
        """The newest step that can be replayed; the recorded losses lag behind the training."""
        return len(self.loss_S) if self.run.result is None else min(self.run.steps, len(self.loss_S))

    @property
    def step_in_view(self) -> int:
        """The step that the page shows; the newest step if the page follows the training."""
        return self.last_step if self.look.step is None else min(self.look.step, self.last_step)

    def at(self, step: int) -> Snapshot:
        """The run at a step of its path; if its replay takes long, the page says so, and how far it is."""
        return self.replayed(self.playback, step, self.loss_S)

    def replayed(self, playback: Playback, step: int, loss_S: np.ndarray) -> Snapshot:
        """As ``at``, of any run.

        Raises:
            TreinoError: a viewer looks elsewhere meanwhile (rule ``replay_left``).
        """
        name, told = playback.run.name, list[float]()

        def tell(reached: int) -> None:
            if told and self.looks_elsewhere():
                self._announce(REPLAY_LEFT.message, "info", run=name, step=step)
                raise REPLAY_LEFT(run=name, step=step)
            if not told or time.monotonic() - told[-1] > TOLD:
                told.append(time.monotonic())
                self._announce(REPLAYING, "replay", run=name, step=step, reached=reached)

        snapshot = playback.at(step, loss_S, tell)
        if told:
            self._announce(REPLAYED, "info", run=name, step=step)
        return snapshot

    def _announce(self, text: str, kind: NoticeKind, **values: Any) -> None:
        for language in self.languages:
            with speaking(language):
                self._say(notice(_(text).format(**values), kind), language)

    def _say(self, messages: dict[str, Any], language: str | None = None) -> None:
        """Send messages of the protocol by kind, to viewers of this language; None: to all."""
        self._send(PageMessage(key=self.key, language=language, send=messages), b"")

    def extension(self, step: int) -> dict[str, Any]:
        """What ``extension`` says of a step of the run's path."""
        training = self.playback.resolution(self.playback.stretch_at(step).segment.number).training
        return extension(self.run, training.plan, step)

    def change_way(self) -> None:
        """Show the way to the end of ``look.segment``, which has changed: there, unless a step is in view."""
        if self.look.segment == segments_of((self.run.latest or self.run).spec)[-1].number:
            self.look.segment = None
        self._stamp = 0
        self._reopen()
        if self.look.segment is not None and self.look.step is None:
            self.look.step = self.last_step

    def await_segment(self, plays: bool) -> None:
        """Look at the newest step of a segment that is to begin; until then the step in view stays."""
        self._left, self._awaited = self._segment, time.monotonic() + AWAITED
        self.playing = plays
        self.leave_past()

    def leave_past(self) -> None:
        """Look at the newest step again."""
        self.look.step = None
        if self.look.segment is not None:
            self.look.segment = None
            self.change_way()

    # ---- polling

    def tick(self) -> bool:
        """Send the changes since the last call; return whether the training had a new state."""
        if not self.viewers:
            return False
        now = time.monotonic()
        if now - self._beat > HEARTBEAT:
            self._beat = now
            if self.run.folder.status == "running":
                self.live.watch()
        fresh, due = self._live_state(), now - self._looked > LOOK
        if self._awaited and (fresh or now > self._awaited):
            self._awaited, self._left = 0.0, None
            if not fresh and self.look.step is None:
                self.show_step(None)
        if due:
            self._looked = now
            self.beside.look_for_branches()
        if (due or fresh) and (not self._awaited or self._left is not None):
            self._documents_changed()
        if due and self.beside.train:
            self._curves_due = True
        if self._curves_due and now - self._curves_at >= CURVES:
            self._send_curves()
        return fresh

    def idle(self, seconds: float) -> bool:
        """Do one piece of work: train the fan's futures, else look for faults in the training, else prepare
        past steps for replay, else measure steps that nobody has watched. While the training plays, the past
        takes a small share of the time. Return whether work is left."""
        if not self.viewers:
            return False
        if self.fan is not None:
            return self._fan_slice(self.fan)
        begin = time.monotonic()
        if self._look_for_faults() or not self._playable or (self.playing and begin < self._past_due):
            return False
        try:
            more = self.playback.prepare(len(self.loss_S), self.loss_S, seconds) or self._measure_past()
        except TreinoError:  # reported when such a step is viewed
            self._playable = more = False
        self._past_due = time.monotonic() + (time.monotonic() - begin) / PAST_SHARE
        return more and not self.playing

    @property
    def shown(self) -> StoredRun:
        """The run whose answers are drawn: for several targets, the first target's run."""
        return self.run.of_target()

    @property
    def shown_data(self) -> Data:
        """The data of the run whose answers are drawn."""
        return as_pictures(self.shown.data)

    def _measure_past(self) -> bool:
        """Measure one step that nobody has watched; return whether there was one."""
        step = self._vitals.unmeasured(self.last_step, self.run.spec)
        if step is None or self._sight is None:
            return False
        moment, run = self.playback.at(step, self.loss_S), self.run
        net, data = self.shown.alone(moment.net), self.shown_data
        train = training_figures(net, data, self._sight[1], self.shown.loss_function, run.item_shape)
        self._add_vitals(moment, train)
        self._curves_due = True
        return True

    def _add_vitals(self, moment: Snapshot, train: Mapping[str, float | None]) -> dict[str, Any]:
        training = self.playback.resolution(moment.segment).training
        norm, ratio = next_update(training, moment.step, moment.member)
        place = moment.segment, moment.step
        if norm is None and (known := self._vitals.by_place.get(place)):  # the training is elsewhere
            norm, ratio = known["gradient_norm"], known["update_ratio"]
        vital = {"gradient_norm": norm, "update_ratio": ratio, "lr": moment.hp["lr"]}
        self._vitals.add(place, vital | {"train": dict(train)})
        return vital

    def _look_for_faults(self) -> bool:
        """Look for faults in the newest state of the training if a check is due; return whether it was."""
        state = self.newest
        if state is None or self.run.result is not None or state.segment != self._segment:
            return False
        if not self.live_findings.due((state.segment, state.step), self.languages):
            return False
        self.live_findings.look(self.run, state, self.loss_S, self.languages)
        self.send_state()
        return True

    def _live_state(self) -> bool:
        """Show the state that the training has written to its folder; return whether the state is new."""
        stamp = self.live.stamp
        if stamp == self._stamp or self.look.segment is not None:
            return False
        self._stamp = stamp
        state = self.live.state() if stamp else None
        if state is None:
            return False
        tensors, meta = state
        if meta["segment"] != self._segment:
            self._reopen()
        if meta["segment"] != self._segment or meta["segment"] == self._left:
            self._stamp = 0  # the new segment's spec is still being written, or it has not begun
            return False
        step, first = int(meta["engine"]["step"]), int(meta["tail"]["first"])
        more = np.asarray(meta["tail"]["losses"], np.float32)
        if first <= len(self.loss_S) and first + len(more) >= step:
            self.loss_S = np.concatenate([self.loss_S[:first], more])[:step]
        elif step > len(self.loss_S):
            self.loss_S = self.run.losses
        self.playing, self.speed = bool(meta["playing"]), meta.get("speed")
        try:
            snapshot = self.playback.live_snapshot(meta["segment"], (tensors, meta["engine"]), self.loss_S)
        except (TreinoError, IndexError):  # it has just gone on: not all is written yet
            self._reopen()
            self._stamp = 0
            return False
        self.newest = snapshot
        if self.look.step is None:
            self._show(snapshot, live=True, when=float(meta["time"]))
        self._curves_due = True
        return True

    # ---- a fan of futures

    def close_fan(self) -> None:
        """Discard the futures and show the network again."""
        self.fan, self.futures = None, []
        self._say({"fan": None})
        self._stamp = 0
        self.show_step(self.look.step)

    def _fan_slice(self, growing: Iterator[dict[str, Any] | FanBoundaries]) -> bool:
        message = next(growing, None)
        if message is None:
            self.fan = None
            return False
        if isinstance(message, FanBoundaries):
            body = frame_bytes(message.header, boundary_parts(message, self.run.data))
            self._send(PageMessage(key=self.key, fan=self.fans), body)
        else:
            self._say(message)
        return True

    # ---- documents

    def _opened(self, rows: Data | None) -> StoredRun:
        folder = RunFolder.open(self.path, verify=rows is None)
        if rows is not None:
            run = StoredRun(folder, self.access, rows)
            return run if self.look.segment is None else run.up_to(self.look.segment)
        opened = stored(folder, self.access)
        if not isinstance(opened, StoredRun):
            raise ValueError(f"{self.path} is no run")
        return opened

    def _documents_changed(self) -> None:
        manifest = self.path / "manifest.json"
        try:
            at = manifest.stat().st_mtime_ns
        except OSError:  # the folder is gone: the worker closes the page
            return
        status = self.run.folder.status
        if (at, status) != self._documents:
            self._documents = (at, status)
            self._reopen()
            if self._left != self._segment:  # the awaited one has begun
                self._awaited, self._left = 0.0, None
            if status != "running" and self._left is None:
                self.playing = False
                if self.look.step is None:
                    self.show_step(None)
        if self._left is None:
            self.send_state()

    def _reopen(self) -> None:
        """Read the run's documents again, and also its losses if a segment began or the training ended."""
        self._readings = {}
        try:
            self.run = self._opened(self.rows)
            number = segments_of(self.run.spec)[-1].number
        except TreinoError:  # another process is writing them
            self._documents = None
            return
        self.playback.run, self._playable = self.run, True
        if number != self._segment or self.run.status != "running":
            self.loss_S, self._curves_due = self.run.losses, True
            if number != self._segment:
                self.playback.resolutions.pop(number, None)
                self._thinned, self._epochs = ThinnedLosses(), {}
                self._segment = number

    def send_state(self) -> None:
        """Send the state in each language in which it has changed."""
        for language in self.languages:
            with speaking(language):
                if language not in self._readings:
                    self._readings[language] = self._opened(self.rows)
                state = self._state(self._readings[language], language)
            if state != self._sent.get(language):
                self._sent[language] = state
                self._say({"state": state}, language)

    def _state(self, run: StoredRun, language: str) -> dict[str, Any]:
        state, live = run_state(run), self.live_findings
        seen = live.by_language.get(language, [])
        if run.status in ("finished", "diverged"):  # its document lacks only the finding named as its status
            seen = [each for each in seen if each["rule"] == run.status]
        if self._sight is not None and (scale := self._sight[1].scale) is not None:
            state["data"]["pictures"] = scale.document
        state["findings"] = findings(run, seen, live.first_seen)
        size, state["ensemble"] = run.resolved.ensemble, None
        if self.snapshot is not None:
            settings = state["settings"] = settings_at(run, self.snapshot)
            state["choices"] = choices(run, settings)
            training = self.playback.resolution(self.snapshot.segment).training
            state["network"] |= {"parameters": training.parameters, "hidden": settings.get("hidden")}
            if size > 1:  # the networks that answer, the best first: while it trains, the best half
                answering = training.answering if run.result is None else run.result.answering
                drawn = self.snapshot.member
                state["ensemble"] = {"size": size, "answering": list(answering), "drawn": drawn}
            for finding in state["findings"]:
                finding["remedy"] = remedy_of(run, self.snapshot, finding, self.last_step)
            longer = extension(run, training.plan, self.snapshot.step)
            planned = {"epochs": training.plan.count.epoch_of(training.plan.steps)}
            state["length"] = planned | {"goes_on_to": (planned | longer)["epochs"], "over": bool(longer)}
        return state | {
            "playing": self.playing,
            "steps_per_second": self.speed,
            "segment": self._segment,
            "last_step": self.last_step,
            "history": history(run.latest or run, None if run.latest else self.last_step, self._known),
            "view": {"step": self.look.step, "axes": self.look.axes, "unit": self.look.unit}
            | {"segment": self.look.segment}
            | ({"picture": self.look.picture} if self.data.kind == "image" else {})
            | ({"member": self.look.member} if size > 1 else {}),
            "letter": self.beside.letter,
            "beside": self.beside.listed(run),
            "unseen": [] if run.status in OVER else ["test"],
        }

    # ---- frames and curves

    def open(self) -> None:
        """Send everything again: notices, frame, curves and, at the next ``tick``, the state."""
        self._sent, self._documents = {}, None
        self._thinned = ThinnedLosses()
        self._looked = self._beat = 0.0
        for text in self.run.folder.notices:
            self._say(notice(text))
        if self.run.status == "running" and self.look.step is None:
            self._stamp, self._awaited = 0, time.monotonic() + AWAITED
        else:
            self.show_step(self.look.step)
        self._send_curves()

    def show_step(self, step: int | None) -> None:
        """Show a step of the run's path; None: the newest step.

        Raises:
            TreinoError: the step doesn't exist, or it can't be replayed.
        """
        self.look.step = step
        self._stamp = 0 if step is None else self._stamp
        if step is None and self.run.status == "running" and self.live.stamp:
            return  # the next ``tick`` shows it
        self._show(self.at(self.step_in_view), live=step is None)

    def show_member(self) -> None:
        """Show the weights of another network of the ensemble, at the step in view."""
        self._sight = None  # another network has other units
        live = self.look.step is None
        step = self.snapshot.step if live and self.snapshot is not None else self.step_in_view
        self._show(self.at(step), live=live)

    def show_again(self) -> None:
        """Show the state in view once more, as after a choice of another picture."""
        if self.snapshot is None:
            self.show_step(self.look.step)
        else:
            self._show(self.snapshot, live=self.look.step is None)

    def _show(self, snapshot: Snapshot, *, live: bool, when: float | None = None) -> None:
        """Send a frame of the snapshot. when: the time of a live state; None: now."""
        run, step = self.run, snapshot.step
        self.snapshot = snapshot
        if self.futures:  # the page shows the futures instead of the network
            return
        sight = self.sight(snapshot)
        header, parts = self._scene_of(snapshot, sight)
        if not self.playing and sight.axes.view == "given":
            self._offer_axes(snapshot, sight, header)
        vitals = self._add_vitals(snapshot, header["evaluation"]["train"])
        first = 1 if self.data.kind == "image" else 0
        self.layer_names = {first + k: str(each["name"]) for k, each in enumerate(header["layers"])}
        self._frame += 1
        header |= {
            "frame": self._frame,
            "run": run.name,
            "segment": snapshot.segment,
            "step": step,
            "epoch": self.playback.resolution(snapshot.segment).training.plan.count.passes(step),
            "live": live,
            "time": time.time() if when is None else when,
            "loss": None if snapshot.loss is None else finite(snapshot.loss),
            **vitals,
            "beside": None,
        }
        if self.beside.shown and sight.shows == "plane":
            other, parts_beside = self.beside.picture(step, sight, self.shown_data, self.replayed)
            header["beside"] = other
            parts = [*parts, *parts_beside]
        self._send(PageMessage(key=self.key, frame=self._frame), frame_bytes(header, parts))

    def _scene_of(self, snapshot: Snapshot, sight: Sight) -> tuple[dict[str, Any], list[Part]]:
        """The scene. For image data, all except the picture in view is computed once for each state."""
        run, over = self.shown, self.run.status in OVER
        key = (snapshot.segment, snapshot.step, snapshot.member, over, sight)
        if sight.scale is None or self._scene is None or self._scene[0] != key:
            header, parts = scene(
                run.alone(snapshot.net),
                self.shown_data,
                sight,
                run.loss_function,
                run.item_shape,
                self.look.unit,
                over,
                run.alone(snapshot.member_net),
            )
            self._scene = (key, (header, parts))
        header, parts = self._scene[1]
        if sight.scale is None:
            return dict(header), parts
        seen = self._picture(sight)
        entry, more = picture_parts(
            snapshot.net,
            snapshot.member_net,
            sight.scale,
            seen,
            sight.drawn_layers,
            run.item_shape,
            self.look.unit,
        )
        return header | {"picture": entry}, [*parts, *more]

    def _picture(self, sight: Sight) -> SeenPicture:
        """The picture in view."""
        chosen = self.look.picture
        if chosen == "drawn" and self.drawing is not None and sight.scale is not None:
            return SeenPicture(sight.scale.prepared(self.drawing))
        split, place = chosen if isinstance(chosen, tuple) else (None, 0)
        return picture_of_row(self.data, split, place)

    def sight(self, snapshot: Snapshot) -> Sight:
        """The sight of a snapshot. Columns that nobody chose are those that separate best while the training
        plays; while it rests, the newest network chooses them; a past step keeps the present columns."""
        shapes = [tuple(p.shape) for p in snapshot.member_net.parameters()]
        asked, (old_key, old) = self.look.axes, self._sight or (("", ""), None)
        key, at = (asked, shapes), (snapshot.segment, snapshot.step)
        rests = not self.playing and snapshot.step > 0
        again = rests and self.look.step is None and self._rested != at
        sight: Sight | None = old if old_key == key else None
        automatic = old_key[0] is None
        if old is not None and automatic and asked is None:
            sight = old  # new layers keep the axes
            if old_key != key:
                old.units_by_layer = []
            if again and old.axes.view == "important":
                sight = None
        if sight is None:
            net, data = self.shown.alone(snapshot.net), self.shown_data
            kept = old.axes.columns if old is not None and automatic and self._rested else ()
            sight = sight_of(net, data, asked, self.run.item_shape, rests, kept)
            self._rested = at if rests else None
            if old is not None and old_key == key and old.axes.columns == sight.axes.columns:
                sight = old
        if sight is not old or old_key != key:
            self._say({"points": points_of(sight, self.shown_data)})
        self._sight = (key, sight)
        return sight

    def _offer_axes(self, snapshot: Snapshot, sight: Sight, header: dict[str, Any]) -> None:
        """If the picture of the requested columns shows little, name two columns that show more."""
        agreement = header.get("agreement")
        if agreement is None or agreement["share"] >= CLOSE or self.look.axes is None:
            return
        splits = [s for s in sight.rows_by_split if s != "test" or self.run.status in OVER]
        net, data = self.shown.alone(snapshot.net), self.shown_data
        better = better_axes(net, data, agreement["share"], splits, self.run.item_shape)
        if better is not None:
            header["agreement"] = agreement | {"better": {"axes": list(better[0]), "share": better[1]}}

    def _send_curves(self) -> None:
        self._curves_at, self._curves_due = time.monotonic(), False
        more = self._thinned.more(self.loss_S) or {"from": self._thinned.points, "step": [], "loss": []}
        curves = {
            "run": self.run.name,
            "segment": self._segment,
            **more,
            "epochs": epochs(self.run, self.loss_S, self._epochs),
            "vitals": self._vitals.listed(self.run.spec),
        }
        self._say({"curves": curves})
        for curves in (*left_losses(self.run.latest or self.run, self._told), *self.beside.curves()):
            self._say({"curves": curves})
