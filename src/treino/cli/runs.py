"""``treino runs``: the list of runs, sweeps and studies in ``./runs``."""

from treino.base.console import table
from treino.base.words import _
from treino.cli.flags import ScreenFlag
from treino.folders.store.run_lookup import left_out


def runs(*, screen: ScreenFlag) -> int:
    """List the runs in ./runs, the newest first.

    Example: treino runs
    """
    from treino.folders.documents.listing import listing, table_of

    rows, notes = listing(), left_out()
    screen.document({"runs": rows} | ({"notes": notes} if notes else {}))
    if not rows:
        screen.out.print(_("No runs yet. Start with: treino train wine"))
        return 0
    screen.out.print(table(*table_of(rows)))
    for r in rows:
        if r["damage"]:
            screen.out.print(f"{r['run']}: {r['damage']}")
    return 0
