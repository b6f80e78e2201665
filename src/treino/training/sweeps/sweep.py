"""The training of many networks, from its first member to its last bracket, as a stream of events.

A sweep searches for the best settings; repeats train the same settings with several seeds or folds.
The folder is always enough to resume: the settings of all members so far, the table of finished rungs, the
state of the running bracket, and the best weights.
"""

import shlex
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from treino.base.errors import Refusal, TreinoError
from treino.base.words import _, setting
from treino.data.dataset import Data
from treino.engine import Tick
from treino.engine.metrics import METRICS
from treino.engine.training_setup import NO_VALIDATION_ROWS
from treino.folders.access import Access
from treino.folders.data_source import fold_place, keep_copy, recorded_settings
from treino.folders.documents.reading import read_checkpoint, read_document, read_sweep_spec
from treino.folders.own_code import OF_ENTRIES, own_names
from treino.folders.store import RunFolder
from treino.folders.stored_folder import machine, try_or_note, unfinished, versions
from treino.settings.network_call import NetworkCall
from treino.settings.options import HERE, ClusterOptions, SweepPlan, read_options
from treino.settings.several import OF_REPEATS, REFIT_OF_ENSEMBLE
from treino.settings.spec import Settings, check_rules, read_settings
from treino.training.goals import check_goals, goal_of
from treino.training.loop import Job, JobEvent, events, resumption_said, status_at_end
from treino.training.search.space import (
    Choice,
    Dimension,
    Space,
    files_in_space,
    read_space,
    space_in,
    space_of,
    values_of,
)
from treino.training.sweeps.bracket import (
    MEMBERS,
    MemberTable,
    TrainingBracket,
    best_members,
    read_top,
    row_scores,
    write_top,
)
from treino.training.sweeps.distribution import as_lists, open_distribution
from treino.training.sweeps.judgement import sweep_result, with_judgement
from treino.training.sweeps.out_of_fold import FILE, fold_answers, fold_notes, member_figures, with_spread
from treino.training.sweeps.populations import (
    shared_settings,
    sources_of,
)
from treino.training.sweeps.request import SweepRequest
from treino.training.sweeps.sweep_members import (
    OVER,
    TPE,
    SweepTraining,
    add_networks,
    begun_brackets,
    check_folder,
    check_members,
    first_networks,
    network_words,
    obey_commands,
    renamed_space,
    sweep_plan,
)

FOLDS_AND_TEST = Refusal(
    "[[folds]] tests on one fold after the other, and {name} says which rows test.", "Leave one of them out."
)

CHECKPOINT_SECONDS = 10.0


def sweep_events(request: SweepRequest) -> Iterator[JobEvent]:
    """Train many networks and keep the best. All possible checks come before anything is written.

    Raises:
        TreinoError: bad input (status 2) or a system error (status 1).
    """
    space = request.space
    if not isinstance(space, Space):
        space = read_space(space_of([space]) if isinstance(space, str) else space)
    base = dict(request.asked)
    named = [word for name, word in files_in_space(space) if name in OF_ENTRIES]
    space = renamed_space(space, own_names(request.networks, named), OF_ENTRIES)
    plan = sweep_plan(request.options, read_settings(base).metric)
    if not plan.spread:  # repeats don't select a winner
        ensemble = read_settings({"ensemble": base.pop("ensemble", 1)}).ensemble
        plan = plan.model_copy(update={"ensemble": ensemble})
    if plan.ensemble > 1 and read_settings(base).refit:
        raise REFIT_OF_ENSEMBLE(n=plan.ensemble)
    base |= request.device
    shared = shared_settings(base)
    check_members(space, base, plan)
    own_code = [*base.values(), *values_of(space, OF_ENTRIES)]
    words, files = request.files(network_words(base, space))
    space = renamed_space(space, words)
    if shared.net_file is not None:
        base["net"] = str(NetworkCall.read(str(shared.net)).renamed(words))
    source, data = request.rows(shared, first_networks(space, base, files))
    if not isinstance(source, Data):
        base["data_seed"] = data.data_seed  # a member's own seed must not change the split
    sweep = SweepTraining(source, data, base, space, plan, files)
    sweep.notes += request.notes
    sweep.next_members()
    if len(sweep.configs) < plan.members and plan.sampler != TPE:
        sweep.notes.append(
            _("The space holds {n:,} different settings; {members:,} networks were asked for.").format(
                n=len(sweep.configs), members=plan.members
            )
        )
        sweep.set_members(len(sweep.configs))
    plan = sweep.options
    with ExitStack() as opened:
        sweep.distribution = opened.enter_context(open_distribution(request.place))
        first = sweep.bracket(0)
        sweep.notes += fold_notes(first)
        if plan.until is not None:
            check_goals(plan.until[:1], first.populations[0].training, data)
        varied = [d.name for d in space.dimensions]
        stem = "sweep" if not plan.spread else "folds" if "fold" in varied else "seeds"
        made = request.new_folder("sweep", stem, data, files, own_code)
        folder, where = opened.enter_context(made)
        own_net = {"net": base["net"]} if shared.net_file is not None else {}
        spec = {
            "asked": {**request.asked, **own_net},
            "base": base,
            "space": space.to_json(),
            "sweep": {"space": space.to_json(), **plan.model_dump(mode="json")},
            "metric": sweep.metric,
            "data": where,
            "classes": list(data.classes),
            "rows": {split: len(rows) for split, rows in data.splits.items()},
            "notes": [*data.notes, *sweep.notes],
            "versions": versions(),
            "machine": machine(),
        }
        folder.write_json("spec.json", spec)
        sweep.write_members(folder)
        if where["kind"] == "memory":
            folds = {s.fold: sweep.data_for(s) for s in map(sweep.settings, range(len(sweep.configs)))}
            for fold, rows in folds.items():
                if fold is not None and rows is not data:
                    keep_copy(folder, rows, fold_place(fold))
        yield from events(partial(SweepJob, folder, sweep, first))


