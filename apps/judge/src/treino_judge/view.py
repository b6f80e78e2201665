"""What ``treino judge`` prints about a search."""

from collections.abc import Mapping

from rich.table import Table

from treino.base.words import N_, _, numeral
from treino.cli.screen import Screen
from treino_judge.conclusions import TOOLS, Conclusions, conclusions, settings_text
from treino_judge.files import read_trials
from treino_judge.table import STATES, UNITS, Request, State, trial_table

SHOWN = 12  # settings in the table
_COUNTED: Mapping[State, str] = {
    "finished": N_("{n:,} finished"),
    "failed": N_("{n:,} failed"),
    "running": N_("{n:,} running"),
    "pruned": N_("{n:,} pruned"),
}


def show_judgement(source: str, study: str | None, request: Request, screen: Screen) -> None:
    """Judge the trials in a file or folder, and print what was found.

    Raises:
        TreinoError: nothing there can be judged.
    """
    found = conclusions(trial_table(read_trials(source, study), request))
    screen.document(found.document(source))
    _print(found, screen)


def _print(found: Conclusions, screen: Screen) -> None:
    table, j, out = found.table, found.judgement, screen.out
    counts = ", ".join(_(_COUNTED[state]).format(n=n) for state in STATES if (n := table.counts[state]))
    text = _("{n:,} trials of {tool}: {counts}").format(
        n=table.counts["total"], tool=_(TOOLS[table.source]), counts=counts
    )
    each = len(j.trials[j.best].scores)
    if table.unit is not None and each:
        unit = _(UNITS[table.unit])
        text = _("{trials}; {n} {unit} each").format(trials=text, n=numeral(each, ","), unit=unit)
    out.print(text)
    out.print()
    out.print(_trials(found))
    out.print()
    for sentence in found.sentences():
        out.print(sentence)
    if found.settings.shares is not None:
        out.print()
        out.print(_("Settings, by the share of the scores' variance that each explains alone:"))
        out.print(_shares(found))
    out.print()
    for note in found.notes():
        out.print(_("note: {note}").format(note=note))
    for source in found.sources():
        out.print(_("rests on: {source}").format(source=source))


def _trials(found: Conclusions) -> Table:
    j = found.judgement
    lines = Table(box=None, pad_edge=False)
    for heading, side in (
        ("", "left"),
        (_("trial"), "left"),
        (found.table.metric, "right"),
        (_("settings"), "left"),
    ):
        lines.add_column(heading, justify=side, overflow="fold")  # type: ignore[arg-type]
    for name, place in ((_("best"), j.best), (_("second"), j.second), (_("first"), 0)):
        trial = j.trials[place]
        lines.add_row(name, trial.name, numeral(trial.score), settings_text(trial.settings))
    return lines


def _shares(found: Conclusions) -> Table:
    shares = found.settings.shares
    assert shares is not None
    lines = Table(box=None, pad_edge=False)
    for heading, side in ((_("setting"), "left"), (_("share"), "right"), (_("95 % interval"), "right")):
        lines.add_column(heading, justify=side)  # type: ignore[arg-type]

    def percent(share: float) -> str:
        return numeral(max(0.0, share), ".0%")

    rows = list(zip(found.settings.names, shares.share_K, shares.low_K, shares.high_K, strict=True))
    for name, share, low, high in rows[:SHOWN]:
        lines.add_row(name, percent(share), f"{percent(low)} – {percent(high)}")
    together = (shares.explained, shares.explained_low, shares.explained_high)
    share, low, high = map(percent, together)
    lines.add_row(_("all together"), share, f"{low} – {high}")
    return lines
