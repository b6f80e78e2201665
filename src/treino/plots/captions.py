"""Captions of pictures: what is shown, for which rows, and how reliable it is."""

import math
from collections.abc import Sequence

from treino.base.words import _, joined, numeral, setting
from treino.data.splits import split_name
from treino.folders.documents.run_result import RunResult
from treino.inspection.boundary import CLOSE
from treino.inspection.input_planes import Boundary, Fit, InputLine, Plane, Points, Score
from treino.plots.style import label, percent

CHANCE = 5  # rows of a lead that chance can explain: were both as good, 5 of 5 rows have p = 0.06 (sign test)
WHOLE = 1e-3  # rows of different weights give no whole lead
HELD = 24  # maximum number of columns named with their value


def layer_numbers(layers: Sequence[tuple[str, int]]) -> list[str]:
    """Return layer numbers as in ``treino explain --weight``, from 0; "" for layers without weights.

    layers: each layer's kind and number of parameters, in the network's order.
    """
    weighted = [bool(parameters) and "Norm" not in kind for kind, parameters in layers]
    return [str(sum(weighted[:place])) if own else "" for place, own in enumerate(weighted)]


def learnt_from(split: str) -> list[str]:
    """Return a warning that only training rows are shown, if there are no others."""
    return [_("The network learnt from these rows: there are no others.")] if split == "train" else []


def listed(names: Sequence[str], most: int) -> str:
    """Return the first names, followed by dots if there are more."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


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


def view_sentences(plane: Plane) -> list[str]:
    if plane.view == "all":
        return []
    words = {
        "important": _(
            "The two of {inputs} inputs whose plane is most like the network ({n:,} {split} rows)"
        ),
        "given": _("Two of {inputs} inputs, as asked for"),
        "components": _("{inputs} inputs on the plane of their two main directions ({n:,} {split} rows)"),
    }
    view = words[plane.view].format(
        inputs=plane.inputs, n=plane.view_rows, split=split_name(plane.view_split)
    )
    agrees = _("this picture agrees with the network on {share} of {n:,} rows.").format(
        share=percent(plane.agreement), n=plane.agreement_rows
    )
    if plane.view == "components" or plane.inputs == 2:
        return [f"{view}: {agrees}"]
    if any(isinstance(value, str) for _name, value in plane.held):
        return [
            _("{view}, the others at their training medians and commonest classes: {agrees}").format(
                view=view, agrees=agrees
            )
        ]
    return [_("{view}, the others at their training medians: {agrees}").format(view=view, agrees=agrees)]


def held_sentence(plane: Plane) -> str:
    """Return the columns held constant, with their values; "" if there are none."""
    if not plane.held:
        return ""
    values = [f"{label(column, 24)} {_fixed_value(value)}" for column, value in plane.held[:HELD]]
    if (more := len(plane.held) - HELD) > 0:
        values.append(_("… and {n} more").format(n=more))
    classes = any(isinstance(value, str) for _name, value in plane.held)
    sentence = _("Held at training medians and commonest classes: {values}.")
    return (sentence if classes else _("Held at training medians: {values}.")).format(
        values=", ".join(values)
    )


def _fixed_value(value: float | str | None) -> str:
    if value is None:
        return "–"
    return (label(value, 16) or _("none")) if isinstance(value, str) else numeral(value)


def warning_sentences(shown: Plane | InputLine, names: list[str]) -> list[str]:
    """Warn of what the picture can't show: classes that win nowhere in the picture, or most of the rows."""
    sentences = []
    if isinstance(shown, Plane) and shown.agreement < CLOSE:
        sentences.append(_("This plane shows little of what the network does: many rows lie far from it."))
    if isinstance(shown, Plane) and shown.better is not None:
        axes, share = shown.better
        sentences.append(
            _("{axes} would agree on {share}: {flag}.").format(
                axes=" × ".join(axes), share=percent(share), flag=setting("axes", ",".join(axes))
            )
        )
    if shown.absent:
        absent = listed([names[c] for c in shown.absent], 8)
        sentences.append(_("Wins nowhere in this view: {names}.").format(names=absent))
    if not shown.finite:
        sentences.append(_("Grey: the network's output is not finite there."))
    return sentences


def axis_names(shown: Boundary) -> tuple[str, str]:
    """Return the names of the x and the y axis."""
    if isinstance(shown, InputLine):
        return label(shown.axis_name, 60), _("probability") if shown.classes else label(shown.target, 60)
    if isinstance(shown, Fit):
        target = label(shown.target, 50)
        return _("true {target}").format(target=target), _("predicted {target}").format(target=target)
    x, y = (label(name, 60) for name in shown.axis_names)
    if shown.variance is None:
        return x, y
    name, (of_x, of_y) = _("{name} ({share} of the variance)"), map(percent, shown.variance)
    return name.format(name=x, share=of_x), name.format(name=y, share=of_y)


