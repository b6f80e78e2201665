"""A stored study: its rows, as a list, a frame and a document."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from treino.documents import read_study_result, read_study_spec
from treino.documents.study import StudyFacts, StudyResult, StudySpec
from treino.engine import METRICS
from treino.records.registry_names import check_names
from treino.records.stored_folder import StoredFolder
from treino.tuning.study import track_states
from treino.tuning.study_document import study_result
from treino.tuning.study_options import StudyOptions
from treino.tuning.track import Record

if TYPE_CHECKING:
    import pandas as pd


def _check_metrics(facts: StudyFacts) -> None:
    """Refuse figures that there are none of."""
    for metric in (facts.metric, *facts.until):
        check_names({"metric": metric})


class StoredStudy(StoredFolder):
    """Settings compared and timed, as their folder holds them; also while they are trained."""

    @cached_property
    def spec(self) -> StudySpec:
        """What was asked: what all rows share, the rows, the data."""
        spec = read_study_spec(self.folder)
        _check_metrics(spec.facts)
        return spec

    @property
    def result(self) -> StudyResult | None:
        """The rows and conclusions, with the epochs that there are; None before anything is written."""
        status = self.status
        if self.folder.manifest.sealed:
            result = read_study_result(self.folder)
            _check_metrics(result)
            here = {"study": self.name, "path": str(self.path), "status": status}  # the folder may have moved
            return result.model_copy(update=here)
        if not self.folder.has("spec.json"):
            return None
        spec = read_study_spec(self.folder)
        options = StudyOptions.of_entry(spec.study)
        states = track_states(self.folder, options)[1]
        records = [Record() if state is None else Record(**state["record"]) for state in states]
        return study_result(self.folder, options, spec.facts, records, status)

    @property
    def document(self) -> dict[str, Any]:
        """The ``study`` document: ``result`` as JSON has it."""
        if (result := self.result) is not None:
            return result.to_json()
        return {"study": self.name, "path": str(self.path), "status": self.status, "rows": []}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One for each setting and mode: seconds per epoch, epochs to the figure, curves."""
        return list(self.document["rows"])

    @property
    def answers(self) -> list[str]:
        """The conclusions: one sentence for each question."""
        result = self.result
        return [] if result is None else list(result.answers)

    @property
    def frame(self) -> "pd.DataFrame":
        """A row for each setting, mode and epoch: its loss, and the figures measured after it."""
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
