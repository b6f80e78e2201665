"""Verify a run: train it again from its seeds, compare the two, and report how equal they are."""

import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from treino.base.errors import Refusal, TreinoError
from treino.base.registry import registered
from treino.base.words import _, setting
from treino.engine import TrainingLoop
from treino.engine.devices import torch_threads
from treino.engine.kernels.selection import ENGINES, torch_threads_of
from treino.engine.net_state import whole_state
from treino.folders.data_source import COPY
from treino.folders.documents.verification import (
    ConditionsEntry,
    DataEntry,
    StepsEntry,
    Verdict,
    VerificationDocument,
)
from treino.folders.network_source import network_files, network_source
from treino.folders.store.new_names import ended_before_it_began
from treino.folders.stored_folder import machine, versions
from treino.folders.stored_run import StoredRun
from treino.training.replay import training_rows
from treino.training.retraining import SECONDS, Comparison, Retraining, Tell, tell_nobody
from treino.training.sweeps.bracket import MemberTable
from treino.training.sweeps.member import SweepNetwork
from treino.training.sweeps.populations import populations_of

VERIFY_RUNNING = Refusal(
    "{run} is training: there is no end to compare with.",
    "Wait until it is over, or stop it with Ctrl-C where it runs.",
)

VERIFY_MEMBER = Refusal(
    "{run} is a network of a sweep, which is trained again as the sweep did it.", "Leave {name} out."
)

# ---- what can be verified


def why_unverifiable(run: StoredRun) -> str:
    """A sentence on why nobody can train this run again to the same numbers; "" if it can be tried."""
    spec = run.spec
    where, device = spec.data, str(spec.resolved.device)
    if device != "cpu":
        return _(
            "It was trained on {device}, where sums are added in no fixed order: its bits differ from one "
            "training to the next."
        ).format(device=device)
    if where.streams:
        return _("Its rows came from {what} in an order of their own.").format(what=where.source)
    if not spec.facts.reproducible:
        why = spec.facts.reproducible_why or ""
        return _("Its rows are not the same each time: {why}").format(why=why)
    if where.kind == "memory" and not run.folder.has(COPY):
        return _("Its rows were in memory only, and it was trained lean: it keeps no copy of them.")
    return ""


def check_verifiable(run: StoredRun) -> None:
    """Refuse a run that is still training, or that ended before its first step.

    Raises:
        TreinoError: in these cases.
    """
    if run.status == "running":
        raise VERIFY_RUNNING(run=run.name)
    if not run.folder.has("spec.json"):
        raise ended_before_it_began(run.path)
    if not isinstance(run, SweepNetwork) and not len(run.losses):
        raise TreinoError(
            "verify_nothing",
            _("{run} took no step: there is nothing to verify.").format(run=run.name),
            _("Go on with it: treino resume {run}").format(run=run.typed),
        )


# ---- the verdict

ROUNDING = 1e-4  # relative: a larger difference of the first unequal loss isn't rounding alone


def conditions_of(run: StoredRun) -> ConditionsEntry:
    """The versions, the machine and the kernel with which the run was trained, as recorded in its folder."""
    spec = run.spec
    s = spec.resolved
    return ConditionsEntry(
        versions=spec.versions,
        machine=spec.machine,
        engine=s.engine,
        threads=s.threads,
        device=str(s.device),
        date=run.folder.created,
    )


def rounding_reasons(then: ConditionsEntry, now: ConditionsEntry) -> list[str]:
    """Sentences on what may round numbers differently now than then."""
    reasons = list[str]()
    if then.engine != now.engine:
        sentence = _("Another kernel: {now} instead of {then}, which adds in another order.")
        reasons.append(sentence.format(now=now.engine, then=then.engine))
    for package in ("treino", "torch"):
        before, after = then.versions.get(package, _("unknown")), now.versions.get(package)
        if before != after:
            sentence = _("Another version of {package}: {now} instead of {then}.")
            reasons.append(sentence.format(package=package, now=after, then=before))
    if now.engine == "lanes" == then.engine:  # the same bits on every processor
        return reasons
    if not then.machine:
        reasons.append(_("The machine of then is not recorded."))
    differing = [name for name, value in then.machine.items() if now.machine.get(name) != value]
    if differing:
        pairs = ", ".join(f"{now.machine.get(name, '?')} ({then.machine[name]})" for name in differing)
        reasons.append(_("Another machine, of then in brackets: {pairs}.").format(pairs=pairs))
    if torch_threads_of(then.engine, then.threads) != torch_threads_of(now.engine, now.threads):
        sentence = _("{now} threads instead of {then}, which part sums differently.")
        reasons.append(sentence.format(now=now.threads, then=then.threads))
    return reasons


def verdict_of(
    comparison: Comparison, reasons: Sequence[str], run: StoredRun, tested: Mapping[str, float]
) -> Verdict:
    """``equal``; ``close``: rounding may differ, the first unequal loss differs by no more than that, and
    the test figures lie in the run's own intervals; else ``different``. tested: the new test figures."""
    if comparison.first is None:
        return "equal"
    begins = [comparison.first, *([comparison.first_loss] if comparison.first_loss else [])]
    if not reasons or any(each.relative is None or each.relative > ROUNDING for each in begins):
        return "different"
    known = {} if run.result is None else run.result.intervals.finite
    inside = all(m in tested and low <= tested[m] <= high for m, (low, high) in known.items())
    return "close" if inside else "different"


# ---- the document


