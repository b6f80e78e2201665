"""Sentences on a run's test score with an interval and baselines, and the numbers of its layers."""

from collections.abc import Sequence

from treino.base.words import N_, _, joined, numeral
from treino.folders.documents.run_result import RunResult

CHANCE = 5  # rows of a lead that chance can explain: were both as good, 5 of 5 rows have p = 0.06 (sign test)
COMMON = 10 / 11  # share of a class that is ten times another, at which f1_macro is advised
APART = 0.1  # between accuracy and f1_macro: small classes are answered worse
WHOLE = 1e-3  # rows of different weights give no whole lead


def layer_numbers(layers: Sequence[tuple[str, int]]) -> list[str]:
    """Return layer numbers as in ``treino explain --weight``, from 0; "" for layers without weights.

    layers: each layer's kind and number of parameters, in the network's order.
    """
    weighted = [bool(parameters) and "Norm" not in kind for kind, parameters in layers]
    return [str(sum(weighted[:place])) if own else "" for place, own in enumerate(weighted)]


def headlines(result: RunResult) -> list[str]:
    """Return a run's test score with its baselines in a sentence, one for each target; [] before it ends."""
    if result.targets and result.metrics.test:
        return [f"{target}: {_headline(result.of_target(target))}" for target in result.targets]
    return [sentence for sentence in [_headline(result)] if sentence]


def _headline(result: RunResult) -> str:
    test = result.metrics.test or {}
    metric = next((m for m in ("accuracy", "rmse") if test.get(m) is not None), None)
    if metric is None or (value := test[metric]) is None:
        return ""
    interval = result.intervals.finite.get(metric)

    def amount(value: float) -> str:
        return numeral(value, ".1%") if metric == "accuracy" else _amount(value, result.currency)

    first = (result.test_looks or 1) < 2
    sentence = _("On {n:,} test rows the RMSE (root of the mean squared error) is {share}{span}.")
    if metric == "accuracy":
        sentence = _("On {n:,} test rows {share} are right{span}.")
        if first:
            sentence = _("On {n:,} test rows that it never saw, {share} are right{span}.")
    low, high = map(amount, interval or (value, value))
    span = "" if interval is None else " " + _("(95 %: {low} to {high})").format(low=low, high=high)
    sentence = sentence.format(n=result.rows["test"], share=amount(value), span=span)
    compared = [
        _("{who}: {value}").format(who=baseline_name(name), value=amount(other))
        for name, figures in result.baseline.items()
        if figures is not None and (other := figures[metric]) is not None
    ]
    if not first:
        sentence += " " + _(
            "Look number {n:,} at them, counting the runs that it shares its beginning with: a choice by "
            "such figures makes them too good."
        ).format(n=result.test_looks)
    beside = _("For comparison, {list}.").format(list="; ".join(compared)) if compared else ""
    return joined(filter(None, [sentence, beside, _balanced(result), _lead(result, metric, value)]), " ")


def _balanced(result: RunResult) -> str:
    """The mean over classes beside a share of rows that says little of small classes; else empty."""
    test = result.metrics.test or {}
    right, f1 = test.get("accuracy"), test.get("f1_macro")
    majority = (result.baseline.get("majority") or {}).get("accuracy") or 0.0
    if right is None or f1 is None or not (majority >= COMMON or right - f1 > APART):
        return ""
    text = _(
        "Such shares say little of small classes: look at f1_macro, to which each class counts alike. It is "
        "{f1}; of answers of the commonest class alone it is {least}."
    )
    least = (result.baseline.get("majority") or {}).get("f1_macro")
    return text.format(f1=numeral(f1, ".3f"), least=numeral(least or 0.0, ".3f"))


def _lead(result: RunResult, metric: str, value: float) -> str:
    """A sentence on a baseline whose lead over the network can be chance; empty without such a lead."""
    figures = ((baseline_name(name), f[metric]) for name, f in result.baseline.items() if f is not None)
    others = {who: figure for who, figure in figures if figure is not None}
    who = (max if metric == "accuracy" else min)(others, key=lambda who: others[who], default="")
    rows, interval = result.rows["test"], result.intervals.finite.get(metric)
    lead = (others.get(who, value) - value) * rows
    if metric == "accuracy" and 0.5 < lead < CHANCE + 0.5 and abs(lead - round(lead)) < WHOLE:
        text = _(
            "That {who} has {k} of the {n:,} rows more right can be chance: of new rows the network may have "
            "more right."
        )
        return text.format(who=who, k=round(lead), n=rows)
    if metric == "rmse" and interval is not None and interval[0] <= others.get(who, value) < value:
        text = _(
            "The RMSE of {who} is lower, but lies within the network's 95 % interval: on new rows the "
            "network may be better."
        )
        return text.format(who=who)
    return ""


def _amount(value: float, currency: str) -> str:
    """Format a target's value for readers: R$ 42 232, and no exponent below 10^15."""
    text = numeral(value, ",.0f") if 1e4 <= abs(value) < 1e15 else numeral(value)
    return f"{currency} {text}" if currency else text


BASELINES = {  # the name in a table, and what it is
    "majority": (N_("commonest class"), N_("always saying the commonest class")),
    "mean": (N_("mean"), N_("always saying the mean")),
    "linear": (N_("linear model"), N_("a linear model")),
    "patches": (N_("linear model on patches"), N_("a linear model on whitened patches")),
    "trees": (N_("trees"), N_("gradient-boosted trees")),
}


def baseline_name(name: str, *, short: bool = False) -> str:
    """Describe a baseline in words."""
    return _(BASELINES[name][0 if short else 1])
