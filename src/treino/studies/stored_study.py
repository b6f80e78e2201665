"""``Study``: a finished study, with its rows as a list, a frame and a document."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from treino.documents import read_document
from treino.engine import METRICS, MLP
from treino.errors import TreinoError
from treino.loop.loop import JobEvent
from treino.loop.loop import drain as drained
from treino.records.network_source import UserFiles
from treino.records.registry_names import check_names
from treino.records.run import Run
from treino.store import RunFolder, find
from treino.studies.study import document_of, study_events, study_resumption, track_states
from treino.studies.study_options import StudyOptions
from treino.studies.track import Record
from treino.tuning.member import parted
from treino.tuning.stored_sweep import Sweep
from treino.tuning.stored_sweep import open_any as open_run_or_sweep
from treino.words import _

if TYPE_CHECKING:
    import pandas as pd


def _check_metrics(facts: Mapping[str, Any]) -> None:
    """Refuse a figure that there is none of."""
    for metric in (facts["metric"], *facts["until"]):
        check_names({"metric": metric})


class Study:
    """Settings compared and timed, as a folder holds them; also during training."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def name(self) -> str:
        return self.folder.path.name

    @property
    def status(self) -> str:
        """running, finished, interrupted, or diverged where every network did."""
        return self.folder.status

    @cached_property
    def spec(self) -> dict[str, Any]:
        """What was asked: what all rows share, the rows, the data."""
        found = dict(read_document(self.folder, "spec.json"))
        _check_metrics(found["facts"])
        return found

    @property
    def document(self) -> dict[str, Any]:
        """The ``study`` document; of a study that is not over, with the epochs that there are."""
        status = self.status
        head = {"study": self.name, "path": str(self.path), "status": status}
        if self.folder.manifest.sealed:
            result = dict(read_document(self.folder, "result.json"))
            _check_metrics(result)
            return result | head
        if not self.folder.has("spec.json"):
            return head | {"rows": []}
        asked = StudyOptions.from_json(self.spec["study"])
        states = track_states(self.folder, asked)[1]
        records = [Record() if state is None else Record(**state["record"]) for state in states]
        return document_of(self.folder, asked, self.spec["facts"], records, status)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One for each setting and mode: seconds per epoch, epochs to the figure, curves."""
        return list(self.document["rows"])

    @property
    def answers(self) -> list[str]:
        """The conclusions: one sentence for each question."""
        return list(self.document.get("answers", []))

    @property
    def frame(self) -> "pd.DataFrame":
        """A row for each setting, mode and epoch: its loss, and the figures measured after it."""
        import pandas as pd

        lists = "loss", "loss_std", "measured_loss", *(name for name in METRICS if name != "loss")
        found = []
        for row in self.rows:
            own = {n: ",".join(map(str, v)) if isinstance(v, list) else v for n, v in row["own"].items()}
            plain = ("batch_size", "lr", "weight_decay", "optimizer", "shuffle", "normalise", "mode")
            head = {n: row[n] for n in plain} | own
            curves = {n: row[n] for n in lists if n in row}
            found += [
                head | {"epoch": epoch + 1} | {n: of[epoch] for n, of in curves.items()}
                for epoch in range(row["epochs"])
            ]
        return pd.DataFrame(found)

    def resume(self, *, net: str | None = None, trust: bool = False) -> "Study":
        """Go on with a study that broke off, and return it when it is over.

        net, trust: where it trains networks of your own: your file in the place of theirs, or the copies that
        were sealed with the study.

        Raises:
            TreinoError: there is nothing to resume; its data is gone or changed.
        """
        return drain(study_resumption(self.path, net=net, trust=trust))

    def __repr__(self) -> str:
        return f"Study({str(self.path)!r}, {self.status}, {len(self.rows)} rows)"

    def _repr_html_(self) -> str:
        from treino.plots.study_card import study_card
        from treino.studies.row_table import table_of

        d = self.document
        headings, lines = table_of(d) if d["rows"] else ([], [])
        said = [*d.get("answers", []), *d.get("notes", [])]
        return study_card(f"{self.name} · {_(d['status'])}", headings, lines, said, d["path"])


def study(
    data: Any,
    net: MLP | str | None = None,
    *,
    batch_sizes: Sequence[int | str] | None = None,
    until: Any = None,
    cells: Sequence[Any] = (),
    compare: Sequence[str] | str = (),
    seeds: int | None = None,
    parent: str | Path = "runs",
    name: str | None = None,
    out: str | Path | None = None,
    **settings: Any,
) -> Study:
    """Train several settings in turns, epoch by epoch, and compare what they take and where they get.

    batch_sizes: as ``[100, 20, 5]``. until: figures to be reached, as ``"loss=1.6"`` (of the training rows,
    as the loop prints it), ``"accuracy=0.9"`` (of the validation rows) or ``{"loss": 1.6, "accuracy": 0.9}``;
    nothing ends there, the epochs to it are counted. cells: single rows, as
    ``{"batch_size": 5, "lr": 1e-6}``. compare: settings to set to all of their values, as ``"normalise"``.
    ``optimizer`` and ``shuffle`` may be several. seeds: networks of each row, with seeds from ``seed`` on.
    ``as_taught=True``: every row once more with both faults of the beginners' loop; ``fault=``: with one.
    settings: what all rows share, as for ``fit``.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when everything is saved.
    """
    if isinstance(net, nn.Module):
        raise TreinoError(
            "study_module",
            _("A study makes its network anew for every row."),
            _("Give mlp(64, 32), or net='FILE.py:NAME'."),
        )
    if isinstance(net, MLP):
        settings |= {n: getattr(net, n) for n in ("hidden", "activation", "dropout", "batch_norm")}
    elif net is not None:
        settings["net"] = net
    return drain(
        study_events(
            data,
            settings=settings,
            batch_sizes=batch_sizes,
            until=until,
            cells=cells,
            compare=compare,
            seeds=seeds,
            networks=UserFiles(),
            parent=parent,
            name=name,
            out=out,
        )
    )


def open_any(name: str | Path = "last", *, parent: str | Path = "runs", **asked: Any) -> Run | Sweep | Study:
    """The run, sweep or study of that name in ``parent``, or in that folder, or the newest one (``last``).

    asked: ``net``, ``trust``, ``data``, ``verify`` of a run; see ``treino.records.run.open_run``.
    """
    if parted(name) is None:
        path = find(name, parent)
        if RunFolder.open(path, verify=False).kind == "study":
            return Study(RunFolder.open(path, verify=asked.get("verify", True)))
    return open_run_or_sweep(name, parent=parent, **asked)


def drain(stream: Iterator[JobEvent]) -> Study:
    """Run the events of a study to their end and return the Study.

    Raises:
        KeyboardInterrupt: after a Ctrl-C, when everything is saved.
    """
    return Study(RunFolder.open(drained(stream).job.folder.path))