def document_of(
    run: StoredRun,
    comparison: Comparison,
    training: TrainingLoop,
    tested: Mapping[str, float],
    trained: int,
    recorded: int,
    flags: Sequence[str] = (),
) -> VerificationDocument:
    """The document of a verification. training: the new one. tested: its test metrics. trained, recorded:
    steps. flags: those of the command that repeats it."""
    then = conditions_of(run)
    date = datetime.now(UTC).isoformat(timespec="seconds")
    here = {"versions": versions(), "machine": machine(), "date": date}
    now = then.model_copy(update=here | {"engine": training.engine, "threads": training.threads})
    reasons = rounding_reasons(then, now)
    verdict = verdict_of(comparison, reasons, run, tested)
    unmade = _(
        "Not made again: how new rows are prepared and classes are named (preparation.json), since of "
        "rows in memory only the prepared ones are kept."
    )
    unexplained = _(
        "Nothing that is known rounds differently here: the folder was changed after it was written, or the"
        " training depends on something that it does not hold."
    )
    return _document(
        run,
        then,
        flags,
        verdict=verdict,
        steps=StepsEntry(recorded=recorded, trained=trained),
        compared=comparison.compared,
        first_difference=comparison.first,
        explanations=[] if verdict == "equal" else reasons or [unexplained],
        not_compared=[unmade] if run.spec.data.kind == "memory" else [],
        now=now,
    )


def _document(
    run: StoredRun, then: ConditionsEntry, flags: Sequence[str] = (), **found: Any
) -> VerificationDocument:
    """The document. found: what the comparison found; empty for a run that can't be verified."""
    folder, where = run.folder, run.spec.data
    listed, steps = folder.manifest.files, 0 if isinstance(run, SweepNetwork) else len(run.losses)
    access = run.access  # how the reader named rows that moved, and the network's file
    words = ["treino", "verify", *shlex.split(run.typed)]
    words += [] if access.data_file is None else ["--data", str(access.data_file)]
    words += [] if access.net_file is None else ["--net", access.net_file]
    words += [*["--trust"] * access.trust, *flags]
    known: dict[str, Any] = {
        "run": run.name,
        "verdict": "unverifiable",
        "reason": None,
        "status": run.status,
        "steps": StepsEntry(recorded=steps, trained=0),
        "compared": {},
        "first_difference": None,
        "explanations": [],
        "not_compared": [],
        "manifest_sha256": folder.manifest.sha256,
        "spec_sha256": listed["spec.json"],
        "data": DataEntry(
            kind=where.kind, name=where.name, sha256=where.sha256 or where.digest or listed.get(COPY)
        ),
        "then": then,
        "now": None,
        "command": shlex.join(words),
    }
    return VerificationDocument.model_validate(known | found)


# ---- the verification of a run


def verify(
    run: StoredRun, data: Any = None, *, engine: str | None = None, tell: Tell = tell_nobody
) -> VerificationDocument:
    """Train a run, or a network of a sweep, again and return the document of what is equal.

    data: the Dataset, if the run was trained on one. engine: another kernel. tell: called with the progress.

    Raises:
        TreinoError: the run is training, or took no step; its rows are gone or changed; a network of the
            user's own that may not run; a damaged folder; another kernel for a network of a sweep.
    """
    if isinstance(run, SweepNetwork) and engine is not None:
        raise VERIFY_MEMBER(run=run.name, name=setting("engine"))
    check_verifiable(run)
    if reason := why_unverifiable(run):
        return _document(run, conditions_of(run), reason=reason)
    if isinstance(run, SweepNetwork):
        return _member_verified(run, tell)
    if engine is not None:
        registered("engine", engine, ENGINES)
    rows = training_rows(run, data, "run.verify(data)")
    spec = run.spec
    if engine is not None:  # with the number of threads that it takes here
        kernel = {"engine": engine, "threads": None}
        spec = spec.model_copy(update={"resolved": spec.resolved.model_copy(update=kernel)})
    retraining = Retraining(run, rows, spec, tell)
    resolved = retraining.spec.resolved
    with torch_threads(torch_threads_of(resolved.engine, resolved.threads or 1)):
        resolution = retraining.train()
        retraining.compare_end(resolution)
    flags = [] if engine is None else ["--engine", engine]
    steps = retraining.done, len(retraining.recorded_S)
    return document_of(run, retraining.comparison, resolution.training, retraining.tested, *steps, flags)


# ---- the verification of a network of a sweep

OF_A_ROW = ("loss", "validation_")  # the columns of the sweep's table that hold figures


def _member_verified(run: SweepNetwork, tell: Tell) -> VerificationDocument:
    """What is equal: its figures at each rung, and its kept weights. Its losses are not recorded step by
    step."""
    number, settings = run.kept.member, run.asked
    rows = MemberTable.read(run.folder).of(number, run.path)
    engine = rows[-1]["engine"]
    settings = settings.model_copy(update={"engine": engine})
    source = network_source(run.folder, run.access.net_file, run.access.trust)
    files = network_files(source, [settings.net_file])
    metric = run.spec.resolved.metric
    (population,) = populations_of({number: settings}, lambda _settings: run.data, files, metric)
    training, comparison, last = population.training, Comparison(), max(row["step"] for row in rows)
    with torch_threads(torch_threads_of(training.engine, training.threads)):
        for row in sorted(rows, key=lambda each: each["rung"]):
            while population.behind(row["step"]):
                population.advance(SECONDS, row["step"])
                tell(training.step, last)
            made = {"step": population.last_step_M, "kept_step": population.kept_step_M, **population.figures}
            recorded = {k: v for k, v in row.items() if k in ("step", "kept_step") or k.startswith(OF_A_ROW)}
            found = {name: float(value_M[0]) for name, value_M in made.items()}
            comparison.figures("validation", row["step"], recorded, found)
        comparison.tensors("weights", last, dict(run.state), whole_state(population.net(0)))
    return document_of(run, comparison, training, {}, training.step, last)
