"""The training of a study's networks in turns, an epoch each, and the document that comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor

from treino.data.dataset import Data
from treino.documents.study_result import StudyResult
from treino.documents.study_spec import StudyFacts
from treino.engine import Tick
from treino.engine.kernels.selection import torch_threads_of
from treino.engine.torch_context import torch_threads
from treino.loop.loop import status_at_end
from treino.loop.stop_command import stop_sent
from treino.records.failure_notes import noted
from treino.store import RunFolder
from treino.tuning.conclusions import answers, notes
from treino.tuning.distribution import Distribution
from treino.tuning.study_document import row
from treino.tuning.study_options import StudyOptions
from treino.tuning.track import Record, Track
from treino.words import _

CHUNK_SECONDS = 0.1
CHECKPOINT_SECONDS = 2.0


@dataclass(eq=False)
class StudyJob:
    """The training of a study's networks in turns, as the loop drives it: an epoch each, round after round.

    facts: all of the document that is known before the first step. distribution: where a cluster trains.
    turn: who is still to train in this round, the first of them now.
    """

    folder: RunFolder
    data: Data
    options: StudyOptions
    facts: StudyFacts
    tracks: Sequence[Track]
    distribution: Distribution | None = None
    checkpoint_seconds: float = field(default_factory=lambda: CHECKPOINT_SECONDS)
    interruptible_close: bool = False
    resumable: bool = True
    paused: bool = False
    turn: list[Track] = field(default_factory=list)
    now: Track | None = None  # who trained last

    def __post_init__(self) -> None:
        if self.distribution is not None:
            self.distribution.title = self.folder.path.name

    @property
    def threads(self) -> int:
        """Of the one whose turn it is; each trains with its own."""
        kernel = (self.now or self.tracks[0]).planned.training
        return torch_threads_of(kernel.engine, kernel.threads)

    @property
    def done(self) -> float:
        """The share of all steps that are taken."""
        planned = sum(t.planned.training.steps for t in self.tracks)
        return sum(t.step for t in self.tracks) / planned

    @property
    def left_s(self) -> float | None:
        """Seconds to the end, None before there is a pace."""
        left = [t.left_s for t in self.tracks]
        if any(s is None for s in left):
            return None
        places = 1 if self.distribution is None else self.distribution.cluster.slots
        return sum(s for s in left if s is not None) / places

    def stop_reason(self) -> str | None:
        """``interrupted`` where somebody asks for it: a study has its answers when all are trained."""
        return "interrupted" if stop_sent(self.folder) else None

    def advance(self) -> Tick | None:
        """Train the one whose turn it is for a moment; who is trained to the end is kept at once."""
        if self.distribution is not None:
            return self._distributed(self.distribution)
        self.turn = self.turn or _round(self.tracks)
        if not self.turn:
            return None
        self.now = self.turn[0]
        with torch_threads(self.threads):
            tick = self.now.advance(CHUNK_SECONDS)
        if tick.epochs:
            self.turn.pop(0)
        if self.now.done:
            self.checkpoint()
        return tick

    def _distributed(self, distribution: Distribution) -> Tick | None:
        moment = distribution.advance([(track, track.training.steps) for track in self.tracks])
        if moment is None:
            return None
        track, tick = moment
        assert isinstance(track, Track)
        self.now = track
        if track.done:
            self.checkpoint()
        return tick

    def checkpoint(self) -> None:
        """The state of every network that is not trained to its end, and the figures of all."""
        tensors: dict[str, Tensor] = {}
        states = []
        for number, track in enumerate(self.tracks):
            own, state = track.save()
            tensors |= {f"{number}/{name}": tensor for name, tensor in own.items()}
            states.append(state)
        self.folder.checkpoint(tensors, {"tracks": states})

    def close(self, reason: str | None) -> dict[str, Any]:
        """Write the document and seal the folder."""
        if self.distribution is not None:
            self.distribution.stop()
        records = [t.record for t in self.tracks]
        status = status_at_end((r.status for r in records), reason)
        document = study_result(self.folder, self.options, self.facts, records, status).to_json()
        self.folder.write_json("result.json", document)
        self.folder.seal(status)
        return document


def _round(tracks: Sequence[Track]) -> list[Track]:
    """Whose turn it is: those that have done the fewest epochs, in turned order every other time."""
    running = [t for t in tracks if not t.done]
    least = min((t.record.epochs for t in running), default=0)
    turn = [t for t in running if t.record.epochs == least]
    return turn[::-1] if least % 2 else turn


def study_result(
    folder: RunFolder, options: StudyOptions, facts: StudyFacts, records: Sequence[Record], status: str
) -> StudyResult:
    """The rows and conclusions of what is recorded so far.

    records: of every network, row by row, seed by seed.
    """
    many = len(options.seeds)
    rows = [
        row(of, records[number * many : (number + 1) * many], options, facts)
        for number, of in enumerate(facts.rows)
    ]
    rows = [r.model_copy(update={"status": status}) if r.status == "running" else r for r in rows]
    failures = list(dict.fromkeys(note for record in records for note in record.notes))
    what, instead = _("Comparing the settings"), _("Their figures are there.")
    said, warned = (
        noted(failures, what, instead, partial(of, rows, facts, options.until)) for of in (answers, notes)
    )
    head = {"study": folder.path.name, "path": str(folder.path), "status": status, "kind": "study"}
    found = {
        "seconds": sum(sum(r.seconds) for r in records),
        "steps": sum(r.steps for r in records),
        "rows": rows,
        "answers": said or [],
        "notes": [*(warned or []), *failures],
    }
    return StudyResult.model_validate(facts.to_json() | head | found)
