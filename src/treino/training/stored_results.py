"""Opens runs, sweeps and studies by name, by path, or the newest one."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treino.base.errors import Refusal, TreinoError
from treino.base.words import _, numeral
from treino.engine import METRICS
from treino.folders.access import Access
from treino.folders.data_source import check_names
from treino.folders.documents.listing import whole_folders
from treino.folders.documents.reading import (
    read_checkpoint,
    read_document,
    read_study_result,
    read_study_spec,
    read_sweep_result,
    read_sweep_spec,
)
from treino.folders.documents.sweep import (
    NetworkRecord,
    StudyFacts,
    StudyResult,
    StudySpec,
    SweepResult,
    SweepSpec,
)
from treino.folders.store import RunFolder, find
from treino.folders.stored_folder import StoredFolder
from treino.folders.stored_run import STUDY_IS_NO_RUN, StoredRun
from treino.training.search.space import space_in
from treino.training.sweeps.bracket import MEMBERS, check_states, read_rows, read_top
from treino.training.sweeps.ensemble import ensemble
from treino.training.sweeps.judgement import BEST
from treino.training.sweeps.member import member_runs, params_of, parse_member, sweep_folder
from treino.training.sweeps.out_of_fold import OutOfFold, out_of_fold
from treino.training.sweeps.study_document import study_result

if TYPE_CHECKING:
    import pandas as pd

TOP_OF_A_RUN = Refusal("{name} is a run, a single network.", "Leave [[top]] out, or name a sweep.")
TOP_RANGE = Refusal(
    "{sweep} keeps {n} networks; {top} can't be asked.",
    "Give a number from 1 to {n}, or begin a sweep with a larger [[top]].",
)
SWEEP_WITHOUT_BEST = Refusal("{sweep} is {status} and has no best network.", "{hint}")


# ---- a stored sweep


class StoredSweep(StoredFolder):
    """Many networks trained together, read from their folder on demand."""

    @cached_property
    def spec(self) -> SweepSpec:
        """The request: the space, the settings shared by all members, the data."""
        spec = read_sweep_spec(self.folder)
        check_names({"metric": spec.metric})
        space_in(spec)
        return spec

    @property
    def document(self) -> dict[str, Any]:
        """The ``sweep`` document; before the sweep ends, what is known so far."""
        head = {"sweep": self.name, "path": str(self.path), "status": self.status}
        if not self.folder.has("result.json"):
            return head
        return dict(read_document(self.folder, "result.json")) | head

    @property
    def result(self) -> SweepResult | None:
        """The leaderboard, the best member, its judgement; None before the sweep ends."""
        return read_sweep_result(self.folder) if self.folder.has("result.json") else None

    @property
    def leaderboard(self) -> list[dict[str, Any]]:
        """The best members by the deciding validation metric."""
        return list(self.document.get("leaderboard", []))

    @property
    def judge(self) -> dict[str, Any] | None:
        """The judgement of the best member; None before the sweep ends."""
        judged = self.document.get("judge")
        return None if judged is None else dict(judged)

    @property
    def figures(self) -> dict[str, Any]:
        """``{split: {metric: {mean, std, min, max, values}}}`` over seeds or folds; else {}."""
        return dict(self.document.get("figures", {}))

    @property
    def frame(self) -> "pd.DataFrame":
        """A row for each member and rung: settings, steps, validation metrics."""
        import pandas as pd

        if not self.folder.has(MEMBERS):
            return pd.DataFrame()
        return read_rows(self.folder, MEMBERS).to_pandas(ignore_metadata=True)

    def params(self, member: int) -> dict[str, Any]:
        """The member's own settings, which override the shared ones.

        Raises:
            TreinoError: there is no such member.
        """
        return params_of(self.folder, member)

    @property
    def best(self) -> StoredRun:
        """The winner, trained alone, as a normal run; for an interrupted sweep, the best network so far.

        Raises:
            TreinoError: no weights are stored yet, or every member diverged.
        """
        folder = self.folder
        if folder.status in ("finished", "stopped") and folder.within(f"{BEST}/manifest.json").is_file():
            return StoredRun(RunFolder.open(folder.within(BEST)), self.access)
        kept = read_top(folder)
        if not kept:
            raise SWEEP_WITHOUT_BEST(
                sweep=folder.path.name,
                status=_(folder.status),
                hint=_("Go on with it: treino resume {sweep}").format(sweep=folder.path.name)
                if folder.status == "interrupted"
                else _("Try smaller learning rates."),
            )
        return self.member(kept[0].member)

    def member(self, member: int) -> StoredRun:
        """The network of this number, as a run that predicts; its weights must have been kept.

        Raises:
            TreinoError: no such network, or its weights were not kept.
        """
        return member_runs(self.folder, [member], self.access)[0]

    def out_of_fold(self) -> OutOfFold:
        """Each row's prediction by the networks of the fold that tested on it, which were not trained on it.

        Raises:
            TreinoError: no folds were trained, or not to their end.
        """
        brackets = len(read_document(self.folder, "asked.json")["brackets"])
        return out_of_fold(self.folder, brackets)

    def together(self, top: int) -> StoredRun:
        """The best ``top`` networks as one run, which predicts the mean of their probabilities or numbers.

        Raises:
            TreinoError: fewer networks are kept, or one has other prepared rows than the winner.
        """
        kept, spread = [k.member for k in read_top(self.folder)], self.spec.sweep.spread
        winner = None if spread and kept else self.best
        if not 1 <= top <= len(kept):
            raise TOP_RANGE(sweep=self.name, n=len(kept), top=top)
        if winner is None:  # folds have their own preparations
            return self._mean(kept[:top])
        return ensemble(self.folder, winner, kept[:top])

    def _mean(self, members: Sequence[int]) -> StoredRun:
        """These networks as one run."""
        members = sorted(members)
        first, *others = member_runs(self.folder, members, self.access)
        folds = [str(params_of(self.folder, m).get("fold", "")).partition("/")[0] for m in members]
        alone = len(first.by_target) == 1
        scores = self.out_of_fold().scores([int(fold) for fold in folds]) if alone and all(folds) else None
        return first.with_others(others, scores)

    @property
    def answer(self) -> StoredRun:
        """The run that predicts new rows: the chosen ensemble, or the winner alone; for seeds and folds all
        of them, with the mean of their probabilities or numbers.

        Raises:
            TreinoError: no weights are stored yet, or every member diverged.
        """
        if self.spec.sweep.spread and (kept := read_top(self.folder)):
            return self._mean([k.member for k in kept])
        result = self.result
        if result is None or result.ensemble is None:
            return self.best
        return ensemble(self.folder, self.best, result.ensemble.members)

    def __repr__(self) -> str:
        result = self.result
        members, best = (0, None) if result is None else (result.members, result.best)
        test = (best and best.test) or {}
        figures = ", ".join(f"{k} {numeral(v, '.3f')}" for k, v in test.items() if v is not None)
        figures_text = f", best {best.member}: test {figures}" if best and figures else ""
        return f"{type(self).__name__}({str(self.path)!r}, {self.status}, {members} networks{figures_text})"


# ---- a stored study


def _check_metrics(facts: StudyFacts) -> None:
    """Refuse unknown metrics."""
    for metric in (facts.metric, *facts.until):
        check_names({"metric": metric})


class StoredStudy(StoredFolder):
    """A study: settings compared and timed, read from its folder; it may still be running."""

    @cached_property
    def spec(self) -> StudySpec:
        """The request: the settings shared by all rows, the rows, the data."""
        spec = read_study_spec(self.folder)
        _check_metrics(spec.facts)
        return spec

    @property
    def result(self) -> StudyResult | None:
        """The rows and conclusions of the epochs so far; None before anything is written."""
        status = self.status
        if self.folder.manifest.sealed:
            result = read_study_result(self.folder)
            _check_metrics(result)
            here = {"study": self.name, "path": str(self.path), "status": status}  # the folder may have moved
            return result.model_copy(update=here)
        if not self.folder.has("spec.json"):
            return None
        facts, kept = read_study_spec(self.folder).facts, read_checkpoint(self.folder)
        networks = range(len(facts.rows) * len(facts.seed_list))
        records, processors = [NetworkRecord() for _network in networks], {}
        if kept is not None:
            states, processors = kept[1]["state"]["populations"], kept[1]["processors"]
            check_states(states, [[number] for number in networks], self.path)
            records = [NetworkRecord(**each["record"]) for each in states]
        return study_result(self.folder, facts, records, processors, status)

    @property
    def document(self) -> dict[str, Any]:
        """The ``study`` document: ``result`` as JSON."""
        if (result := self.result) is not None:
            return result.to_json()
        return {"study": self.name, "path": str(self.path), "status": self.status, "rows": []}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A dict for each setting and mode: seconds per epoch, epochs to the goals, curves."""
        return list(self.document["rows"])

    @property
    def answers(self) -> list[str]:
        """The conclusions: one sentence for each question."""
        result = self.result
        return [] if result is None else list(result.answers)

    @property
    def frame(self) -> "pd.DataFrame":
        """A row for each setting, mode and epoch: its loss, and the metrics measured after it."""
        import pandas as pd

        lists = "loss", "loss_std", "measured_loss", *(name for name in METRICS if name != "loss")
        lines = []
        result = self.result
        for row in () if result is None else result.rows:
            own = {n: ",".join(map(str, v)) if isinstance(v, list) else v for n, v in row.own.items()}
            plain = ("batch_size", "lr", "weight_decay", "optimizer", "shuffle", "normalise", "mode")
            head = {n: getattr(row, n) for n in plain} | own
            curves = {n: getattr(row, n) for n in lists if hasattr(row, n)}
            lines += [
                head | {"epoch": epoch + 1} | {n: of[epoch] for n, of in curves.items()}
                for epoch in range(row.epochs)
            ]
        return pd.DataFrame(lines)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r}, {self.status}, {len(self.rows)} rows)"