def headline(result: RunResult | None) -> str:
    """Return a run's test score with its baselines in a sentence, or one for each target; "" before the run
    ends."""
    if result is not None and result.targets and result.metrics.test:
        return " ".join(f"{target}: {headline(result.of_target(target))}" for target in result.targets)
    test = (result and result.metrics.test) or {}
    metric = next((m for m in ("accuracy", "rmse") if test.get(m) is not None), None)
    if result is None or metric is None:
        return ""
    value = test[metric]
    assert value is not None
    interval = result.intervals.known.get(metric)

    def amount(value: float) -> str:
        return _amount(value, result.currency)

    first = (result.test_looks or 1) < 2
    facts = {"n": result.rows["test"], "share": value if metric == "accuracy" else amount(value)}
    if interval is None:
        sentence = {
            "accuracy": _("On {n:,} test rows that it never saw, {share:.1%} are right.")
            if first
            else _("On {n:,} test rows {share:.1%} are right."),
            "rmse": _("On {n:,} test rows the RMSE (root of the mean squared error) is {share}."),
        }[metric].format(**facts)
    else:
        low, high = interval if metric == "accuracy" else map(amount, interval)
        sentence = {
            "accuracy": _(
                "On {n:,} test rows that it never saw, {share:.1%} are right (95 %: {low:.1%} to {high:.1%})."
            )
            if first
            else _("On {n:,} test rows {share:.1%} are right (95 %: {low:.1%} to {high:.1%})."),
            "rmse": _(
                "On {n:,} test rows the RMSE (root of the mean squared error) is {share} "
                "(95 %: {low} to {high})."
            ),
        }[metric].format(low=low, high=high, **facts)
    compared = [
        _("{who}: {value}").format(
            who=baseline_name(name), value=numeral(other, ".1%") if metric == "accuracy" else amount(other)
        )
        for name, figures in result.baseline.items()
        if figures is not None and (other := figures[metric]) is not None
    ]
    if not first:
        sentence += " " + _(
            "Look number {n:,} at them, counting the runs that it shares its beginning with: a choice by "
            "such figures makes them too good."
        ).format(n=result.test_looks)
    beside = _("For comparison, {list}.").format(list="; ".join(compared)) if compared else ""
    return joined(filter(None, [sentence, beside, _lead(result, metric, value)]), " ")


def _lead(result: RunResult, metric: str, value: float) -> str:
    """A sentence on a baseline whose lead over the network can be chance; empty without such a lead."""
    figures = ((baseline_name(name), f[metric]) for name, f in result.baseline.items() if f is not None)
    others = {who: figure for who, figure in figures if figure is not None}
    who = (max if metric == "accuracy" else min)(others, key=lambda who: others[who], default="")
    rows, interval = result.rows["test"], result.intervals.known.get(metric)
    lead = (others.get(who, value) - value) * rows
    if metric == "accuracy" and 0.5 < lead < CHANCE + 0.5 and abs(lead - round(lead)) < WHOLE:
        text = _(
            "That {who} has {k} of the {n:,} rows more right can be chance: new rows may say the opposite."
        )
        return text.format(who=who, k=round(lead), n=rows)
    if metric == "rmse" and interval is not None and interval[0] <= others.get(who, value) < value:
        text = _("The figure of {who} lies within these 95 %: new rows may say the opposite.")
        return text.format(who=who)
    return ""


def _amount(value: float, currency: str) -> str:
    """Format a target's value for readers: R$ 42 232, and no exponent below 10^15."""
    text = numeral(value, ",.0f") if 1e4 <= abs(value) < 1e15 else numeral(value)
    return f"{currency} {text}" if currency else text


def baseline_name(name: str) -> str:
    """Describe a baseline in words."""
    return {
        "majority": _("always saying the commonest class"),
        "mean": _("always saying the mean"),
        "linear": _("a linear model"),
        "patches": _("a linear model on whitened patches"),
        "trees": _("gradient-boosted trees"),
    }[name]


def ending(result: RunResult) -> str:
    """Return a sentence on the end of a run: its status, steps, epochs, seconds and kept weights."""
    status = _(result.status)
    if result.stopped_early:
        status = _("finished early (no improvement of the validation {metric} for {n} epochs)").format(
            metric=result.settings.metric, n=result.settings.patience
        )
    head = _("{status} after {steps:,} steps (epochs: {epochs:,})").format(
        status=status, steps=result.steps, epochs=result.epochs
    )
    if result.kept_epoch is None:
        return head
    text = _("{end}, {time}; kept the weights of epoch {kept:,}")
    if result.members:
        text = _("{end}, {time}; kept each network's weights, the last of epoch {kept:,}")
    return text.format(end=head, time=time_of(result), kept=result.kept_epoch)


def time_of(result: RunResult) -> str:
    """Return the seconds of a run's training, and since which step they are counted."""
    if not result.timed_from:
        return _("{seconds:.2f} s").format(seconds=result.seconds)
    return _("{seconds:.2f} s from step {step:,} on").format(seconds=result.seconds, step=result.timed_from)
