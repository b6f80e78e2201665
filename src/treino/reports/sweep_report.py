"""The facts of a sweep for its report."""

from typing import Any

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
    d, spec, missing = sweep.document, sweep.spec, list[str]()
    spread = bool(spec.sweep.spread)
    pictures = []
    for name in usual(sweep) if drawn and not spread and "leaderboard" in d else ():
        try:
            content = PICTURES[name](sweep)
        except TreinoError as error:
            missing.append(f"{_(ALTS[name])}: {error}")
        else:
            pictures.append(Picture(f"{name}.png", content, _(ALTS[name])))
    best: dict[str, Any] | None = None
    winner = None
    versions: dict[str, str] = {}
    if (d.get("best") or {}).get("run"):
        try:
            winner = sweep.best
            best, versions = winner.document, winner.spec.versions
        except TreinoError as error:
            missing.append(str(error))
    return SweepFacts(
        name=sweep.name,
        document=d,
        spec=spec,
        created=sweep.folder.created,
        written=[config_text(entry["params"]) for entry in d.get("leaderboard") or []],
        best=best,
        tried=[(name, domain_text(domain)) for name, domain in spec.space_document().items()],
        pictures=pictures,
        missing=missing,
        command=sweep_as_typed(spec),
        call=called_again(spec, winner),
        versions=versions,
    )