def repeats(
    shared: Settings, seeds: int | None, folds: int | None, until: Any = None
) -> tuple[Settings, Space, SweepPlan]:
    """The settings that ``seeds`` seeds and ``folds`` folds share, with the first fold; the space of seeds
    (from their own on), of folds, or of all pairs of both; and how it is trained.

    until: a validation metric and value, such as ``accuracy=0.8``: the steps to it are counted.

    Raises:
        TreinoError: fewer than two; settings out of range, or that also decide which rows test or validate.
    """
    check_rules(shared, OF_REPEATS)
    if until is not None:
        until = goal_of(until, shared.metric)
        if shared.validation == 0:
            raise NO_VALIDATION_ROWS(what=setting("until", until))
    for name, count in (("seeds", seeds), ("folds", folds)):
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 2):
            raise TreinoError(
                f"{name}_range",
                _("{name} is {n}, and figures of a single network don't vary.").format(name=name, n=count),
                _("Give at least 2, e.g. 5."),
            )
    dimensions = []
    if folds is not None:
        dimensions.append(Dimension("fold", Choice(tuple(f"{i + 1}/{folds}" for i in range(folds)))))
    if seeds is not None:
        dimensions.append(Dimension("seed", Choice(tuple(range(shared.seed, shared.seed + seeds)))))
    space = Space(tuple(dimensions))
    count = len(space.grid)
    options = {"members": count, "top": count, "fresh": 0, "strategy": "none", "sampler": "grid"}
    plan = read_options(SweepPlan, options | {"until": until, "spread": True})
    if folds is None:
        return shared, space, plan
    for name in ("fold", "test"):
        if name in shared.explicit:
            raise FOLDS_AND_TEST(name=setting(name))
    return shared.decided("default", "", fold=f"1/{folds}"), space, plan


def sweep_resumption(
    path: str | Path,
    access: Access | None = None,
    *,
    storage: str | None = None,
    more: int | None = None,
    place: ClusterOptions = HERE,
) -> Iterator[JobEvent]:
    """Resume a sweep that was interrupted or killed: no member is lost, none is trained twice.

    more: members to add, even to a finished sweep, which is then judged again; see ``add_networks``.

    access: the access to its data and the user's networks; reading a folder never executes them.
    storage: the sweep's Optuna storage, given again: a folder could name any file to write, and Optuna
    unpickles some storages. place: the cluster that trains.

    Raises:
        TreinoError: the sweep is finished, is being written by another process, is damaged, or its data is
            gone; no more members can be added.
    """
    access = access or Access()
    folder = unfinished(path, OVER if more is not None else ())
    spec, members = read_sweep_spec(folder), read_document(folder, "asked.json")
    space = space_in(spec)
    words = network_words(spec.base, space, members["configs"])
    source, data, networks = sources_of(folder, access, words)
    base = recorded_settings(folder, spec.base, source)
    if spec.sweep.storage is not None and storage is None:
        raise TreinoError(
            "storage_wanted",
            _("{sweep} has its trials in {storage}, and reading a folder opens nothing else.").format(
                sweep=folder.path.name, storage=spec.sweep.storage
            ),
            _("If that is yours, say it again: [[storage={storage}]]").format(
                storage=shlex.quote(spec.sweep.storage)
            ),
        )
    plan = sweep_plan(spec.sweep.model_copy(update={"storage": storage}))
    sweep = SweepTraining(source, data, base, space, plan, networks, folder)
    if more is not None:
        check_folder(folder, more)
    with open_distribution(place) as sweep.distribution, folder:
        yield from events(partial(_taken_up, folder, sweep, members, more))


