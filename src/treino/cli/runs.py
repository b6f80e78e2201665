"""``treino runs``: the list of runs, sweeps and studies in ``./runs``."""

from treino.base.console import table
from treino.base.words import _, numeral
from treino.cli.flags import ScreenFlag
from treino.folders.store.run_lookup import left_out


def runs(*, screen: ScreenFlag) -> int:
    """List the runs in ./runs, the newest first.

    Example: treino runs
    """
    from treino.folders.documents.listing import listing

    rows, notes = listing(), left_out()
    screen.document({"runs": rows} | ({"notes": notes} if notes else {}))
    if not rows:
        screen.out.print(_("No runs yet. Start with: treino train wine"))
        return 0
    lines = []
    for r in rows:
        figure = "" if r["figure"] is None else f"{r['metric']} {numeral(r['figure'], '.3f')}"
        if figure and (r["test_looks"] or 1) > 1:
            figure = _("{figure} (look {n})").format(figure=figure, n=r["test_looks"])
        when = r["when"][:19].replace("T", " ")
        lines.append((r["run"], _(r["status"]), r["data"] or "", str(r["steps"] or ""), figure, when))
    headings = _("run"), _("status"), _("data"), _("steps"), _("test"), _("when")
    screen.out.print(table(headings, lines))
    for r in rows:
        if r["damage"]:
            screen.out.print(f"{r['run']}: {r['damage']}")
    return 0
