"""``report``: one page about a run, several runs or a sweep."""

from collections.abc import Sequence
from pathlib import Path

from treino.errors import TreinoError
from treino.folders import Stored
from treino.plots.report.blocks import Section
from treino.plots.report.compare import compared_sections
from treino.plots.report.html import html
from treino.plots.report.markdown import markdown
from treino.plots.report.run import run_sections, subtitle
from treino.plots.report.sweep import sweep_sections, sweep_subtitle
from treino.records.stored_run import StoredRun, study_without_network
from treino.reports.run_comparison import compared
from treino.reports.run_report import run_report_of
from treino.reports.sweep_report import sweep_facts
from treino.store.output_files import OutputFile
from treino.tuning.stored_study import StoredStudy
from treino.tuning.stored_sweep import StoredSweep
from treino.words import _


def report(opened: Sequence[Stored], to: OutputFile | None = None, *, as_markdown: bool = False) -> Path:
    """Write the report and return its path; without ``to`` into the (first) run's ``exports/``.

    Raises:
        TreinoError: runs that can't stand beside each other, a run that holds too little.
    """
    title, subtitle, sections = _told(opened, pictures=not as_markdown)
    text = (markdown if as_markdown else html)(title, subtitle, sections).encode("utf-8", "backslashreplace")
    if to is not None:
        return to.write(text)
    name = "report" if len(opened) == 1 else "comparison"
    return opened[0].folder.write_bytes(f"exports/{name}.{'md' if as_markdown else 'html'}", text)


def _told(opened: Sequence[Stored], pictures: bool) -> tuple[str, str, list[Section]]:
    """Title, subtitle and sections; pictures: with what is drawn."""
    for one in opened:
        if isinstance(one, StoredStudy):
            raise study_without_network(one.folder)
        if isinstance(one, StoredRun) and one.row is not None:
            raise TreinoError(
                "report_of_member",
                _("{name} is a network of a sweep: it has no curves and no figures of its own.").format(
                    name=one.name
                ),
                _("Train it as a run first: treino train [[like={typed}]]").format(typed=one.typed),
            )
        if isinstance(one, StoredSweep) and len(opened) > 1:
            raise TreinoError(
                "report_of_sweeps",
                _("{name} is a sweep, and only runs stand side by side.").format(name=one.name),
                _("Write a report on it alone, or name its winner: {path}").format(path=one.path / "best"),
            )
    if isinstance(opened[0], StoredSweep):
        facts = sweep_facts(opened[0], drawn=pictures)
        return facts.name, sweep_subtitle(facts), sweep_sections(facts)
    runs = [one for one in opened if isinstance(one, StoredRun)]
    if len(runs) == 1:
        alone = run_report_of(runs[0], pictures=pictures)
        return alone.name, subtitle(alone), run_sections(alone)
    names = [run.name for run in runs]
    title = _("{all} and {last}").format(all=", ".join(names[:-1]), last=names[-1])
    about = _("{n} runs, each beside {first}.").format(n=len(runs), first=runs[0].name)
    return title, about, compared_sections(compared(runs, pictures=pictures))