def _taken_up(
    folder: RunFolder, sweep: SweepTraining, members: dict[str, Any], more: int | None
) -> "SweepJob":
    """Reopen the folder, and restore the sweep from its last checkpoint. members: its ``asked.json``. more:
    as in ``sweep_resumption``."""
    folder.unseal()
    kept = read_checkpoint(folder)
    state: dict[str, Any] = {"done": 0, "spent": 0.0, "model_steps": 0, "extensions": 0, "state": None}
    state |= {"ended": None, "processors": {}} | ({} if kept is None else kept[1])
    added = members.get("extensions", [])
    if added:
        sweep.set_members(added[-1]["first"] + added[-1]["members"])
    ended = state["ended"] if state["extensions"] == len(added) else None
    if more is not None and ended is not None:
        members, ended = begun_brackets(members, state["done"]), None
        sweep.set_members(len(members["configs"]))
    sweep.done, sweep.seconds = state["done"], state["spent"]
    sweep.notes += members["notes"]
    sweep.rows = MemberTable.read(folder, sweep.rows.dimensions)
    sweep.top = read_top(folder)
    sweep.restore_members(members)
    if more is not None:
        add_networks(folder, sweep, more)
    for kind, numbers in state["processors"].items():
        sweep.processors[kind] = set(numbers)
    bracket = None
    if ended is None and sweep.done < len(sweep.brackets):  # else only the judgement is incomplete
        bracket = sweep.bracket(sweep.done, state["state"])
        sweep.top = [k for k in sweep.top if k.member < bracket.first]  # the later ones are provisional
        if kept is not None and state["state"] is not None:
            bracket.load(kept[0], state["state"], folder.path)
    steps = int(state["model_steps"])
    if sweep.extensions:  # a judgement without the added members is outdated
        sweep.status = "interrupted"
        with resumption_said(folder):
            folder.write_json("result.json", sweep_result(folder, sweep, steps).to_json())
    before = steps - (0 if bracket is None else bracket.model_steps)
    return SweepJob(folder, sweep, bracket, ended, steps_before=before)


