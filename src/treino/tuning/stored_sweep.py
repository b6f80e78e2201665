"""``Sweep``: a finished sweep, with its table, leaderboard, best run and ensemble."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from treino.documents import read_document, read_tensors
from treino.errors import TreinoError
from treino.loop.loop import JobEvent
from treino.loop.loop import drain as drained
from treino.records.network_source import UserFiles
from treino.records.registry_names import check_names
from treino.records.run import Run
from treino.search.space import space_from_json
from treino.store import RunFolder, find
from treino.tuning import member_table, top_members
from treino.tuning.ensemble import ensemble
from treino.tuning.judgement import BEST
from treino.tuning.member import config_of, member_run, parted
from treino.tuning.populations import config_text
from treino.tuning.sweep import sweep_events, sweep_resumption
from treino.words import _

if TYPE_CHECKING:
    import pandas as pd


class Sweep:
    """Many networks trained together, as their folder holds them; everything is read on first use.

    net, trust, data_file: of its runs; see ``treino.records.run.open_run``.
    """

    def __init__(
        self,
        folder: RunFolder,
        *,
        net: nn.Module | str | None = None,
        trust: bool = False,
        data_file: str | Path | None = None,
    ) -> None:
        self.folder = folder
        self._run_arguments: dict[str, Any] = {"net": net, "trust": trust, "data_file": data_file}

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def name(self) -> str:
        return self.folder.path.name

    @property
    def status(self) -> str:
        """running, finished, stopped (time was over), interrupted, or diverged where all did."""
        return self.folder.status

    @cached_property
    def spec(self) -> dict[str, Any]:
        """What was asked: the space, what all members share, the data."""
        found = dict(read_document(self.folder, "spec.json"))
        check_names({"metric": found["metric"]})
        space_from_json(found["space"])
        return found

    @property
    def document(self) -> dict[str, Any]:
        """The ``sweep`` document; of a sweep that is not over, what there is."""
        head = {"sweep": self.name, "path": str(self.path), "status": self.status}
        if not self.folder.has("result.json"):
            return head
        return dict(read_document(self.folder, "result.json")) | head

    @property
    def leaderboard(self) -> list[dict[str, Any]]:
        """The best members, by the validation figure that decides."""
        return list(self.document.get("leaderboard", []))

    @property
    def judge(self) -> dict[str, Any] | None:
        """The judgement of the best; None before the sweep is over."""
        found = self.document.get("judge")
        return None if found is None else dict(found)

    @property
    def figures(self) -> dict[str, Any]:
        """Of several seeds or folds ``{split: {metric: {mean, std, min, max, values}}}``; else {}."""
        return dict(self.document.get("figures", {}))

    @property
    def frame(self) -> "pd.DataFrame":
        """A row for each member at each rung: its settings, its steps, its validation figures."""
        import pandas as pd

        if not self.folder.has(member_table.NAME):
            return pd.DataFrame()
        return member_table.read_rows(self.folder, member_table.NAME).to_pandas(ignore_metadata=True)

    def params(self, member: int) -> dict[str, Any]:
        """The settings in which this member differs from the others.

        Raises:
            TreinoError: there is no such member.
        """
        return config_of(self.folder, member)

    @property
    def best(self) -> Run:
        """The winner, trained alone: a run like any other. Of a sweep that broke off, the best so far.

        Raises:
            TreinoError: nothing is kept yet, or every member diverged.
        """
        return best_of(self.folder, **self._run_arguments)

    def member(self, member: int) -> Run:
        """A network whose weights are kept, as a run that predicts.

        Raises:
            TreinoError: no such network, or its weights were not kept.
        """
        return member_run(self.folder, member, **self._run_arguments)

    def predict(self, source: Any, top: int = 1) -> Any:
        """Predictions for new rows: of the winner, or of the best ``top`` networks together.

        Together they answer with the mean of their probabilities, or of their numbers. A frame gives a frame.

        Raises:
            TreinoError: rows that can't be prepared; more networks than were kept.
        """
        return (self.best if top == 1 else ensemble(self, top)).predict(source)

    def resume(self, *, storage: str | None = None) -> "Sweep":
        """Go on with a sweep that broke off, and return it when it is over.

        storage: Optuna's, where it has one.

        Raises:
            TreinoError: there is nothing to resume; its data is gone or changed.
        """
        return drain(sweep_resumption(self.path, storage=storage, **self._run_arguments))

    def _repr_html_(self) -> str:
        """A card for notebooks: what the best is worth, and the leaders."""
        from treino.plots.card import sweep_card

        d = self.document
        return sweep_card(self.name, d, [config_text(entry["params"]) for entry in d.get("leaderboard", [])])

    def __repr__(self) -> str:
        d = self.document
        best = d.get("best") or {}
        figures = ", ".join(f"{k} {v:.3f}" for k, v in (best.get("test") or {}).items() if v is not None)
        said = f", best {best['member']}: test {figures}" if figures else ""
        return f"Sweep({str(self.path)!r}, {d['status']}, {d.get('members', 0)} networks{said})"


def best_of(folder: RunFolder, **asked: Any) -> Run:
    """The winner's run; the best network so far where there is none. asked: net, trust, data_file."""
    if folder.status in ("finished", "stopped") and folder.within(f"{BEST}/manifest.json").is_file():
        return Run(RunFolder.open(folder.within(BEST)), **asked)
    kept = read_tensors(folder, top_members.MODELS)[1]["order"] if folder.has(top_members.MODELS) else []
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
    return member_run(folder, kept[0], **asked)


