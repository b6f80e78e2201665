"""``treino report``: one page about a run, about several beside each other, or about a sweep."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from treino.errors import TreinoError
from treino.plots.report.html import html
from treino.plots.report.markdown import markdown
from treino.plots.report.run import run_sections, subtitle
from treino.store.files import write_atomically
from treino.words import _
from treino.workflows.reporting.gather import run_facts
from treino.workflows.run import Run

if TYPE_CHECKING:
    from treino.workflows.sweep.sweep import Sweep


def report(opened: Sequence["Run | Sweep"], to: Path | None = None, *, as_markdown: bool = False) -> Path:
    """Write the report and return its path; without ``to`` into the (first) run's ``exports/``.

    Raises:
        TreinoError: runs that can't stand beside each other, a run that holds too little, a place where
            nothing can be written.
    """
    if to is not None:
        check_place(to)
    run = opened[0]
    assert isinstance(run, Run)
    facts = run_facts(run)
    title, said, sections = run.name, subtitle(facts), run_sections(facts)
    text = (markdown if as_markdown else html)(title, said, sections)
    if to is not None:
        write_atomically(to, text.encode())
        return to
    return run.folder.write_bytes(f"exports/report.{'md' if as_markdown else 'html'}", text.encode())


def check_place(to: Path) -> None:
    """Refuse a place where no file can go, before the work is done."""
    if to.is_dir() or not to.absolute().parent.is_dir():
        raise TreinoError(
            "to_place",
            _("Can't write a report to {path}.").format(path=to),
            _("Give a file in a folder that exists, e.g. --to report.html."),
        )
