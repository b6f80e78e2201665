"""Captions of pictures: what is shown, for which rows, and how reliable it is."""

import math

from treino.base.text import listed, that_hold
from treino.base.words import _, numeral, setting
from treino.data.splits import split_name
from treino.inspection.boundary import CLOSE
from treino.inspection.input_planes import Boundary, Fit, InputLine, Plane, Points, Score
from treino.plots.style import label, percent

HELD = 24  # maximum number of columns named with their value


def learnt_from(split: str) -> list[str]:
    """Return a warning that only training rows are shown, if there are no others."""
    return [_("The network learnt from these rows: there are no others.")] if split == "train" else []


def rows_label(points: Points) -> str:
    """Return ``test, 27 rows``, or ``training, 1000 of 51000`` if only some are drawn."""
    if len(points) == points.total:
        return _("{split}, {n:,} rows").format(split=split_name(points.split), n=points.total)
    return _("{split}, {n:,} of {total:,}").format(
        split=split_name(points.split), n=len(points), total=points.total
    )


def score_sentence(score: Score) -> str:
    """Return the score on held-out rows, with its interval or number of rows."""
    split = split_name(score.split)
    if score.unanswered:
        return _("No figure: on {n:,} of {rows:,} {split} rows the network's output is not finite.").format(
            n=score.unanswered, rows=score.rows, split=split
        )
    if score.accuracy is not None and score.interval is not None:
        value, low, high = (numeral(share, ".3f") for share in (score.accuracy, *score.interval))
        sentence = _("Accuracy {value}: {right:,} of {n:,} {split} rows right (95 %: {low} to {high}).")
        facts = {"right": score.right, "n": score.rows, "split": split}
        return sentence.format(value=value, low=low, high=high, **facts)
    rmse = math.nan if score.rmse is None else score.rmse
    if score.r2 is None:
        return _("RMSE {rmse} on {n:,} {split} rows.").format(rmse=numeral(rmse), n=score.rows, split=split)
    return _("R² {r2}, RMSE {rmse} on {n:,} {split} rows.").format(
        r2=numeral(score.r2, ".3f"), rmse=numeral(rmse), n=score.rows, split=split
    )


def score_text(score: Score) -> str:
    """Return the score in a few words; "" without a finite one."""
    split = split_name(score.split)
    if score.accuracy is not None:
        return _("{split} accuracy {value:.3f}").format(split=split, value=score.accuracy)
    if score.rmse is not None:
        return _("{split} RMSE {value}").format(split=split, value=numeral(score.rmse))
    return ""


def view_sentences(plane: Plane) -> list[str]:
    """Say what the plane is, if it isn't that of all inputs, and how often it agrees with the network."""
    if plane.axes.view == "all":
        return []
    words = {
        "important": _(
            "The two of {inputs} inputs whose plane is most like the network ({n:,} {split} rows)"
        ),
        "given": _("Two of {inputs} inputs, as asked for"),
        "components": _("{inputs} inputs on the plane of their two main directions ({n:,} {split} rows)"),
    }
    view = words[plane.axes.view].format(
        inputs=plane.inputs, n=plane.axes.view_rows, split=split_name(plane.axes.view_split)
    )
    agrees = _("this picture agrees with the network on {share} of {n:,} rows.").format(
        share=percent(plane.agreement), n=plane.agreement_rows
    )
    if plane.axes.view == "components" or plane.inputs == 2:
        return [f"{view}: {agrees}"]
    sentence = _("{view}, the others at their training medians: {agrees}")
    if plane.axes.holds_classes:
        sentence = _("{view}, the others at their training medians and commonest classes: {agrees}")
    return [sentence.format(view=view, agrees=agrees)]


def held_sentence(plane: Plane) -> str:
    """Return the columns held constant, with their values; "" if there are none."""
    if not plane.axes.held:
        return ""
    values = [f"{label(column, 24)} {_fixed_value(value)}" for column, value in plane.axes.held[:HELD]]
    if (more := len(plane.axes.held) - HELD) > 0:
        values.append(_("… and {n} more").format(n=more))
    sentence = _("Held at training medians: {values}.")
    if plane.axes.holds_classes:
        sentence = _("Held at training medians and commonest classes: {values}.")
    return sentence.format(values=", ".join(values))


def _fixed_value(value: float | str | None) -> str:
    if value is None:
        return "–"
    return (label(value, 16) or _("none")) if isinstance(value, str) else numeral(value)


def warning_sentences(shown: Plane | InputLine, names: list[str]) -> list[str]:
    """Warn of what the picture can't show: classes that win nowhere in the picture, or most of the rows."""
    far = isinstance(shown, Plane) and shown.agreement < CLOSE
    axes, share = (isinstance(shown, Plane) and shown.better) or ((), 0.0)
    absent = listed([names[c] for c in shown.absent], 8)
    sentences = {
        _("This plane shows little of what the network does: many rows lie far from it."): far,
        _("{axes} would agree on {share}: {flag}."): axes,
        _("Wins nowhere in this view: {names}."): absent,
        _("Grey: the network's output is not finite there."): not shown.finite,
    }
    flag = setting("axes", ",".join(axes))
    return that_hold(sentences, axes=" × ".join(axes), share=percent(share), flag=flag, names=absent)


def axis_names(shown: Boundary) -> tuple[str, str]:
    """Return the names of the x and the y axis."""
    if isinstance(shown, InputLine):
        return label(shown.axis_name, 60), _("probability") if shown.classes else label(shown.target, 60)
    if isinstance(shown, Fit):
        target = label(shown.target, 50)
        return _("true {target}").format(target=target), _("predicted {target}").format(target=target)
    x, y = (label(name, 60) for name in shown.axes.axis_names)
    if shown.axes.variance is None:
        return x, y
    name, (of_x, of_y) = _("{name} ({share} of the variance)"), map(percent, shown.axes.variance)
    return name.format(name=x, share=of_x), name.format(name=y, share=of_y)
