"""The verification of a run: it is trained again, compared, and a verdict given with what may explain it.

All of it is trained again from the seeds; or, as a sample, stretches that are drawn by chance.
"""

import math
import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from treino.base.errors import Refusal, TreinoError
from treino.base.words import N_, _
from treino.engine import TrainingLoop
from treino.engine.devices import torch_threads
from treino.engine.hyperparameters import known
from treino.engine.kernels.selection import ENGINES, torch_threads_of
from treino.folders.data_source import COPY
from treino.folders.documents.run_spec import RunSpec
from treino.folders.store.new_names import ended_before_it_began
from treino.folders.stored_folder import machine, versions
from treino.folders.stored_run import StoredRun
from treino.training.comparison import Comparison
from treino.training.replay import training_rows
from treino.training.retraining import Retraining, Stretch, Tell, tell_nobody

VERIFY_RUNNING = Refusal(
    "verify_running",
    N_("{run} is training: there is no end to compare with."),
    N_("Wait until it is over, or stop it with Ctrl-C where it runs."),
)
SEED_OF_SAMPLE = Refusal(
    "seed_of_sample",
    N_("[[seed]] draws the stretches of a sample, and all of {run} is verified."),
    N_("Add [[sample=True]], or leave it out."),
)
SAMPLE_OF_ONE = Refusal(
    "sample_of_one",
    N_("{run} keeps no states on its way, from which stretches could set out."),
    N_("Verify all of it, or train with [[every=100]] to keep some."),
)

# ---- a sample of a run's stretches

SAMPLE = 0.1  # the share of the steps that a sample trains again, at least
SURE = 0.95


