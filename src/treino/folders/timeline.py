"""The history of a run: what was set from which step on, and the segments that its path leads through.

Nothing is overwritten: rewinding opens the next segment in the same folder; branching opens it in a new
folder with a copy of the shared past. The newest segment and its ancestors are the run's path; the run's
losses and metrics are the path's.

``spec.json`` holds what was set first; each later change is a row of the table ``changes``, which whoever
obeys it writes, and which no one rewrites.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any

from treino.base.errors import TreinoError
from treino.base.files import DATABASE, damaged
from treino.base.words import _, numeral
from treino.engine import HP, OPTIMIZERS
from treino.engine.hyperparameters import checked_numbers, may_be_hyperparameter
from treino.engine.step_plan import EpochCount
from treino.folders.documents.run_spec import ResolvedSettings, RunSpec
from treino.folders.documents.run_spec import Segment as Segment
from treino.folders.store import RunFolder
from treino.folders.store.change import CONSEQUENCE, Change, settings_text
from treino.settings.spec import OF_SOME, Settings, read_settings

# ---- the path


@dataclass(frozen=True)
class Stretch:
    """Steps of one segment: those after ``first`` updates, up to ``stop`` of them (None: all). epochs: the
    epoch of each step up to its end."""

    segment: Segment
    first: int
    stop: int | None
    epochs: EpochCount

    def holds(self, change: Change) -> bool:
        """Whether this change is in force in the stretch, or from its last step on.

        A segment that begins at the step of a change takes the change over.
        """
        if change.segment != self.segment.number or change.step < self.first:
            return False
        return self.stop is None or change.step <= self.stop


def segments_of(spec: RunSpec) -> list[Segment]:
    """All segments, by number."""
    return list(spec.segments) or [Segment.model_construct(steps_per_epoch=spec.steps_per_epoch)]


def newest(spec: RunSpec) -> Segment:
    return segments_of(spec)[-1]


def path(spec: RunSpec, number: int | None = None) -> list[Stretch]:
    """The stretches from step 0 to the end of this segment (default: the newest)."""
    segments = {segment.number: segment for segment in segments_of(spec)}
    places: list[tuple[Segment, int | None]] = [(segments[max(segments) if number is None else number], None)]
    while (origin := places[-1][0].origin) is not None:
        places.append((segments[origin[0]], origin[1]))
    stretches: list[Stretch] = []
    epochs = EpochCount(places[-1][0].steps_per_epoch)
    for segment, stop in reversed(places):
        counted = segment.passes_from, segment.steps_per_epoch
        if counted != (epochs.start_step, epochs.steps_per_epoch):
            epochs = epochs.restarted(*counted)
        stretches.append(Stretch(segment, segment.start, stop, epochs))
    return stretches


def epoch_count(spec: RunSpec, number: int | None = None) -> EpochCount:
    """The epoch of each step on the path to the end of this segment (default: the newest)."""
    return path(spec, number)[-1].epochs


# ---- the settings


def settings_after(settings: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """All settings, by their names, after a change of some."""
    after = dict(settings)
    for name, value in change.settings.items():
        if name in ("beta1", "beta2"):
            after["betas"] = list(after["betas"] or (HP["beta1"], HP["beta2"]))
            after["betas"][name == "beta2"] = value
        elif name in after:
            after[name] = value
    return after


REPLACED = {"epochs": "steps", "steps": "epochs", "fault": "as_taught", "as_taught": "fault"}
"""Settings that say the same in another way."""


def typed_after(typed: Mapping[str, Any], settings: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The settings that a training with this change would be given from its start, and the change then needs
    no more than a state. typed: the same before the change. settings: all settings after it.

    A hyper-parameter is a part of the state: only what layers or an average it needs is given.
    """
    if change.sender == CONSEQUENCE:
        return dict(typed)
    after = dict(typed)
    for name, value in change.settings.items():
        if may_be_hyperparameter(name):
            if name in ("dropout", "ema") and value and not after.get(name):
                after[name] = value
            continue
        after.pop(REPLACED.get(name, ""), None)
        after[name] = value
        if name in ("epochs", "steps"):  # the default of patience depends on whether the length is set
            after["patience"] = settings["patience"]
        if name == "optimizer":
            reads = OPTIMIZERS[value].reads
            after = {k: v for k, v in after.items() if k not in OF_SOME or k in reads}
        if name == "nesterov" and value and settings["momentum"]:
            after["momentum"] = settings["momentum"]
    return after


# ---- the timeline

LENGTH = ("epochs", "steps", "patience", "keep", "schedule", "warmup")
"""Settings that say how long a training is, and which of its steps is kept."""
LAYERS = ("hidden", "activation", "dropout")
"""Settings that a network's layers follow from."""