# ---- whatever is stored

Stored = StoredRun | StoredSweep | StoredStudy


def open_folder(
    name: str | Path = "last",
    access: Access | None = None,
    *,
    parent: str | Path = "runs",
    verify: bool = True,
) -> Stored:
    """Open the run, sweep or study with this name in ``parent``, at this path, or the newest one (``last``);
    or network 17 of a sweep (``SWEEP:17``), if its weights are kept.

    verify: compare every file with its SHA-256.

    Raises:
        TreinoError: no such folder (with the nearest name), a damaged one (with the file), a newer format.
    """
    access = access or Access()
    if (named := parse_member(name)) is not None:
        return StoredSweep(sweep_folder(named[0], parent), access).member(named[1])
    return stored(RunFolder.open(find(name, parent), verify=verify), access)


def stored(folder: RunFolder, access: Access | None = None) -> Stored:
    """The run, sweep or study in the folder, depending on its kind."""
    if folder.kind == "sweep":
        return StoredSweep(folder, access)
    return StoredStudy(folder, access) if folder.kind == "study" else StoredRun(folder, access)


def open_run(name: str | Path = "last", access: Access | None = None, *, verify: bool = True) -> StoredRun:
    """Open a run, or the winner of a sweep. See ``open_folder``.

    Raises:
        TreinoError: as ``open_folder``; a study, which keeps no network.
    """
    return run_in(open_folder(name, access, verify=verify))


def run_in(result: Stored) -> StoredRun:
    """A run itself, or a sweep's winner.

    Raises:
        TreinoError: a study, which keeps no network; a sweep without a winner.
    """
    if isinstance(result, StoredStudy):
        raise STUDY_IS_NO_RUN(name=result.folder.path.name)
    return result.best if isinstance(result, StoredSweep) else result


def predicting(name: str | Path, access: Access, top: int | None = None) -> StoredRun:
    """The run that predicts new rows: for a sweep its winner, its ensemble if any, or the best ``top``
    together.

    Raises:
        TreinoError: ``top`` for a folder that isn't a sweep, or above the number of kept networks; else as
            ``open_run``.
    """
    result = open_folder(name, access)
    if top is None:
        return result.answer if isinstance(result, StoredSweep) else run_in(result)
    if not isinstance(result, StoredSweep):
        raise TOP_OF_A_RUN(name=result.name)
    return result.together(top)


def open_all(parent: str | Path = "runs") -> list[Stored]:
    """Open all runs, sweeps and studies in ``parent``, the newest first, without damaged ones."""
    results: list[Stored] = []
    for path in whole_folders(parent):
        with suppress(TreinoError):
            results.append(stored(RunFolder.open(path)))
    return results
