"""The facts of one run for its report: what its folder says, and what is seen when its network is asked."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from treino.errors import TreinoError
from treino.inspection.confusion import confusion
from treino.inspection.views import Split
from treino.plots.report.blocks import Block, Picture
from treino.plots.report.charts import confusion_blocks
from treino.plots.report.run import RunFacts
from treino.words import _
from treino.workflows.drawing.curves import curves_of
from treino.workflows.pictures import PICTURES

if TYPE_CHECKING:
    from treino.workflows.run import Run

MOST_CLASSES = 20  # in a confusion matrix that is readable on a page


def run_facts(run: "Run") -> RunFacts:
    """Everything that a report on this run says.

    What can't be shown, such as a boundary where the data's file has moved, is named with the reason.

    Raises:
        TreinoError: a run that ended before its settings were written.
    """
    if not run.folder.has("spec.json"):
        raise TreinoError(
            "nothing_to_report",
            _("{run} ended before its settings were written.").format(run=run.name),
            _("Delete the folder and train again."),
        )
    missing: list[str] = []
    pictures: dict[str, Sequence[Block]] = {}
    for title, make in SHOWN.items():
        with _or_why(title(), missing):
            if blocks := make(run):
                pictures[title()] = blocks
    return RunFacts(
        name=run.name,
        document=run.document,
        spec=run.spec,
        created=run.folder.created,
        curves=curves_of(run),
        preparation=run.preparation,
        pictures=pictures,
        missing=missing,
        resume=f"treino resume {run.typed}" if run.status in ("interrupted", "stopped") else "",
        sha256=run.folder.manifest.files.get("model.safetensors", ""),
    )


@contextmanager
def _or_why(title: str, missing: list[str]) -> Iterator[None]:
    """What can't be shown doesn't take the rest with it: it is named, with the reason."""
    try:
        yield
    except TreinoError as error:
        missing.append(f"{title}: {error}")


def _confusion(run: "Run") -> Sequence[Block]:
    if not run.data.classes:
        return ()
    if len(run.data.classes) > MOST_CLASSES:
        raise TreinoError(
            "classes_many",
            _("{n} classes are too many for a table on a page.").format(n=len(run.data.classes)),
            _("See: treino plot {run} --what confusion").format(run=run.typed),
        )
    return confusion_blocks(confusion(run.module, run.data, splits=_splits(run), item_shape=run.item_shape))


def _splits(run: "Run") -> tuple[Split, ...]:
    """Test rows are not looked at before a run is over."""
    over = run.status in ("finished", "diverged")
    return ("train", "validation", "test") if over else ("train", "validation")


def _boundary(run: "Run") -> Sequence[Block]:
    return [
        Picture(
            name,
            content,
            _("What the network says over its inputs, with the rows on it"),
        )
        for name, content in PICTURES["boundary"](run)
    ]


SHOWN: dict[Callable[[], str], Callable[["Run"], Sequence[Block]]] = {
    lambda: _("Boundary"): _boundary,
    lambda: _("Confusion"): _confusion,
}
"""The sections of a report that are seen by asking the network."""