@dataclass(frozen=True)
class Timeline:
    """What held at each step of a run. spec: as it is in the folder. unwritten: changes of a segment that is
    about to begin.

    Where a method takes the ``number`` of a segment, it tells of the path to its end; default: the newest.
    """

    folder: RunFolder
    spec: RunSpec
    unwritten: tuple[Change, ...] = ()

    @cached_property
    def every(self) -> list[Change]:
        """All changes of the run's segments, also of those that the path has left, in the order in which they
        were made."""
        changes = self.folder.database.changes()
        known = {*HP}
        for change in changes:
            try:
                optimizer = OPTIMIZERS.key(
                    "optimizer", change.settings.get("optimizer", self.spec.resolved.optimizer)
                )
                if OPTIMIZERS[optimizer].own is not None:  # it may have had numbers of its own
                    known |= change.settings.keys()
                _check(change.settings, known)
            except TreinoError as error:
                raise damaged(self.folder.path / DATABASE, error.message) from None
        return [*changes, *(change for change in self.unwritten if change.settings)]

    @property
    def asked(self) -> list[Change]:
        """Those that a person, an agent or an alert asked for."""
        return [change for change in self.every if change.sender != CONSEQUENCE]

    @cached_property
    def last(self) -> int:
        """The last step of the path; so far, if a process may still take more."""
        return self._last_of(newest(self.spec))

    def _last_of(self, segment: Segment) -> int:
        return segment.start + self.folder.database.loss_count(segment.number)

    def held(self, number: int | None = None) -> list[Change]:
        """The changes that came to hold on a path, in the order of their steps; those that follow from others
        too. A change for a step that a run never reached changed nothing; while it trains, it may still."""
        stretches = path(self.spec, number)
        segment = stretches[-1].segment
        if segment.number != newest(self.spec).number or self.folder.status != "running":
            stretches[-1] = replace(stretches[-1], stop=self._last_of(segment))
        held = [change for stretch in stretches for change in self.every if stretch.holds(change)]
        return sorted(held, key=lambda change: change.step)

    def changes(self, number: int | None = None) -> list[Change]:
        """The changes that a person, an agent or an alert made on a path, for readers.

        A segment that begins with the same settings is among them, without settings; a value that another
        one replaced at the same step isn't.
        """
        asked = [change for change in self.held(number) if change.sender != CONSEQUENCE]
        begun = {(change.segment, change.step) for change in asked}
        for stretch in path(self.spec, number)[1:]:
            segment = stretch.segment
            if (segment.number, segment.start) not in begun:
                asked.append(Change(segment.number, segment.start, {}, segment.sender))
        asked.sort(key=lambda change: (change.step, change.segment))
        listed: list[Change] = []
        later: set[tuple[int, str]] = set()
        for change in reversed(asked):
            settings = {n: v for n, v in change.settings.items() if (change.step, n) not in later}
            later |= {(change.step, name) for name in settings}
            if settings or not change.settings:
                listed.append(change._replace(settings=settings))
        return listed[::-1]

    def settings_at(self, step: int | None = None, number: int | None = None) -> dict[str, Any]:
        """All settings for the update after ``step`` updates, by their names; default: after the last one."""
        settings = self.spec.resolved.model_dump(mode="json")
        return reduce(settings_after, self._up_to(self.last if step is None else step, number), settings)

    def typed_at(self, step: int, number: int | None = None) -> dict[str, Any]:
        """The settings that a training with the same layers, rows and length would be given, as typed."""
        settings, typed = self.spec.resolved.model_dump(mode="json"), dict(self.spec.asked)
        for change in self._up_to(step, number):
            settings = settings_after(settings, change)
            typed = typed_after(typed, settings, change)
        return typed

    @cached_property
    def resolved(self) -> ResolvedSettings:
        """All settings after the last step."""
        return ResolvedSettings.model_validate(self.settings_at())

    @cached_property
    def typed(self) -> dict[str, Any]:
        """The settings that were typed, at the first step of the newest segment."""
        return self.typed_at(newest(self.spec).start)

    def changed_at(self, step: int | None, names: Set[str] | None = None, number: int | None = None) -> int:
        """The last step at which one of these settings, or any, changed; 0: none did. step: up to this one;
        None: up to the end of the path."""
        held = (change for change in self.held(number) if names is None or names & change.settings.keys())
        return max((change.step for change in held if step is None or change.step <= step), default=0)

    @property
    def layers_since(self) -> int:
        """The first step at which the network has its present layers."""
        steps = [stretch.first for stretch in path(self.spec)]
        layers = [[self.typed_at(step).get(name) for name in LAYERS] for step in steps]
        others = [place for place, of in enumerate(layers) if of != layers[-1]]
        return steps[others[-1] + 1] if others else 0

    def _up_to(self, step: int, number: int | None) -> list[Change]:
        return [change for change in self.held(number) if change.step <= step]


def _check(settings: Mapping[str, Any], known: Set[str]) -> None:
    """Raise TreinoError if these are no settings or values that a run can have. known: hyper-parameters."""
    of_state = {name for name in settings.keys() & known if name not in Settings.model_fields}
    read_settings({name: value for name, value in settings.items() if name not in of_state})
    for name in of_state:
        checked_numbers(name, settings[name], 1)


# ---- the beginning of a segment, in words


def segment_notes(timeline: Timeline) -> list[str]:
    """Sentences about the newest segment: its first step, its changed settings, what was reset; none for the
    first one."""
    spec = timeline.spec
    if not spec.segments:
        return []
    segments = {segment.number: segment for segment in segments_of(spec)}
    segment = newest(spec)
    before = segments[(segment.origin or (0,))[0]]
    place = (segment.number, segment.start)
    begun = [c.settings for c in timeline.changes() if (c.segment, c.step) == place and c.settings]
    parent = spec.parent
    where = _("step {step:,}").format(step=segment.start)
    if parent and parent.segment == before.number:
        where = _("{run}, step {step:,}").format(run=parent.run, step=segment.start)
    if not begun:
        return [_("It goes on from {where}, with the same settings.").format(where=where)]
    changes = settings_text({name: value for each in begun for name, value in each.items()})
    sentences = [_("It goes on from {where}, with {changes}.").format(where=where, changes=changes)]
    if segment.optimizer_from != before.optimizer_from:
        sentences.append(_("The optimizer's state began at zero there."))
    if segment.output_change is not None:
        change = numeral(segment.output_change, ".2g")
        sentences.append(
            _("No output on training rows changed by more than {change} there.").format(change=change)
        )
    return sentences
