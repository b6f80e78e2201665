"""Sections of a report that compares runs: differing settings, metrics, and statistical tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from treino.base.document_fields import Figures
from treino.base.words import _, numeral
from treino.engine.metrics import metric_name
from treino.inspection.intervals import SURE, PairedTest
from treino.plots.report.blocks import Block, Note, Paragraph, Section, TableBlock
from treino.plots.report.charts import curve_charts, estimates_chart, figure
from treino.plots.report.run import RunReport, run_sections, value_text
from treino.plots.svg_charts import Estimate

CHARTS = ("accuracy", "rmse", "loss")


@dataclass(frozen=True, eq=False)
class RunComparison:
    """Facts of compared runs; the first run is the reference.

    differing: ``(what, value of each run)``. paired: for each run but the first, the test and its p-value,
    adjusted for the number of tests; empty if the test rows differ, which ``apart`` explains.
    same_validation: whether all validation curves are on the same rows. same_loss: whether all runs use the
    same loss function.
    """

    runs: Sequence[RunReport]
    differing: Sequence[tuple[str, Sequence[Any]]]
    paired: Sequence[tuple[PairedTest, float]]
    apart: str
    same_validation: bool
    same_loss: bool = True


def compared_sections(compared: RunComparison) -> list[Section]:
    """Return the comparison, then each run's own report."""
    names = [r.run.name for r in compared.runs]
    differing: Block = differing_table(names, compared.differing)
    if not compared.differing:
        differing = Paragraph(_("In nothing: the same data and the same settings."))
    curves: list[Block] = []
    if not compared.same_validation:
        sentence = _("Each curve is measured on its run's own validation rows, which are not the same ones.")
        curves.append(Paragraph(sentence, "alarm"))
    if not compared.same_loss:
        sentence = _(
            "They were trained with different losses, whose figures don't mean the same: see the others."
        )
        curves.append(Paragraph(sentence, "soft"))
    curves += curve_charts([r.curves for r in compared.runs], compared.same_loss)
    sections = [
        Section(_("What came out"), tuple(_figures(compared))),
        Section(_("What differs"), (differing,)),
        Section(_("Curves"), tuple(curves)),
        *(Section(r.run.name, (), tuple(run_sections(r))) for r in compared.runs),
    ]
    return [s for s in sections if s.blocks or s.parts]


def differing_table(names: Sequence[str], differing: Sequence[tuple[str, Sequence[Any]]]) -> TableBlock:
    """Return what differs between runs: its name, and its value in each of them."""
    rows = [
        (what, *(numeral(v, ".6g") if isinstance(v, float) else value_text(v) for v in values))
        for what, values in differing
    ]
    return TableBlock(("", *names), tuple(rows), left=None)


def _figures(compared: RunComparison) -> list[Block]:
    if compared.apart:
        lines = (
            compared.apart,
            _("Their test figures are not set side by side: they are of different rows."),
        )
        return [Note(_("Not compared"), lines)]
    blocks: list[Block] = [
        Paragraph(paired_sentence(compared.runs[0].run.name, other.run.name, paired, p), "strong")
        for other, (paired, p) in zip(compared.runs[1:], compared.paired, strict=True)
    ]
    sentence = _(
        "That is a statement about these networks on these rows. How much the figure varies from seed to "
        "seed is another question: treino train [[seeds=10]]."
    )
    if len(compared.paired) > 1:
        sentence += " " + _("The p-values are Holm's, for {n} comparisons.").format(n=len(compared.paired))
    metrics = [m for m in _tested(compared.runs[0])[0] if m != "loss" or compared.same_loss]
    rows = tuple((r.run.name, *(_with_interval(r, m) for m in metrics)) for r in compared.runs)
    table = TableBlock((_("on the same test rows"), *(metric_name(m) for m in metrics)), rows)
    charts = [c for m in CHARTS[:2] if m in metrics for c in _chart(compared.runs, m)]
    return [*blocks, Paragraph(sentence, "soft"), table, *charts]


def _tested(run: RunReport) -> tuple[Figures, Mapping[str, tuple[float, float]]]:
    """Return a run's test metrics, if any, and their intervals."""
    result = run.run.result
    assert result is not None
    assert result.metrics.test is not None
    return result.metrics.test, result.intervals.finite


def _with_interval(run: RunReport, metric: str) -> str:
    test, intervals = _tested(run)
    value, interval = test.get(metric), intervals.get(metric)
    if value is None or interval is None:
        return figure(value)
    low, high = interval
    return _("{value} ({low} to {high})").format(value=numeral(value), low=numeral(low), high=numeral(high))


def _chart(runs: Sequence[RunReport], metric: str) -> list[Block]:
    estimates = [
        Estimate(r.run.name, value, intervals.get(metric), i)
        for i, r in enumerate(runs)
        for test, intervals in [_tested(r)]
        if (value := test.get(metric)) is not None
    ]
    return [estimates_chart(metric, estimates, runs[0].run.facts.rows["test"])] if estimates else []


def paired_sentence(a: str, b: str, paired: PairedTest, p: float) -> str:
    """Say which run is better on these rows, and whether the difference exceeds chance."""
    facts = {"a": a, "b": b, "rows": numeral(paired.rows, ","), "p": numeral(p)}
    if paired.metric == "accuracy":
        comparison = _(
            "Of the same {rows} test rows {b} gets {only_b} right that {a} gets wrong, and {a} gets {only_a} "
            "right that {b} gets wrong"
        ).format(only_a=paired.only_a, only_b=paired.only_b, **facts)
        test = _("McNemar's exact test")
    else:
        facts["difference"] = numeral(paired.b - paired.a)
        if paired.interval is None:
            return _(
                "On the same {rows} test rows {b}'s rmse minus {a}'s is {difference}; whether that is more "
                "than chance makes can't be said of them."
            ).format(**facts)
        low, high = (numeral(end) for end in paired.interval)
        comparison = _(
            "On the same {rows} test rows {b}'s rmse minus {a}'s is {difference} (95 %: {low} to {high})"
        ).format(low=low, high=high, **facts)
        test = _("paired bootstrap")
    sentence = _("{said}: more than chance makes (p = {p}, {test}).")
    if p >= SURE:
        sentence = _("{said}: no larger a difference than chance makes (p = {p}, {test}).")
    return sentence.format(said=comparison, p=facts["p"], test=test)
