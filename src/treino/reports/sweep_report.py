"""The facts of a sweep for its report."""

from treino.documents.run_result import RunResult
from treino.errors import TreinoError
from treino.plots.report.blocks import Picture
from treino.plots.report.sweep import SweepFacts
from treino.reports.reproduction import sweep_as_typed
from treino.reports.run_report import called_again, check_begun
from treino.search.space_text import domain_text
from treino.tuning.populations import config_text
from treino.tuning.stored_sweep import StoredSweep
from treino.tuning.sweep_pictures import PICTURES, usual
from treino.words import N_, _

ALTS: dict[str, str] = {
    "parallel": N_("Each network as a line through its settings"),
    "importance": N_("How much each setting mattered"),
    "slices": N_("Figures over each setting"),
    "curves": N_("Where the networks' curves run"),
    "boundaries": N_("The best networks' decision boundaries"),
}


def sweep_facts(sweep: StoredSweep, *, drawn: bool = True) -> SweepFacts:
    """Everything that a report on this sweep says; what can't be shown is named with the reason.

    drawn: with its pictures.

    Raises:
        TreinoError: a sweep that ended before its members were written.
    """
    check_begun(sweep)
    result, spec, missing = sweep.result, sweep.spec, list[str]()
    pictures = []
    for name in usual(sweep) if drawn and not spec.sweep.spread and result is not None else ():
        try:
            content = PICTURES[name](sweep)
        except TreinoError as error:
            missing.append(f"{_(ALTS[name])}: {error}")
        else:
            pictures.append(Picture(f"{name}.png", content, _(ALTS[name])))
    best: RunResult | None = None
    winner = None
    versions: dict[str, str] = {}
    if result is not None and result.best is not None and result.best.run:
        try:
            winner = sweep.best
            best, versions = winner.result, winner.spec.versions
        except TreinoError as error:
            missing.append(str(error))
    more = [f"treino resume last --more {e.members}" for e in (result.extensions if result else ())]
    return SweepFacts(
        name=sweep.name,
        status=sweep.status,
        spec=spec,
        result=result,
        created=sweep.folder.created,
        written=[] if result is None else [config_text(leader.params) for leader in result.leaderboard],
        best=best,
        tried=[(name, domain_text(domain)) for name, domain in spec.space_document().items()],
        pictures=pictures,
        missing=missing,
        command="\n".join([sweep_as_typed(spec), *more]),
        call=called_again(spec, winner),
        versions=versions,
    )