@dataclass(frozen=True)
class StretchSample:
    """Stretches drawn by chance. seed: of the choice. chosen: those drawn, in the run's order, out of all."""

    seed: int
    chosen: Sequence[Stretch]
    all: Sequence[Stretch]

    @classmethod
    def draw(cls, stretches: Sequence[Stretch], seed: int | None) -> "StretchSample":
        """Draw stretches until they hold a tenth of the steps. seed: None: one that nobody can foresee."""
        seed = secrets.randbelow(2**31) if seed is None else seed
        places = list(range(len(stretches)))
        Random(seed).shuffle(places)
        left, chosen = SAMPLE * sum(s.steps for s in stretches), list[int]()
        for place in places:
            if left <= 0:
                break
            chosen.append(place)
            left -= stretches[place].steps
        return cls(seed, [stretches[place] for place in sorted(chosen)], stretches)

    def chance_seen(self, false: int) -> float:
        """The chance that at least one of so many false stretches is among those drawn."""
        every, drawn_ = len(self.all), len(self.chosen)
        if false > every - drawn_:
            return 1.0
        return 1.0 - math.comb(every - false, drawn_) / math.comb(every, drawn_)

    @property
    def surely_seen(self) -> int:
        """The least number of false stretches that would have been seen with a chance of SURE or more."""
        return next(n for n in range(1, len(self.all) + 1) if self.chance_seen(n) >= SURE)

    def to_json(self) -> dict[str, Any]:
        every = len(self.all)
        return {
            "seed": self.seed,
            "stretches": len(self.chosen),
            "of": every,
            "chance_seen": {"one": self.chance_seen(1), "tenth": self.chance_seen(-(-every // 10))},
            "surely_seen": self.surely_seen / every,
        }


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
        TreinoError: as said.
    """
    if run.status == "running":
        raise VERIFY_RUNNING(run=run.name)
    if not run.folder.has("spec.json"):
        raise ended_before_it_began(run.path)
    if run.row is None and not len(run.losses):
        raise TreinoError(
            "verify_nothing",
            _("{run} took no step: there is nothing to verify.").format(run=run.name),
            _("Go on with it: treino resume {run}").format(run=run.typed),
        )


# ---- the verdict

ROUNDING = 1e-4  # relative: the first loss that differs by rounding alone is nearer than this


@dataclass(frozen=True)
class Conditions:
    """Under what a training was made. machine: {} if it was not recorded. date: UTC, ISO 8601."""

    versions: Mapping[str, str]
    machine: Mapping[str, str]
    engine: str
    threads: int
    device: str
    date: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def conditions_of(run: StoredRun) -> Conditions:
    """Under what the run was trained, as its folder tells."""
    spec = run.spec
    s = spec.resolved
    return Conditions(spec.versions, spec.machine, s.engine, s.threads, str(s.device), run.folder.created)


def rounding_reasons(then: Conditions, now: Conditions) -> list[str]:
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
) -> str:
    """``equal``; ``close``: another rounding is possible, the first loss that differs does so by no more, and
    the test figures lie in the run's own intervals; else ``different``. tested: the new test figures."""
    if comparison.first is None:
        return "equal"
    begins = [comparison.first, *([comparison.first_loss] if comparison.first_loss else [])]
    if not reasons or any(each.relative is None or each.relative > ROUNDING for each in begins):
        return "different"
    known = {} if run.result is None else run.result.intervals.known
    inside = all(m in tested and low <= tested[m] <= high for m, (low, high) in known.items())
    return "close" if inside else "different"


# ---- the document


def document_of(
    run: StoredRun,
    comparison: Comparison,
    training: TrainingLoop,
    tested: Mapping[str, float],
    steps: tuple[int, int],
    flags: Sequence[str],
    sample: StretchSample | None = None,
) -> dict[str, Any]:
    """The document of a verification. training: the new one. tested: its test figures. steps: recorded, and
    trained again. flags: of the command that repeats it."""
    then = conditions_of(run)
    now = Conditions(
        versions(), machine(), training.engine, training.threads, str(run.spec.resolved.device), _now()
    )
    reasons = rounding_reasons(then, now)
    verdict = verdict_of(comparison, reasons, run, tested)
    return _head(run, then, flags) | {
        "verdict": verdict,
        "mode": "all" if sample is None else "sample",
        "steps": {"recorded": steps[0], "trained": steps[1]},
        "compared": comparison.to_json(),
        "first_difference": None if comparison.first is None else comparison.first.to_json(),
        "explanations": [] if verdict == "equal" else reasons or [_nothing_explains()],
        "not_compared": not_compared(run),
        "sample": None if sample is None else sample.to_json(),
        "now": now.to_json(),
    }


def unverifiable(run: StoredRun, reason: str) -> dict[str, Any]:
    """The document of a run that nobody can train again to the same numbers, with the reason."""
    return _head(run, conditions_of(run), ()) | {"reason": reason}


def _access_flags(run: StoredRun) -> list[str]:
    """How the reader named rows that moved, and the network's file."""
    access = run.access
    flags = [] if access.data_file is None else ["--data", str(access.data_file)]
    flags += [] if access.net_file is None else ["--net", access.net_file]
    return flags + ["--trust"] * access.trust


def _head(run: StoredRun, then: Conditions, flags: Sequence[str]) -> dict[str, Any]:
    """What is known before anything is compared."""
    folder, where = run.folder, run.spec.data
    listed, steps = folder.manifest.files, 0 if run.row is not None else len(run.losses)
    return {
        "run": run.name,
        "verdict": "unverifiable",
        "reason": None,
        "status": run.status,
        "mode": "all",
        "steps": {"recorded": steps, "trained": 0},
        "compared": {},
        "first_difference": None,
        "explanations": [],
        "not_compared": [],
        "sample": None,
        "manifest_sha256": folder.manifest.sha256,
        "spec_sha256": listed["spec.json"],
        "data": {
            "kind": where.kind,
            "name": where.name,
            "sha256": where.sha256 or where.digest or listed.get(COPY),
        },
        "then": then.to_json(),
        "now": None,
        "command": shlex.join(["treino", "verify", *shlex.split(run.typed), *_access_flags(run), *flags]),
    }


def _nothing_explains() -> str:
    return _(
        "Nothing that is known rounds differently here: the folder was changed after it was written, or the"
        " training depends on something that it does not hold."
    )


def not_compared(run: StoredRun) -> list[str]:
    """Sentences on what predictions depend on and can't be made again."""
    if run.spec.data.kind != "memory":
        return []
    return [
        _(
            "Not made again: how new rows are prepared and classes are named (preparation.json), since of "
            "rows in memory only the prepared ones are kept."
        )
    ]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


# ---- the verification of a run


def verify(
    run: StoredRun,
    data: Any = None,
    *,
    sample: bool = False,
    seed: int | None = None,
    engine: str | None = None,
    tell: Tell = tell_nobody,
) -> dict[str, Any]:
    """Train a run again and return the document of what is equal; see ``VerificationDocument``.

    data: the Dataset, if the run was trained on one. sample: train only stretches that are drawn by chance.
    seed: of this choice; None: one that nobody can foresee. engine: another kernel. tell: told the progress.

    Raises:
        TreinoError: the run is training, or took no step; its rows are gone or changed; a network of the
            user's own that may not run; a damaged folder.
    """
    check_verifiable(run)
    if reason := why_unverifiable(run):
        return unverifiable(run, reason)
    if engine is not None:
        known("engine", engine, ENGINES)
    if seed is not None and not sample:
        raise SEED_OF_SAMPLE(run=run.name)
    rows = training_rows(run, data, "run.verify(data)")
    retraining = Retraining(run, rows, _with_engine(run.spec, engine), tell)
    chosen = StretchSample.draw(stretches_to_draw(run, retraining), seed) if sample else None
    resolved = retraining.spec.resolved
    with torch_threads(torch_threads_of(resolved.engine, resolved.threads or 1)):
        resolution = retraining.all() if chosen is None else retraining.some(chosen.chosen)
        retraining.compare_end(resolution)
    flags = [] if engine is None else ["--engine", engine]
    flags += [] if chosen is None else ["--sample", "--seed", str(chosen.seed)]
    steps = len(retraining.recorded_S), retraining.done
    return document_of(
        run, retraining.comparison, resolution.training, retraining.tested, steps, flags, chosen
    )


def _with_engine(spec: RunSpec, engine: str | None) -> RunSpec:
    """The spec with another kernel, and as many threads as that takes here."""
    if engine is None:
        return spec
    return spec.model_copy(
        update={"resolved": spec.resolved.model_copy(update={"engine": engine, "threads": None})}
    )


def stretches_to_draw(run: StoredRun, retraining: Retraining) -> list[Stretch]:
    """The stretches between the run's recorded states.

    Raises:
        TreinoError: it keeps no states on its way.
    """
    stretches = retraining.stretches
    if len(stretches) < 2:
        raise SAMPLE_OF_ONE(run=run.name)
    return stretches