def sweep(
    data: Any,
    space: Mapping[str, Any] | Sequence[str],
    *,
    members: int | None = None,
    strategy: str | None = None,
    eta: int | None = None,
    sampler: str | None = None,
    sampler_seed: int | None = None,
    max_time: float | None = None,
    until: tuple[str, float] | str | None = None,
    top: int | None = None,
    fresh: int | None = None,
    storage: str | None = None,
    parent: str | Path = "runs",
    name: str | None = None,
    out: str | Path | None = None,
    watch: Callable[[JobEvent], None] | None = None,
    **settings: Any,
) -> Sweep:
    """Train many networks on ``data`` as one program, keep the best, and judge it.

    space: what is tried, as ``{"lr": "1e-4..1e-1:log", "hidden": [(16,), (64, 32)]}``, or in the command
    line's words, one or a list of them: ``"lr=1e-4..1e-1:log"``. members: how many (256). strategy: none,
    halving (default) or hyperband; ``eta``: one in so many goes on. sampler: grid, random, sobol (default) or
    tpe (Optuna's, with its ``storage``). max_time: seconds. until: enough, as ``("accuracy", 0.95)``. top:
    how many are kept (10). fresh: fresh seeds for the judge (16; 0 for none). watch: a function that is told
    each event; ``treino.sweep`` takes ``True`` too: a table that updates in place in a notebook, figures that
    move in a terminal. settings: what all members share, as for ``fit``.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when everything is saved.
    """
    return drain(
        sweep_events(
            data,
            space,
            parent=parent,
            name=name,
            out=out,
            settings=settings,
            networks=UserFiles(),
            members=members,
            strategy=strategy,
            eta=eta,
            sampler=sampler,
            sampler_seed=sampler_seed,
            max_time=max_time,
            until=until,
            top=top,
            fresh=fresh,
            storage=storage,
        ),
        watch,
    )


def drain(stream: Iterator[JobEvent], watch: Callable[[JobEvent], None] | None = None) -> Sweep:
    """Run the events of a sweep to their end and return the Sweep.

    Raises:
        KeyboardInterrupt: after a Ctrl-C, when everything is saved.
    """
    return Sweep(RunFolder.open(drained(stream, watch).job.folder.path))


def together(name: str | Path, top: int) -> Run:
    """The best ``top`` networks of a sweep as one run that predicts.

    Raises:
        TreinoError: it is no sweep, or keeps fewer.
    """
    found = open_any(name)
    if not isinstance(found, Sweep):
        raise TreinoError(
            "top_of_a_run",
            _("{name} is a run, a single network.").format(name=found.name),
            _("Leave [[top]] out, or name a sweep."),
        )
    return ensemble(found, top)


def open_any(name: str | Path = "last", *, parent: str | Path = "runs", **asked: Any) -> "Run | Sweep":
    """The run or the sweep of that name in ``parent``, or in that folder, or the newest one (``last``).

    asked: ``net``, ``trust``, ``data``, ``verify`` of a run; see ``treino.records.run.open_run``.
    """
    from treino.records.run import open_run

    if parted(name) is not None:
        return open_run(name, parent=parent, **asked)
    path = find(name, parent)
    if RunFolder.open(path, verify=False).kind == "sweep":
        verify, data_file = asked.pop("verify", True), asked.pop("data", None)
        return Sweep(RunFolder.open(path, verify=verify), data_file=data_file, **asked)
    return open_run(path, **asked)
