"""A stored sweep: its table, leaderboard, best run and ensemble."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from treino.documents import read_document, read_sweep_result, read_sweep_spec
from treino.documents.sweep import SweepResult, SweepSpec
from treino.errors import TreinoError
from treino.records.registry_names import check_names
from treino.records.stored_folder import StoredFolder
from treino.records.stored_run import StoredRun
from treino.search.space import space_from_json
from treino.store import RunFolder
from treino.tuning.bracket import MEMBERS, read_rows, read_top
from treino.tuning.ensemble import chosen_ensemble, ensemble
from treino.tuning.judgement import BEST
from treino.tuning.member import config_of, member_run
from treino.words import _

if TYPE_CHECKING:
    import pandas as pd


class StoredSweep(StoredFolder):
    """Many networks trained together, as their folder holds them. Nothing is read before it is asked for."""

    @cached_property
    def spec(self) -> SweepSpec:
        """What was asked: the space, what all members share, the data."""
        spec = read_sweep_spec(self.folder)
        check_names({"metric": spec.metric})
        space_from_json(spec.space_document())
        return spec

    @property
    def document(self) -> dict[str, Any]:
        """The ``sweep`` document; of a sweep that is not over, what there is."""
        head = {"sweep": self.name, "path": str(self.path), "status": self.status}
        if not self.folder.has("result.json"):
            return head
        return dict(read_document(self.folder, "result.json")) | head

    @property
    def result(self) -> SweepResult | None:
        """The leaderboard, the best member, its judgement; None before the sweep is over."""
        return read_sweep_result(self.folder) if self.folder.has("result.json") else None

    @property
    def leaderboard(self) -> list[dict[str, Any]]:
        """The best members, by the validation figure that decides."""
        return list(self.document.get("leaderboard", []))

    @property
    def judge(self) -> dict[str, Any] | None:
        """The judgement of the best; None before the sweep is over."""
        judged = self.document.get("judge")
        return None if judged is None else dict(judged)

    @property
    def figures(self) -> dict[str, Any]:
        """Of several seeds or folds ``{split: {metric: {mean, std, min, max, values}}}``; else {}."""
        return dict(self.document.get("figures", {}))

    @property
    def frame(self) -> "pd.DataFrame":
        """A row for each member at each rung: its settings, its steps, its validation figures."""
        import pandas as pd

        if not self.folder.has(MEMBERS):
            return pd.DataFrame()
        return read_rows(self.folder, MEMBERS).to_pandas(ignore_metadata=True)

    def params(self, member: int) -> dict[str, Any]:
        """The settings in which this member differs from the others.

        Raises:
            TreinoError: there is no such member.
        """
        return config_of(self.folder, member)

    @property
    def best(self) -> StoredRun:
        """The winner, trained alone: a run like any other. Of a sweep that broke off, the best so far.

        Raises:
            TreinoError: nothing is kept yet, or every member diverged.
        """
        folder = self.folder
        if folder.status in ("finished", "stopped") and folder.within(f"{BEST}/manifest.json").is_file():
            return StoredRun(RunFolder.open(folder.within(BEST)), self.access)
        kept = read_top(folder)
        if not kept:
            raise TreinoError(
                "sweep_without_best",
                _("{sweep} is {status} and has no best network.").format(
                    sweep=folder.path.name, status=_(folder.status)
                ),
                _("Go on with it: treino resume {sweep}").format(sweep=folder.path.name)
                if folder.status == "interrupted"
                else _("Try smaller learning rates."),
            )
        return member_run(folder, kept[0].member, self.access)

    def member(self, member: int) -> StoredRun:
        """A network whose weights are kept, as a run that predicts.

        Raises:
            TreinoError: no such network, or its weights were not kept.
        """
        return member_run(self.folder, member, self.access)

    def together(self, top: int) -> StoredRun:
        """The best ``top`` networks as one run, which answers with the mean of their probabilities, or of
        their numbers.

        Raises:
            TreinoError: fewer are kept, or one of them sees its rows otherwise than the winner does.
        """
        return ensemble(self.folder, self.best, top)

    @property
    def answer(self) -> StoredRun:
        """What predicts new rows: the networks that were chosen to answer together, or the winner alone.

        Raises:
            TreinoError: nothing is kept yet, or every member diverged.
        """
        result = self.result
        if result is None or result.ensemble is None:
            return self.best
        return chosen_ensemble(self.folder, self.best, result.ensemble.members)

    def __repr__(self) -> str:
        result = self.result
        members, best = (0, None) if result is None else (result.members, result.best)
        test = (best and best.test) or {}
        figures = ", ".join(f"{k} {v:.3f}" for k, v in test.items() if v is not None)
        figures_text = f", best {best.member}: test {figures}" if best and figures else ""
        return f"{type(self).__name__}({str(self.path)!r}, {self.status}, {members} networks{figures_text})"
