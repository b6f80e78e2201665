"""``treino runs``: the list of runs, sweeps and studies in ``./runs``."""

from rich.table import Table

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
    table = Table(box=None, pad_edge=False)
    for heading in (_("run"), _("status"), _("data"), _("steps"), _("test"), _("when")):
        table.add_column(heading)
    for r in rows:
        figure = "" if r["figure"] is None else f"{r['metric']} {numeral(r['figure'], '.3f')}"
        if figure and (r["test_looks"] or 1) > 1:
            figure += _(" (look {n})").format(n=r["test_looks"])
        table.add_row(
            r["run"],
            _(r["status"]),
            r["data"] or "",
            str(r["steps"] or ""),
            figure,
            r["when"][:19].replace("T", " "),
        )
    screen.out.print(table)
    for r in rows:
        if r["damage"]:
            screen.out.print(f"{r['run']}: {r['damage']}")
    return 0
