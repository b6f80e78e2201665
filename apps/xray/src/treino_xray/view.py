"""The output of ``treino rows``: an x-ray of rows, printed and written to a file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from treino.base.console import table
from treino.base.text import cell_words, listed
from treino.base.words import _, numeral
from treino.cli.screen import Screen, output_file, say_replaced
from treino.folders import CSV, PAGE, WORKBOOK, Access, table_file
from treino_xray.row_check import RowCheck, SuspectTrial, check_rows, row_source
from treino_xray.row_influence import Influence, Push
from treino_xray.row_xray import RowXray
from treino_xray.rows_page import rows_page

SHOWN = 10
NAMED = 12  # maximum number of rows named in a sentence


def show_rows(
    source: str,
    access: Access,
    settings: Mapping[str, Any],
    screen: Screen,
    *,
    networks: int | None,
    of: int | None,
    drop_suspects: bool,
    to: str | None,
    replace: bool,
) -> None:
    """Make the x-ray, write the file that ``to`` names, and print what was found.

    Raises:
        TreinoError: bad input, before anything is trained.
    """
    rows_of = row_source(source, access, settings, compared=drop_suspects)
    output = output_file(to, (*CSV, WORKBOOK, *PAGE), replace=replace, reads=rows_of.files)
    found = check_rows(rows_of, networks=networks, of=of, drop_suspects=drop_suspects)
    x, document = found.xray, _document(found)
    if output is not None:
        page = output.path.suffix.lower() in PAGE
        content = rows_page(x).encode() if page else table_file(x.columns, output.path.suffix.lower())
        document["path"] = str(output.write(content))
    document["replaced"] = say_replaced(screen.err, output)
    screen.document(document)
    for note in x.notes:
        screen.out.print(note)
    text = _("{n} networks, each of a random half of {rows:,} training rows, {steps} steps, in {seconds} s.")
    took, learned = numeral(found.seconds, ".1f"), len(x.halves.x_ND)
    screen.out.print(text.format(n=x.networks, rows=learned, steps=x.halves.steps, seconds=took))
    if found.influence is not None:
        _say_pushes(x, found.influence, screen)
    else:
        _say_suspects(x, screen)
        if to is None:
            screen.out.print(_("All rows as a table: --to rows.csv; to look at: --to rows.html"))
    if found.trial is not None:
        screen.out.print(_of_trial(found.trial))
    if to is not None:
        screen.out.print(_("written to {path}").format(path=to))


def _say_suspects(x: RowXray, screen: Screen) -> None:
    suspects = x.suspects
    if not len(suspects):
        screen.out.print(_("No label is doubted."))
    else:
        screen.out.print(
            _("{n:,} of {of:,} labels are doubted; the most doubted first:").format(
                n=len(suspects), of=len(x)
            )
        )
        screen.out.print(_suspects(x, suspects[:SHOWN]))
    hard = x.index_M[x.hard_M & ~x.suspect_M].tolist()
    if hard:
        text = _("Nothing learns {n:,} more rows, also not the networks that saw them: {rows}")
        screen.out.print(text.format(n=len(hard), rows=listed(hard, NAMED)))
    if x.crossing:
        text = _("{n:,} rows have an equal, or almost equal, row in another split.")
        screen.out.print(text.format(n=x.crossing))
    if x.contradicting:
        text = _("{n:,} rows have an equal, or almost equal, row with another label.")
        screen.out.print(text.format(n=x.contradicting))


def _suspects(x: RowXray, place_K: NDArray[np.int64]) -> Table:
    labels, answers = (x.written(values[place_K]) for values in (x.label_M, x.answer_M))
    classes = bool(x.data.classes)
    headings = [_("row"), x.data.target, _("they would say")]
    headings += [_("probability"), _("disagree")] if classes else [_("deviations off")]
    rows = []
    for place, label, answer in zip(place_K, labels, answers, strict=True):
        cells = [x.name(place), cell_words(label), cell_words(answer)]
        if classes:
            share = numeral(x.disagreement_M[place], ".0%")
            cells += [numeral(x.sure_M[place], ".3f"), share]
        else:
            cells.append(numeral(x.disagreement_M[place], "+.1f"))
        rows.append([*cells, _(str(x.columns["split"][place]))])
    return table([*headings, _("split")], rows, left=range(1, 6) if classes else ())


def _say_pushes(x: RowXray, found: Influence, screen: Screen) -> None:
    label, answer = (x.written(v)[0] for v in (x.label_M[[found.place]], x.answer_M[[found.place]]))
    row, label = x.name(found.place), cell_words(label)
    if x.data.classes:
        share = numeral(found.with_all, ".3f")
        text = _("Row {row} is {label}; networks that did not see it say {answer} ({share}).")
        screen.out.print(text.format(row=row, label=label, answer=answer, share=share))
    else:
        text = _("Row {row} is {label}; networks that did not see it say {answer}.")
        screen.out.print(text.format(row=row, label=label, answer=cell_words(found.with_all)))
    for pushes, heading in (
        (found.up, _("Training rows that push this up, each measured by training without it:")),
        (found.down, _("Those that push it down:")),
    ):
        if pushes:
            screen.out.print()
            screen.out.print(heading)
            screen.out.print(_pushes(x, pushes))


def _pushes(x: RowXray, pushes: Sequence[Push]) -> Table:
    classes = bool(x.data.classes)
    headings = _("row"), x.data.target, _("without it"), _("log-odds") if classes else _("effect")
    rows = []
    for push in pushes:
        told = numeral(push.without, ".3f" if classes else ".6g")
        effect = f"{numeral(push.measured, '+.3g')} ± {numeral(2 * push.deviation, '.2g')}"
        label = x.written(x.label_M[[push.place]])[0]
        rows.append((x.name(push.place), cell_words(label), told, effect))
    return table(headings, rows, left=(1,) if classes else ())


def _of_trial(trial: SuspectTrial) -> str:
    t = trial.test
    text = _(
        "Without the {n:,} suspected of {of:,} training rows the {metric} of {rows:,} validation rows is "
        "{b} instead of {a}: {verdict} (p {p})."
    )
    verdict = _("no more than chance")
    if trial.better is not None:
        verdict = _("better") if trial.better else _("worse")
    numbers = {"n": trial.dropped, "of": trial.rows, "rows": t.rows, "a": numeral(t.a), "b": numeral(t.b)}
    return text.format(metric=_(t.metric), verdict=verdict, p=numeral(t.p, ".2g"), **numbers)


def _document(found: RowCheck) -> dict[str, Any]:
    x = found.xray
    document: dict[str, Any] = {
        "data": x.data.name,
        "target": x.data.target,
        "networks": x.networks,
        "steps": x.halves.steps,
        "seconds": found.seconds,
        "suspects": x.index_M[x.suspects].tolist(),
        "hard": x.index_M[x.hard_M].tolist(),
        "equal_across_splits": x.crossing,
        "equal_with_other_label": x.contradicting,
        "rows": dict(x.columns),
        "notes": list(x.notes),
        "path": None,
    }
    if found.influence is not None:
        document["of"] = asdict(found.influence) | {"row": int(x.index_M[found.influence.place])}
        del document["of"]["estimate_N"]
    if found.trial is not None:
        document["without_suspects"] = asdict(found.trial) | {"better": found.trial.better}
    return document
