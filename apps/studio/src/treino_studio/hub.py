"""The viewers of a page: which one steers, and which messages and answers each has received.

A page keeps only the newest message of each kind. Each viewer gets the messages that it lacks at its own
speed: a slow viewer gets fewer frames, and none queue up.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from treino.base.encoding import compact_json
from treino.base.errors import Refusal
from treino_studio.process import STUDIO_BUSY

COMMAND_NUMBER = Refusal(
    "The command {number} comes after the command {last}.", "The numbers of commands grow by one."
)

FRAMES_UNDERWAY = 2  # maximum number of unacknowledged frames per viewer
CROWD = 200  # with more viewers, only one frame each is underway, so that frames stay recent
ANSWERS_KEPT = 256  # per viewer, to send again after a lost connection
COMMANDS_OPEN = 64  # maximum number of unanswered commands per viewer
TEXTS_UNSENT = 64  # from this many unsent texts on, a viewer's messages aren't read
VIEWERS_KEPT = 2000  # per page, including disconnected ones
POINTS = "step", "loss"
GROWING = *POINTS, "low", "high"  # the lists of a curve, which grow; the last two of means alone
EVENTS = ("notice",)  # kinds of messages that are sent once and not kept


@dataclass(eq=False)
class Viewer:
    """One open page in a browser, over any number of connections.

    connected: the number of the present connection; while there is none, minus the last one's. answers, open:
    the commands answered and unanswered. unsent: kinds whose newest message is not sent yet. places: for each
    run's curves, the edition and the number of points sent. underway: numbers of unacknowledged frames. wake:
    set if something is to be sent. keeps_up: cleared while too many texts are unsent.
    """

    name: str
    watches_only: bool
    language: str = "en"
    connected: int = 0
    answers: "OrderedDict[int, str]" = field(default_factory=OrderedDict)
    open: set[int] = field(default_factory=set)
    last_id: int = 0
    texts: deque[str] = field(default_factory=deque)
    unsent: set[str] = field(default_factory=set)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    frame_due: bool = False
    picture_due: bool = False
    underway: deque[int] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    keeps_up: asyncio.Event = field(default_factory=asyncio.Event)

    def connect(self) -> int:
        """Replace the connection by a new one; return the new number."""
        self.connected = self.connected + 1 if self.connected > 0 else 1 - self.connected
        self.texts.clear()
        self.underway.clear()
        self.places.clear()
        self.wake.set()
        self.keeps_up.set()
        return self.connected

    def disconnect(self, number: int) -> None:
        """Note that the connection of this number is lost; ignored if another one has replaced it."""
        if self.connected == number:
            self.connected = -number
            self.wake.set()

    def say(self, text: str) -> None:
        """Queue a text; it is discarded if the viewer is disconnected."""
        if self.connected > 0:
            self.texts.append(text)
            if len(self.texts) >= TEXTS_UNSENT:
                self.keeps_up.clear()
            self.wake.set()

    def answer(self, number: int, content: Mapping[str, Any]) -> None:
        """Answer a command, and keep the answer in case the connection is lost."""
        text = compact_json({"reply": number, **content}).decode()
        self.open.discard(number)
        self.answers[number] = text
        while len(self.answers) > ANSWERS_KEPT:
            self.answers.popitem(last=False)
        self.say(text)

    def is_new(self, number: int) -> bool:
        """Whether the command of this number is new and must be carried out. A repeated command is not; it
        gets its first answer again, now or once that exists.

        Raises:
            TreinoError: too many commands are unanswered, or the command is so old that its answer is gone.
        """
        if number in self.answers:
            self.say(self.answers[number])
            return False
        if number in self.open:
            return False
        if number <= self.last_id:
            raise COMMAND_NUMBER(number=number, last=self.last_id)
        if len(self.open) >= COMMANDS_OPEN:
            raise STUDIO_BUSY()
        self.last_id = number
        self.open.add(number)
        return True

    def acknowledge(self, frame: int) -> None:
        """Note that this frame and all earlier ones are drawn; an unknown number is ignored."""
        if frame in self.underway:
            while self.underway.popleft() != frame:
                pass
            self.wake.set()


class GrowingCurves:
    """The curves of one run so far. edition: incremented when earlier points change."""

    def __init__(self) -> None:
        self.edition = 0
        self._lists: dict[str, list[Any]] = {name: [] for name in GROWING}
        self._rest: dict[str, Any] = {}
        self._texts: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._lists[GROWING[0]])

    def add(self, news: Mapping[str, Any]) -> None:
        """Add the points of a ``curves`` message of the protocol."""
        begin = int(news["from"])
        self.edition += begin < len(self) or begin == 0
        for name, values in self._lists.items():
            values[begin:] = news.get(name, ())
        self._rest.update({k: v for k, v in news.items() if k not in (*GROWING, "from")})
        self._texts.clear()

    def text(self, begin: int) -> str:
        """The ``curves`` message for a viewer that has the first ``begin`` points."""
        if begin not in self._texts:
            known = {name: values for name, values in self._lists.items() if values or name in POINTS}
            lists = {name: values[begin:] for name, values in known.items()}
            self._texts[begin] = compact_json({"curves": {**self._rest, "from": begin, **lists}}).decode()
        return self._texts[begin]


class Page:
    """The messages and the viewers of one page. wheel: the viewer that steers, even if disconnected."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.viewers: OrderedDict[tuple[bool, str], Viewer] = OrderedDict()
        self.wheel: Viewer | None = None
        self.clear()

    def clear(self) -> None:
        """Discard all messages; the worker sends them again."""
        self._newest: dict[str, dict[str | None, Any]] = {}
        self._texts: dict[tuple[str, str, Any], str] = {}
        self._curves: dict[str, GrowingCurves] = {}
        self._frame: tuple[int, bytes] | None = None
        self._picture = b""
        self._frames_underway = FRAMES_UNDERWAY
        for viewer in self.viewers.values():
            viewer.unsent.clear()
            viewer.places.clear()
            viewer.underway.clear()
            viewer.frame_due = viewer.picture_due = False

    @property
    def present(self) -> list[Viewer]:
        """The connected viewers."""
        return [viewer for viewer in self.viewers.values() if viewer.connected > 0]

    @property
    def languages(self) -> list[str]:
        return sorted({viewer.language for viewer in self.present})

    def enter(self, name: str, language: str, watches_only: bool) -> Viewer:
        """The viewer of this name, created if it is new; it steers if no connected viewer does."""
        key = watches_only, name
        viewer = self.viewers.setdefault(key, Viewer(name, watches_only))
        self.viewers.move_to_end(key)
        gone = [key for key, other in self.viewers.items() if other.connected <= 0 and other is not viewer]
        for old in gone[: max(0, len(self.viewers) - VIEWERS_KEPT)]:
            del self.viewers[old]
        viewer.language = language
        if not watches_only and (self.wheel is None or self.wheel.connected <= 0):
            self.wheel = viewer
        viewer.unsent = {*self._newest, *(["curves"] if self._curves else [])} - {*EVENTS}
        viewer.frame_due = self._frame is not None
        viewer.picture_due = bool(self._picture)
        return viewer

    def steers(self, viewer: Viewer) -> bool:
        return self.wheel is viewer

    def take_wheel(self, viewer: Viewer) -> None:
        """Let this viewer steer from now on."""
        self.wheel = viewer
        self.changed("state")

    def changed(self, kind: str) -> None:
        """Mark the newest message of this kind as unsent for all connected viewers."""
        for known in [k for k in self._texts if k[0] == kind]:
            del self._texts[known]
        if kind != "curves" and kind not in self._newest:
            return
        for viewer in self.present:
            viewer.unsent.add(kind)
            viewer.wake.set()

    def put(self, content: Mapping[str, Any], language: str | None = None) -> None:
        """Store new messages by kind, and wake the viewers. language: only viewers of this language; None:
        all viewers."""
        for kind, value in content.items():
            if kind in EVENTS:
                text = compact_json({kind: value}).decode()
                for viewer in self.present:
                    if language in (None, viewer.language):
                        viewer.say(text)
            elif kind == "curves":
                self._curves.setdefault(str(value["run"]), GrowingCurves()).add(value)
                self.changed(kind)
            else:
                if kind == "fan" and value is None:
                    self._picture = b""
                self._newest.setdefault(kind, {})[language] = value
                self.changed(kind)

    def end(self, status: str) -> None:
        """Set ``status`` in the stored state of each language."""
        for language, state in self._newest.get("state", {}).items():
            self.put({"state": {**state, "status": status}}, language)

    def put_frame(self, number: int, data: bytes) -> None:
        """Store a new frame and wake the viewers, who share its bytes."""
        self._frame = number, data
        present = self.present
        self._frames_underway = FRAMES_UNDERWAY if len(present) <= CROWD else 1
        for viewer in present:
            viewer.frame_due = True
            viewer.wake.set()

    def put_picture(self, data: bytes) -> None:
        """Store the boundaries of a fan, which viewers don't acknowledge, and wake the viewers."""
        self._picture = data
        for viewer in self.present:
            viewer.picture_due = True
            viewer.wake.set()

    def due(self, viewer: Viewer) -> Iterator[str | bytes]:
        """Yield the messages to send to the viewer, until none are left or frames must be acknowledged."""
        while viewer.texts or viewer.unsent or viewer.picture_due or viewer.frame_due:
            if viewer.texts:
                yield viewer.texts.popleft()
                if len(viewer.texts) < TEXTS_UNSENT // 2:
                    viewer.keeps_up.set()
            elif viewer.unsent:
                kind = next(k for k in ("state", *self._newest, "curves") if k in viewer.unsent)
                viewer.unsent.discard(kind)
                yield from self._curves_due(viewer) if kind == "curves" else [self._text(kind, viewer)]
            elif viewer.picture_due:
                viewer.picture_due = False
                yield self._picture
            elif len(viewer.underway) < self._frames_underway and self._frame is not None:
                viewer.frame_due = False
                number, data = self._frame
                viewer.underway.append(number)
                yield data
            else:
                return

    def _curves_due(self, viewer: Viewer) -> Iterator[str]:
        for run, curves in list(self._curves.items()):
            edition, number = viewer.places.get(run, (-1, 0))
            begin = number if edition == curves.edition else 0
            viewer.places[run] = curves.edition, len(curves)
            yield curves.text(begin)

    def _text(self, kind: str, viewer: Viewer) -> str:
        """The newest message of this kind, in the viewer's language if there is one in it."""
        of_state = kind == "state"
        known = kind, viewer.language, of_state and (self.steers(viewer), viewer.watches_only)
        if known not in self._texts:
            by_language = self._newest[kind]
            fallback = next(iter(by_language.values()))
            value = by_language.get(viewer.language, by_language.get(None, fallback))
            if of_state and isinstance(value, dict):
                value = {
                    **value,
                    "steers": self.steers(viewer),
                    "can_steer": not viewer.watches_only,
                    "viewers": len(self.present),
                }
            self._texts[known] = compact_json({kind: value}).decode()
        return self._texts[known]