@dataclass(eq=False)
class SweepJob(Job):
    """The training of many networks, bracket after bracket, as the event loop drives it.

    bracket: the running bracket, None between two. ended: why all brackets are over, if the folder's
    checkpoint says so. best: the member that leads so far, and its metric.
    """

    folder: RunFolder
    sweep: SweepTraining
    bracket: TrainingBracket | None
    ended: str | None = None
    checkpoint_seconds: float = field(default_factory=lambda: CHECKPOINT_SECONDS)
    interruptible_close: bool = True
    last: Tick | None = None
    steps_before: int = 0  # model-steps of finished brackets
    planned_steps: int = 0  # model-steps of the known brackets
    lost_before: int = 0  # members that diverged in finished brackets
    best: tuple[int, float] | None = None

    def __post_init__(self) -> None:
        self.data = self.sweep.data
        if self.sweep.distribution is not None:
            self.sweep.distribution.title = self.folder.path.name
        if self.bracket is not None:
            self._begin(self.bracket)

    @property
    def model_steps(self) -> int:
        return self.steps_before + (0 if self.bracket is None else self.bracket.model_steps)

    @property
    def left_s(self) -> float | None:
        """Estimated seconds to the end of the known brackets; None before the first step."""
        steps = self.model_steps
        return max(0.0, (self.planned_steps - steps) * self.sweep.seconds / steps) if steps else None

    def stop_reason(self) -> str | None:
        """``reached`` if a member reached the target, ``stopped`` if time is over or by a command."""
        if self.ended is not None:
            return self.ended
        if obey_commands(self.folder, self.sweep):
            return "stopped"
        options = self.sweep.options  # obey_commands() may change it
        if self.last is None:
            return None
        if options.until is not None and not options.spread:
            metric, wanted = options.until
            value = (self.last.evaluation or {}).get("validation", {}).get(metric, torch.tensor(torch.nan))
            if bool((value >= wanted if METRICS[metric].better > 0 else value <= wanted).any()):
                return "reached"
        spent = self.sweep.seconds - self.sweep.seconds_at_last
        late = options.max_time is not None and spent > options.max_time
        return "stopped" if late else None

    def advance(self) -> Tick | None:
        """Train the bracket for a moment; if it is finished, store its results and begin the next one."""
        while self.bracket is not None or self._next():
            assert self.bracket is not None
            begin = time.perf_counter()
            tick = self.bracket.advance()
            self.sweep.seconds += time.perf_counter() - begin
            if tick is not None:
                self._note_best(self.bracket)
                self.last = tick
                return tick
            self._keep(None)
        return None

    def checkpoint(self) -> None:
        """Write the table of members and the state of the running bracket."""
        if self.bracket is None:
            return  # _keep wrote the last bracket's
        self.bracket.write_rows()
        self.folder.write_bytes(MEMBERS, self.sweep.rows.to_bytes())
        tensors, facts = self.bracket.save()
        self.folder.checkpoint(tensors, self._state(facts))

    def close(self, reason: str | None) -> dict[str, Any]:
        """Train the winner alone and judge it; after an interruption, only write the document."""
        sweep = self.sweep
        if sweep.distribution is not None:
            sweep.distribution.stop()
        if self.bracket is not None and reason == "interrupted":
            write_top(self.folder, best_members(self.bracket, sweep.options.top, sweep.top))
        elif self.bracket is not None:
            self._keep(reason)
        sweep.status = status_at_end((row["status"] for row in sweep.rows.last()), reason)
        result = sweep_result(self.folder, sweep, self.model_steps)
        if reason != "interrupted":
            closed = with_spread if sweep.options.spread else with_judgement
            result = closed(result, self.folder, sweep)
        document = result.to_json()
        self.folder.write_json("result.json", document)
        self.folder.seal(sweep.status)
        return document

    def _next(self) -> bool:
        """Begin the next bracket. Return False if there is none."""
        sweep = self.sweep
        if sweep.done >= len(sweep.brackets) and not sweep.next_members():
            return False
        sweep.write_members(self.folder)
        self.bracket = sweep.bracket(sweep.done)
        self._begin(self.bracket)
        return True

    def _begin(self, bracket: TrainingBracket) -> None:
        rows = self.sweep.rows.last()
        self.lost_before = sum(r["status"] == "diverged" for r in rows if r["bracket"] != bracket.number)
        self.planned_steps = self.steps_before + bracket.planned_steps

    def _note_best(self, bracket: TrainingBracket) -> None:
        lower = bracket.figures()
        if not lower:
            return
        better, leader = METRICS[self.sweep.metric].better, min(lower, key=lambda member: lower[member])
        figure = -better * lower[leader]
        if self.best is None or better * (figure - self.best[1]) > 0:
            self.best = leader, figure

    def _keep(self, reason: str | None) -> None:
        """Store the bracket's results; it is never trained again. reason: why all brackets end, if so."""
        folder, sweep, bracket = self.folder, self.sweep, self.bracket
        assert bracket is not None
        for row in sweep.rows.rows.values():
            if row["bracket"] == bracket.number and row["status"] == "running":
                row["status"] = "stopped"  # time was over, or the target was reached
        sweep.top = best_members(bracket, sweep.options.top, sweep.top)
        write_top(folder, sweep.top)
        notes_before = len(sweep.notes)
        first = {"sweep": folder.path.name, "n": bracket.first}
        instead = _("For predictions: treino predict {sweep}:{n} DATA").format(**first)
        what = _("Measuring the networks from {n} on").format(**first)
        if sweep.options.spread:
            measured = try_or_note(sweep.notes, what, instead, partial(member_figures, bracket))
            folder.write_json(f"figures/{bracket.number}.json", measured or {})
            answers = try_or_note(sweep.notes, what, instead, partial(fold_answers, bracket))
            if answers:
                folder.write_tensors(FILE.format(bracket.number), answers, {})
        else:
            scores = try_or_note(sweep.notes, what, instead, partial(row_scores, bracket, sweep.metric))
            folder.write_tensors(f"rows/{bracket.number}.safetensors", scores or {}, {})
        if len(sweep.notes) > notes_before:
            sweep.write_members(folder)
        for place, population in enumerate(bracket.populations):
            members = {"members": list(population.members)}
            curves = population.curve.tensors()
            folder.write_tensors(f"curves/{bracket.number}-{place}.safetensors", curves, members)
        folder.write_bytes(MEMBERS, sweep.rows.to_bytes())
        figures = bracket.figures()
        for member in sorted(bracket.configs):
            sweep.sampler.tell(member, figures.get(member))
        sweep.done = bracket.number + 1
        folder.checkpoint({}, self._state(None) | {"ended": reason})
        self.steps_before, self.bracket = self.model_steps, None

    def _state(self, bracket: dict[str, Any] | None) -> dict[str, Any]:
        return {
            "done": self.sweep.done,
            "spent": self.sweep.seconds,
            "model_steps": self.model_steps,
            "planned_steps": self.planned_steps,
            "extensions": len(self.sweep.extensions),
            "state": bracket,
            "ended": None,
            "processors": as_lists(self.sweep.processors),
        }
