"""``report``: one page about a run, several runs or a sweep."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from treino.base.errors import Refusal, TreinoError
from treino.base.words import N_, _
from treino.folders.store.output_files import OutputFile, OutputFolder
from treino.folders.stored_run import STUDY_IS_NO_RUN, StoredRun
from treino.plots.report.blocks import Picture, Section, markdown
from treino.plots.report.compare import compared_sections
from treino.plots.report.html import html
from treino.plots.report.run import run_sections, subtitle
from treino.plots.report.sweep import SweepFacts, sweep_sections, sweep_subtitle
from treino.reports.pictures.output import MissingParts
from treino.reports.pictures.picture_files import draw, usual_of_a_run
from treino.reports.run_comparison import compared
from treino.reports.run_report import Tell, called_again, check_begun, run_report_of, silent, sweep_as_typed
from treino.reports.sweep_pictures import OF_A_STUDY, draw_study, draw_sweep, of_one, sweep_picture, usual
from treino.training.stored_results import Stored, StoredStudy, StoredSweep, run_in

REPORT_OF_MEMBER = Refusal(
    "{name} is a network of a sweep: it has no curves and no figures of its own.",
    "Train it as a run first: treino train [[like={typed}]]",
)
REPORT_OF_SWEEPS = Refusal(
    "{name} is a sweep, and only runs stand side by side.",
    "Write a report on it alone, or name its winner: {path}",
)

# ---- pictures of anything stored


def usual_pictures(opened: Sequence[Stored], overlay: bool) -> list[str]:
    """Return the pictures drawn by default. overlay: for several runs in one picture."""
    if overlay:
        return ["curves"]
    if isinstance(opened[0], StoredStudy):
        return list(OF_A_STUDY)
    return usual(opened[0]) if isinstance(opened[0], StoredSweep) else list(usual_of_a_run(run_in(opened[0])))


def draw_pictures(
    opened: Stored,
    names: Sequence[str],
    place: OutputFolder | None,
    missing: list[TreinoError],
    tell: Callable[[str], None] = lambda sentence: None,
    **choices: Any,
) -> list[Path]:
    """Draw these pictures into ``place`` (default: the folder's ``pictures/``) and return their paths.

    For a sweep, pictures of one network show its winner. missing: collects the errors of pictures that can't
    be drawn. tell, choices: as in ``treino.reports.pictures.picture_files.draw``.
    """
    if isinstance(opened, StoredStudy):
        return draw_study(opened, names, place, missing)
    paths: list[Path] = []
    if isinstance(opened, StoredSweep):
        if own := [name for name in names if not of_one(name)]:
            paths += draw_sweep(opened, own, place, missing)
        names = [name for name in names if of_one(name)]
    return paths + (draw(run_in(opened), names, place, missing, tell, **choices) if names else [])


# ---- the facts of a sweep

ALTS: dict[str, str] = {
    "parallel": N_("Each network as a line through its settings"),
    "importance": N_("How much each setting mattered"),
    "slices": N_("Figures over each setting"),
    "curves": N_("Where the networks' curves run"),
    "boundaries": N_("The best networks' decision boundaries"),
}


def sweep_facts(
    sweep: StoredSweep, errors: list[TreinoError], *, drawn: bool = True, tell: Tell = silent
) -> SweepFacts:
    """Return everything that a report says about this sweep; lists what can't be shown, with the reason.

    errors: gets the defects among the reasons. drawn: include pictures. tell: gets each picture before it is
    made.

    Raises:
        TreinoError: a sweep that ended before its members were written.
    """
    check_begun(sweep)
    result, spec, missing = sweep.result, sweep.spec, MissingParts(errors)
    pictures = []
    names = usual(sweep) if drawn and not spec.sweep.spread and result is not None else ()
    for number, name in enumerate(names, 1):
        tell(_(ALTS[name]), number, len(names))
        with missing.but(_(ALTS[name])):
            pictures.append(Picture(f"{name}.png", sweep_picture(sweep, name), _(ALTS[name])))
    winner = None
    if result is not None and result.best is not None and result.best.run:
        with missing.but(""):
            winner = sweep.best
    more = [f"treino resume last --more {e.members}" for e in (result.extensions if result else ())]
    command = "\n".join([sweep_as_typed(spec), *more])
    return SweepFacts(sweep, winner, pictures, missing.sentences, command, called_again(spec, winner))


# ---- ``report``


def report(
    opened: Sequence[Stored],
    to: OutputFile | None = None,
    *,
    as_markdown: bool = False,
    tell: Tell = silent,
    errors: list[TreinoError] | None = None,
) -> Path:
    """Write the report and return its path; default: in the (first) run's ``exports/``. tell: gets each part
    before it is made. errors: gets the defects for which parts are left out, as the report says.

    Raises:
        TreinoError: runs that can't be compared; a run that holds too little.
    """
    title, subtitle, sections = _told(opened, not as_markdown, tell, [] if errors is None else errors)
    text = (markdown if as_markdown else html)(title, subtitle, sections).encode("utf-8", "backslashreplace")
    if to is not None:
        return to.write(text)
    name = "report" if len(opened) == 1 else "comparison"
    return opened[0].folder.write_bytes(f"exports/{name}.{'md' if as_markdown else 'html'}", text)


def _told(
    opened: Sequence[Stored], pictures: bool, tell: Tell, errors: list[TreinoError]
) -> tuple[str, str, list[Section]]:
    """Return title, subtitle and sections. pictures: include what is drawn. errors: gets the defects."""
    for one in opened:
        if isinstance(one, StoredStudy):
            raise STUDY_IS_NO_RUN(name=one.folder.path.name)
        if isinstance(one, StoredRun) and one.folder.kind == "sweep":
            raise REPORT_OF_MEMBER(name=one.name, typed=one.typed)
        if isinstance(one, StoredSweep) and len(opened) > 1:
            raise REPORT_OF_SWEEPS(name=one.name, path=one.path / "best")
    if isinstance(opened[0], StoredSweep):
        facts = sweep_facts(opened[0], errors, drawn=pictures, tell=tell)
        return opened[0].name, sweep_subtitle(facts), sweep_sections(facts)
    runs = [one for one in opened if isinstance(one, StoredRun)]
    if len(runs) == 1:
        alone = run_report_of(runs[0], pictures=pictures, tell=tell, errors=errors)
        return runs[0].name, subtitle(alone), run_sections(alone)
    names = [run.name for run in runs]
    title = _("{all} and {last}").format(all=", ".join(names[:-1]), last=names[-1])
    about = _("{n} runs, each beside {first}.").format(n=len(runs), first=runs[0].name)
    return title, about, compared_sections(compared(runs, errors, pictures=pictures, tell=tell))
