"""The viewers of one page: who steers, what each has been sent, and the answers to what each has asked.

What a page shows is kept once, the newest of each kind. Each viewer is sent what it has not got yet as fast
as it takes it, so a slow one gets fewer frames, and nothing queues up for it.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from treino.errors import TreinoError
from treino.store.encoding import compact_json
from treino.words import _

FRAMES_UNDERWAY = 2  # to one viewer, not acknowledged yet
CROWD = 200  # viewers; to each of more only one is, or frames would grow old on their way
ANSWERS_KEPT = 256  # of one viewer, for after a lost connection
COMMANDS_OPEN = 64  # of one viewer
TEXTS_UNSENT = 64  # to one viewer, before no more of it is read
VIEWERS_KEPT = 2000  # of a page, most of them gone
GROWING = "step", "loss"  # lists of curves that are appended to
EVENTS = ("notice",)  # kinds that are said once


@dataclass(eq=False)
class Viewer:
    """One open page in a browser, over as many connections as it takes.

    connected: the number of its connection, 0 where it is gone. unsent: kinds whose newest is not sent yet.
    places: of each run's curves, the edition and how many of its points were sent.
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
        """A new connection, which takes the place of an older one; -> its number."""
        self.connected = self.connected + 1 if self.connected > 0 else 1 - self.connected
        self.texts.clear()
        self.underway.clear()
        self.places.clear()
        self.wake.set()
        self.keeps_up.set()
        return self.connected

    def disconnect(self, number: int) -> None:
        """The connection of that number is gone; it may have been replaced before."""
        if self.connected == number:
            self.connected = -number
            self.wake.set()

    def say(self, text: str) -> None:
        """Send a text, in order; one who is gone gets none."""
        if self.connected > 0:
            self.texts.append(text)
            if len(self.texts) >= TEXTS_UNSENT:
                self.keeps_up.clear()
            self.wake.set()

    def answer(self, number: int, content: Mapping[str, Any]) -> None:
        """Answer a command, and remember the answer in case that it is lost."""
        text = compact_json({"reply": number, **content}).decode()
        self.open.discard(number)
        self.answers[number] = text
        while len(self.answers) > ANSWERS_KEPT:
            self.answers.popitem(last=False)
        self.say(text)

    def is_new(self, number: int) -> bool:
        """Whether a command of this number is to be carried out. One that was sent a second time is not: it
        is answered as before, now or once it is done.

        Raises:
            TreinoError: too many are open, or it is so old that its answer is forgotten.
        """
        if number in self.answers:
            self.say(self.answers[number])
            return False
        if number in self.open:
            return False
        if number <= self.last_id:
            raise TreinoError(
                "command_number",
                _("The command {number} comes after the command {last}.").format(
                    number=number, last=self.last_id
                ),
                _("The numbers of commands grow by one."),
            )
        if len(self.open) >= COMMANDS_OPEN:
            raise TreinoError(
                "studio_busy",
                _("{n} commands are not answered yet.").format(n=len(self.open)),
                _("Wait a little and try again."),
            )
        self.last_id = number
        self.open.add(number)
        return True

    def acknowledge(self, frame: int) -> None:
        """That frame is drawn, and those before it. A number that is not underway changes nothing."""
        if frame in self.underway:
            while self.underway.popleft() != frame:
                pass
            self.wake.set()


class GrowingCurves:
    """The curves of one run as far as they are known. edition: grows when older points changed."""

    def __init__(self) -> None:
        self.edition = 0
        self._lists: dict[str, list[Any]] = {name: [] for name in GROWING}
        self._rest: dict[str, Any] = {}
        self._texts: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._lists[GROWING[0]])

    def add(self, news: Mapping[str, Any]) -> None:
        """A message ``curves`` of the protocol."""
        begin = int(news["from"])
        self.edition += begin < len(self) or begin == 0
        for name, values in self._lists.items():
            values[begin:] = news.get(name, ())
        self._rest.update({k: v for k, v in news.items() if k not in (*GROWING, "from")})
        self._texts.clear()

    def text(self, begin: int) -> str:
        """The message for one who has ``begin`` points."""
        if begin not in self._texts:
            lists = {name: values[begin:] for name, values in self._lists.items()}
            self._texts[begin] = compact_json({"curves": {**self._rest, "from": begin, **lists}}).decode()
        return self._texts[begin]


class Page:
    """What one page shows, and who looks at it. wheel: the viewer who steers, who may be gone for a while."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.viewers: OrderedDict[tuple[bool, str], Viewer] = OrderedDict()
        self.wheel: Viewer | None = None
        self.clear()

    def clear(self) -> None:
        """Forget what is shown: it comes anew."""
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
        """The viewers that are connected now."""
        return [viewer for viewer in self.viewers.values() if viewer.connected > 0]

    @property
    def languages(self) -> list[str]:
        return sorted({viewer.language for viewer in self.present})

    def enter(self, name: str, language: str, watches_only: bool) -> Viewer:
        """The viewer of that name, new or back; who comes where nobody steers has the wheel."""
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
        """This viewer steers from now on.

        Raises:
            TreinoError: it came by the address for those who only watch.
        """
        if viewer.watches_only:
            raise watch_only()
        self.wheel = viewer
        self.changed("state")

    def changed(self, kind: str) -> None:
        """Everybody is to get the newest of this kind."""
        for known in [k for k in self._texts if k[0] == kind]:
            del self._texts[known]
        if kind != "curves" and kind not in self._newest:
            return
        for viewer in self.present:
            viewer.unsent.add(kind)
            viewer.wake.set()

    def put(self, content: Mapping[str, Any], language: str | None = None) -> None:
        """Show what the worker sends: one or more kinds. language: of those it is for; None: all."""
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
        """Nothing more comes to be shown, and the state says so."""
        for language, state in self._newest.get("state", {}).items():
            self.put({"state": {**state, "status": status}}, language)

    def put_frame(self, number: int, data: bytes) -> None:
        """Show a frame: one object of bytes for all viewers."""
        self._frame = number, data
        present = self.present
        self._frames_underway = FRAMES_UNDERWAY if len(present) <= CROWD else 1
        for viewer in present:
            viewer.frame_due = True
            viewer.wake.set()

    def put_picture(self, data: bytes) -> None:
        """Show the boundaries of a fan: they need no acknowledgement."""
        self._picture = data
        for viewer in self.present:
            viewer.picture_due = True
            viewer.wake.set()

    def due(self, viewer: Viewer) -> Iterator[str | bytes]:
        """What is to be sent to the viewer now, one after the other. It ends where the viewer has everything,
        or is to draw the frames that are underway first."""
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
        """The newest of a kind in the viewer's language."""
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


def watch_only() -> TreinoError:
    """The error for one who came by the address for those who watch."""
    return TreinoError(
        "watch_only",
        _("This address is for watching alone."),
        _("Who steers opens the other address that treino studio printed."),
    )
