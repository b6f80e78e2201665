"""Tables and charts of a report's metrics: with intervals and baselines, per epoch, per class."""

import math
from collections.abc import Sequence

import numpy as np

from treino.base.document_fields import Split
from treino.base.words import _, numeral
from treino.data.splits import split_name
from treino.engine.metrics import is_charted, is_share, metric_name
from treino.folders.documents.run_result import RunResult
from treino.inspection.curves import Curves
from treino.inspection.outputs import Confusion
from treino.plots.report.blocks import Block, Drawing, ListBlock, Paragraph, TableBlock, TableCell
from treino.plots.run_sentences import baseline_name
from treino.plots.svg_charts import Estimate, Mark, Series, interval_chart, line_chart

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def figures_table(result: RunResult | None) -> TableBlock | None:
    """Return all metrics of all splits, the test intervals and the baselines; below, the same for each of
    several targets; None without metrics."""
    if result is None or not (measured := result.metrics.measured):
        return None
    head, test = ["", *(split_name(s) for s in measured)], "test" in measured
    baseline = {k: v for k, v in result.baseline.items() if v is not None} if test else {}
    if test:
        head += [_("95 % of test"), *(baseline_name(b, short=True) for b in baseline)]
    counts = [numeral(result.rows[s], ",") for s in measured]
    rows = [[_("rows"), *counts, *[""] * (len(head) - 1 - len(measured))]]
    for target in ("", *result.targets):
        own = result.of_target(target) if target else result
        for name in next(iter(own.metrics.measured.values()), ()):
            row = [
                f"{target} {metric_name(name)}".lstrip(),
                *(figure((getattr(own.metrics, split) or {}).get(name)) for split in measured),
            ]
            if test:
                interval = own.intervals.finite.get(name)
                span = _("{low} to {high}")
                low, high = map(numeral, interval or (0.0, 0.0))
                row.append("" if interval is None else span.format(low=low, high=high))
                row += [figure((own.baseline.get(b) or {}).get(name)) for b in baseline]
            rows.append(row)
    return TableBlock(tuple(head), tuple(tuple(r) for r in rows))


def figure(value: float | None) -> str:
    """Return a number in the format of the reader's language; a dash for None."""
    return "–" if value is None or not math.isfinite(value) else numeral(value)


def figure_charts(result: RunResult) -> list[Block]:
    """Return charts of the test metrics with their intervals, beside the baselines."""
    charts: list[Block] = []
    for name, value in (result.metrics.test or {}).items():
        if value is None or not is_charted(name):
            continue
        interval = result.intervals.finite.get(name)
        estimates = [Estimate(_("this network"), value, interval, 2)]
        estimates += [
            Estimate(baseline_name(k, short=True), compared, None, 0, True)
            for k, v in result.baseline.items()
            if v is not None and (compared := v.get(name)) is not None
        ]
        charts.append(estimates_chart(name, estimates, result.rows["test"]))
    return charts


def estimates_chart(metric: str, estimates: Sequence[Estimate], rows: int) -> Drawing:
    """Draw values of a metric on ``rows`` test rows, with their intervals."""
    alt = "; ".join(f"{e.name}: {numeral(e.value)}" for e in estimates)
    label = _("{metric} on {n:,} test rows, with its 95 % interval")
    label = label.format(metric=metric_name(metric), n=rows)
    bounds = (0.0, 1.0) if is_share(metric) else None
    return Drawing(interval_chart(estimates, label=label, alt=alt, bounds=bounds))


def curve_charts(runs: Sequence[Curves], same_loss: bool = True) -> list[Drawing]:
    """Return loss and metric per epoch: one run's training and validation, or several runs, one colour each.

    same_loss: whether the runs' loss functions are the same; if not, losses are left out.
    """
    alone = len(runs) == 1
    loss, metric = list[Series](), list[Series]()
    for i, c in enumerate(runs):
        epoch_E = np.arange(1.0, c.epochs + 1)
        name = _("training, mean ± deviation of the epoch's iterations") if alone else c.name
        if not alone and (valid := c.evaluated.get("validation", {}).get("loss")) is not None:
            loss.append(Series(name, epoch_E, valid, i))
        else:
            loss.append(Series(name, epoch_E, c.loss_E, i, c.deviation_E if alone else None))
        for split, of in c.evaluated.items():
            if alone and "loss" in of:
                deviation_E, series_name = of.get("loss_std"), split_name(split)
                if deviation_E is not None:
                    series_name = _("{split}, ± deviation over batches of these rows").format(
                        split=series_name
                    )
                loss.append(Series(series_name, epoch_E, of["loss"], 5, deviation_E))
            if c.metric in of:
                metric.append(
                    Series(split_name(split) if alone else c.name, epoch_E, of[c.metric], 2 if alone else i)
                )
    marks, shown = _marks(runs[0]) if alone else [], metric_name(runs[0].metric)
    drawn = [(_("loss") if alone else _("validation loss"), loss)] if same_loss else []
    drawn += [(shown if alone else _("validation {metric}").format(metric=shown), metric)]
    return [
        Drawing(line_chart(series, x_label=_("epoch"), y_label=what, alt=_alt(what, series), marks=marks))
        for what, series in drawn
        if any(np.isfinite(s.y_N).any() for s in series)
    ]


def _marks(c: Curves) -> list[Mark]:
    marks = []
    if c.kept_epoch is not None and 1 <= c.kept_epoch <= c.epochs:
        marks.append(Mark(c.kept_epoch, _("kept")))
    if c.diverged_step is not None:
        marks.append(Mark(c.count.passes(c.diverged_step), _("diverged"), True))
    return marks


def _alt(what: str, series: Sequence[Series]) -> str:
    """Describe the chart in words: where each line begins and ends."""
    lines = []
    for s in series:
        seen = s.y_N[np.isfinite(s.y_N)]
        if len(seen):
            lines.append(
                _("{name} from {first} to {last}").format(
                    name=s.name, first=numeral(float(seen[0])), last=numeral(float(seen[-1]))
                )
            )
    return _("{what} over the epochs: {lines}").format(what=what, lines="; ".join(lines))


def confusion_blocks(shown: Confusion) -> list[Block]:
    """Return a table: true classes down, predictions across; shade: a cell's share of its true class."""
    share_CC = np.nan_to_num(shown.share_CC)
    rows: tuple[tuple[str | TableCell, ...], ...] = tuple(
        (name, *(TableCell(numeral(n, ","), float(s)) for n, s in zip(count_C, share_C, strict=True)))
        for name, count_C, share_C in zip(
            shown.classes, shown.count_CC.tolist(), share_CC.tolist(), strict=True
        )
    )
    caption = _("The {split} rows of each class, and what the network says of them").format(
        split=split_name(shown.split)
    )
    blocks: list[Block] = [TableBlock((_("true \\ said"), *shown.classes), rows, caption)]
    mixed = [
        _("{true} taken for {said}: {n:,} of {rows:,}").format(
            true=shown.classes[t],
            said=shown.classes[s],
            n=n,
            rows=int(shown.count_CC[t].sum() + shown.unsaid_C[t]),
        )
        for t, s, n in shown.pairs(5)
    ]
    if mixed:
        blocks += [Paragraph(_("Mixed up most:"), "soft"), ListBlock(tuple(mixed))]
    if lost := int(shown.unsaid_C.sum()):
        sentence = _("On {n:,} rows the network's outputs are not finite: it says nothing there.")
        blocks.append(Paragraph(sentence.format(n=lost), "alarm"))
    return blocks
