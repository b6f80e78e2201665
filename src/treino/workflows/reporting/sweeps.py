"""The facts of a sweep for its report."""

from typing import TYPE_CHECKING, Any

from treino.errors import TreinoError
from treino.plots.report.blocks import Picture
from treino.plots.report.sweep import SweepFacts
from treino.search.space import domain_written
from treino.words import N_, _
from treino.workflows.command import sweep_as_typed
from treino.workflows.sweep.pictures import PICTURES, usual
from treino.workflows.sweep.plan import written

if TYPE_CHECKING:
    from treino.workflows.sweep.sweep import Sweep

ALTS: dict[str, str] = {
    "parallel": N_("Each network as a line through its settings"),
    "importance": N_("How much each setting mattered"),
    "slices": N_("Figures over each setting"),
    "curves": N_("Where the networks' curves run"),
    "boundaries": N_("The best networks' decision boundaries"),
}


def sweep_facts(sweep: "Sweep") -> SweepFacts:
    """Everything that a report on this sweep says; what can't be shown is named with the reason.

    Raises:
        TreinoError: a sweep that ended before its members were written.
    """
    if not sweep.folder.has("spec.json"):
        raise TreinoError(
            "nothing_to_report",
            _("{run} ended before its settings were written.").format(run=sweep.name),
            _("Delete the folder and start again."),
        )
    d, spec, missing = sweep.document, sweep.spec, list[str]()
    spread = bool(spec["sweep"].get("spread"))
    pictures = []
    for name in () if spread or "leaderboard" not in d else usual(sweep):
        try:
            content = PICTURES[name](sweep)
        except TreinoError as error:
            missing.append(f"{_(ALTS[name])}: {error}")
        else:
            pictures.append(Picture(f"{name}.png", content, _(ALTS[name])))
    best: dict[str, Any] | None = None
    versions: dict[str, str] = {}
    if d.get("best"):
        try:
            best, versions = sweep.best.document, sweep.best.spec["versions"]
        except TreinoError as error:
            missing.append(str(error))
    return SweepFacts(
        name=sweep.name,
        document=d,
        spec=spec,
        created=sweep.folder.created,
        written=[written(entry["params"]) for entry in d.get("leaderboard") or []],
        best=best,
        tried=[(name, domain_written(domain)) for name, domain in spec["space"].items()],
        pictures=pictures,
        missing=missing,
        command=sweep_as_typed(spec),
        versions=versions,
    )
