"""A printed loss or accuracy that sums other batches than its own, or is divided by another size."""

import ast
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from treino_doctor.base.words import N_, _
from treino_doctor.places.back import values
from treino_doctor.places.placement import quotients
from treino_doctor.places.source import statement
from treino_doctor.record.log import Backward, Printed
from treino_doctor.record.row_log import Evaluated, RowsTrained
from treino_doctor.rules.course import judged_losses, trainings
from treino_doctor.rules.graphs import calls_by_number
from treino_doctor.rules.rule import SPLIT, Evidence, Faults, Log, Note, Rule, Site, by_line, script

ROUNDED = 3e-6  # relative error of a sum in single precision
CHANCE = 2e-3  # largest expected number of figures that fit a wrong formula by accident
LOOKS = 3  # first evaluations of a line, of which none is left out
AGAIN = 0.05  # share of rows that came again; with more, each batch is drawn by itself, without epochs
FAR = 0.05  # relative distance from which the last batch's loss says little about the others

EVERY = N_("the mean over all {passes} epochs so far")
SUMMED = N_("the sum over all {passes} epochs so far, divided by the size of one")
DIVIDED = N_("a sum over {terms} {of}, divided by {by}")
COUNTED = N_("the count of the last of {batches} batches alone, divided by all {terms} rows")
LAST = N_("that of the last of {batches} batches alone")
ALONE = N_("that of the last of {batches} batches alone, divided by {by}")
TWICE = N_("twice that of the last of {batches} batches alone, divided by {by}")
TIMES = N_("that of the last of {batches} batches alone, times {by} rows")
SHRUNK = N_("a sum of means of batches, each divided by the batch's rows once more")
CHAINED = N_("a mean of batches, divided by the number of batches so far at each of them")
OF = {"rows": N_("rows"), "batches": N_("batches")}
MEANT = LAST, EVERY  # what many print on purpose


class Pass(NamedTuple):
    """An epoch of training, or an evaluation.

    key: where such passes are; whole: all of them are known. sums: (sum, of what, that of the last batch);
    divided by another size than that they may be right, unless of means. most: rows of the largest batch. A
    last one that is NaN: only another number of batches is a wrong size. rights: figures that a right formula
    gives, besides the sums and their means. wrong: (formula, value, the right one), of means of batches."""

    key: object
    turn: int
    sums: tuple[tuple[float, str, float], ...]
    sizes: dict[str, int]
    most: int
    rights: tuple[float, ...] = ()
    last: str = LAST
    means: bool = True
    whole: bool = False
    wrong: tuple[tuple[str, float, float], ...] = ()


class Way(NamedTuple):
    """A wrong formula, the value that it gives, the right one, and the values of its words.

    key: equal for one formula over the passes of one place; whole: all of these are known."""

    formula: str
    key: tuple[Any, ...]
    whole: bool
    value: float
    right: float
    words: dict[str, Any]


# Turn -> what the passes that end then can be printed as: by wrong formulas, and by right ones.
Figures = dict[int, tuple[list[Way], list[float]]]
Prints = dict[int, list[Printed]]  # turn -> what is printed then
Fit = tuple[float, Way, str]  # chance, the newest that fits, its figure


def decide(log: Log) -> Faults:
    """All figures of one place on a line agree with one wrong formula, in more digits than by chance, and
    none that is printed beside them is the right one."""
    prints = by_line(log.of(Printed), lambda p: p.turn)
    every = sorted([*_epochs(log), *_losses(log), *_counts(log)], key=lambda p: p.turn) if prints else []
    sizes = {of: {float(p.sizes[of]) for p in every} for of in OF}
    sizes["rows"] |= {float(t.rows) for t in log.of(RowsTrained)}
    sizes["batches"] |= _divisors({p.site for p in log.of(Printed)})
    known: dict[object, list[float]] = {}
    ways: Figures = {}
    for p in every:
        new = [1.0, *(total for total, _of, _last in p.sums)]
        so_far = known[p.key] = [a + b for a, b in zip(known.get(p.key, [0.0] * len(new)), new, strict=True)]
        if p.turn in prints:
            sums = so_far if p.whole or so_far[0] <= LOOKS else []
            there, rights = ways.setdefault(p.turn, ([], []))
            there += _ways(p, sums, sizes)
            means = (total / p.sizes[of] for total, of, _last in p.sums)
            rights += [*p.rights, *means, *(total for total, _of, _last in p.sums)]
    for site, lines in by_line(log.of(Printed), lambda p: p.site).items():
        columns = range(max(len(p.figures) for p in lines)) if ways else ()
        found = (fit for column in columns for fit in _fits(lines, column, prints, ways))
        chance, way, figure = min(found, key=lambda fit: fit[0], default=(1.0, None, ""))
        if way is not None and chance <= CHANCE:
            far = abs(float(figure) - way.right) > FAR * abs(way.right)
            if far or way.formula != LAST:
                numbers = {"what": _(way.formula).format(**way.words), "figure": figure, "right": way.right}
                yield Evidence(site, numbers | {"meant": int(way.formula in MEANT)})


def _divisors(sites: set[Site | None]) -> set[float]:
    """The numbers that the printing lines divide by, as they are written there."""
    written = (n.right for site in sites if (line := statement(site)) for n in quotients(line))
    numbers = (each.value for each in written if isinstance(each, ast.Constant))
    return {float(number) for number in numbers if isinstance(number, (int, float))}


def _ways(p: Pass, so_far: list[float], others: dict[str, set[float]]) -> Iterator[Way]:
    """The wrong formulas. so_far: the number of passes and their sums, if known. others: sizes of passes."""
    rows, batches = p.sizes["rows"], p.sizes["batches"]
    for at, (formula, value, right) in enumerate(p.wrong if p.means and batches > 2 else ()):
        yield Way(formula, (formula, at, p.key), p.whole, value, right, {})
    for at, (total, of, last) in enumerate(p.sums, 1):
        n = p.sizes[of]
        full = p.most * batches if of == "rows" else rows / p.most
        near: set[float] = {batches - 1, batches + 1} if of == "batches" and batches > 2 else set()
        near |= {rows, batches, full, p.most} if not math.isnan(last) else set()
        but = {n, 100} if math.isnan(last) else {n}  # percent by 100 is the share
        by_another = {*others[of], *near} - but if p.means else set()
        made = {(DIVIDED, by): total / by for by in by_another if by > 1}
        made |= {(ALONE, n): last / n, (TWICE, n): 2 * last / n} if of == "batches" and batches > 2 else {}
        made |= {(TIMES, rows): last * rows} if of == "batches" and batches > 1 else {}
        made |= {(EVERY, 0): so_far[at] / n / so_far[0], (SUMMED, 0): so_far[at] / n} if so_far else {}
        made |= {(p.last, 0): last} if batches > 1 else {}
        for (formula, by), value in made.items():
            passes = int(so_far[0]) if so_far else 0
            words = {"terms": n, "of": _(OF[of]), "by": f"{by:.6g}", "passes": passes, "batches": batches}
            right = total / n * (rows if formula == TIMES else 1)
            yield Way(formula, (formula, by, at, p.key), p.whole, value, right, words)


def _fits(lines: list[Printed], column: int, prints: Prints, known: Figures) -> Iterator[Fit]:
    """The formulas that all figures of a column fit. Where a right formula gives the same digits, as percent
    of 10,000 rows in 100 batches, a figure says nothing for a wrong one."""
    turns = by_line((p for p in lines if len(p.figures) > column), lambda p: p.turn)
    fits: dict[Any, Fit] = {}
    broken, fitted, seen = set[Any](), Counter[Any](), set[Any]()
    for turn, own in turns.items():
        beside = [f for p in prints[turn] for f in p.figures]
        there, rights = known.get(turn, ([], []))
        meant = [way.value for way in there if way.formula in MEANT]
        for way in there:
            value = way.value
            near = next((p.figures[column] for p in own if is_near(p.figures[column], value)), None)
            means = [other.right for other in there if other.key[-1] == way.key[-1]]
            told = (f for f in beside if not is_near(f, value))
            if near is None or value <= 0 or any(is_near(f, r) for f in told for r in means):
                broken.add(way.key)
                continue
            fitted[way.key] += 1
            others = [*rights, *(() if way.formula in MEANT else meant)]
            if not any(is_near(near, r) for r in others) and (near, way.key) not in seen:
                seen.add((near, way.key))
                rivals = sum(0.5 < other.value / value < 2 for other in there)  # that come near
                chance = min(1.0, rivals * max(unit(near) / value, ROUNDED))
                fits[way.key] = fits[way.key][0] * chance if way.key in fits else chance, way, near
    for key, fit in fits.items():
        if key not in broken and (fitted[key] >= len(turns) or not fit[1].whole):
            yield fit


def unit(figure: str) -> float:
    """One of the last digit of a printed figure."""
    digits, _sign, exponent = figure.partition("e")
    return float(10.0 ** (int(exponent or 0) - len(digits.partition(".")[2])))


def is_near(figure: str, value: float) -> bool:
    """Whether a value, rounded, is printed as this figure."""
    return abs(float(figure) - value) <= 0.501 * unit(figure) + ROUNDED * abs(value)


def _epochs(log: Log) -> Iterator[Pass]:
    """The losses that were run backward, epoch by epoch."""
    calls, trained = calls_by_number(log), log.of(RowsTrained)
    rows = {t.net: t for t in trained if t.loader is not None or t.twice <= AGAIN * t.seen}
    backwards, every = by_line(log.of(Backward), lambda b: b.site), trainings(log)
    for t in every:
        ran = [calls[f] for b in backwards.get(t.site, ()) for f in b.forwards if f in calls]
        seen = next((rows[f.net].seen for f in ran if f.net in rows), 0)
        most = max((f.rows for f in ran), default=0)  # 0 of inputs without dimensions
        end = t.turn + len(t.values)
        between = any(o is not t and o.turn < end and t.turn < o.turn + len(o.values) for o in every)
        if not seen or not most or between:
            continue  # losses of several lines take turns
        n = -(-seen // most)
        of = [most] * (n - 1) + [seen - most * (n - 1)]
        means = bool(t.calls) and t.unscaled and all(c.reduction == "mean" for c in t.calls)
        for at in range(n, len(t.values) + 1, n) if n > 1 else ():
            epoch = _of_losses(("epochs", t.site), t.turn + at, t.values[at - n : at], of)
            yield epoch._replace(means=means, whole=True)


def _losses(log: Log) -> Iterator[Pass]:
    """The losses of evaluations."""
    for key, calls in by_line(judged_losses(log), lambda c: (c.turn, c.name, c.stack)).items():
        if len(calls) > 1:
            yield _of_losses(key[1:], key[0], [c.value for c in calls], [c.target_shape[0] for c in calls])


def _of_losses(key: object, turn: int, losses: Sequence[float], rows: list[int]) -> Pass:
    """A pass whose batches had these losses and rows."""
    heavy = math.fsum(v * n for v, n in zip(losses, rows, strict=True))
    sums = (math.fsum(losses), "batches", losses[-1]), (heavy, "rows", losses[-1])
    n, each = len(rows), math.fsum(v / n for v, n in zip(losses, rows, strict=True))
    chained = 0.0
    for number, value in enumerate(losses, 1):
        chained = (chained + value) / number
    wrong = (SHRUNK, each), (SHRUNK, each / n), (SHRUNK, sums[0][0] / max(rows) / n), (CHAINED, chained)
    ways = tuple((formula, value, sums[0][0] / n) for formula, value in wrong)
    return Pass(key, turn, sums, {"rows": sum(rows), "batches": n}, max(rows), wrong=ways)


def _counts(log: Log) -> Iterator[Pass]:
    """The right answers of evaluations, in percent, too."""
    for e in (e for e in log.of(Evaluated) if e.judged == e.rows > 0):
        sums = [(k * e.right, "rows", k * e.final / e.rows) for k in (1.0, 100.0)]
        shares = e.shares if e.calls > 2 else math.nan
        sums += [(k * shares, "batches", math.nan) for k in (1.0, 100.0)]
        sizes = {"rows": e.rows, "batches": e.calls}
        newest = max(1, e.rows - e.most * (e.calls - 1))  # rows of the last batch
        others = 1 - e.right / e.rows, 1 - e.shares / e.calls, e.final / newest
        rights = tuple(k * share for k in (1.0, 100.0) for share in others)
        wrong = tuple((CHAINED, k * e.chained, k * e.shares / e.calls) for k in (1.0, 100.0))
        yield Pass((e.rows, e.stack), e.turn, tuple(sums), sizes, e.most, rights, COUNTED, wrong=wrong)


def note(evidence: Evidence) -> Note | None:
    """A note on the last batch's loss or a mean over all epochs, which many print on purpose."""
    if not evidence.numbers["meant"] or evidence.seen is None:
        return None
    what = {"what": evidence.numbers["what"]}
    return Note(N_("The figure printed at {place} is {what}."), evidence.seen, what)


def place(evidence: Evidence) -> Site | None:
    """The line of the only division behind what is printed; else the line that prints."""
    at, divided = evidence.seen, set[Site]()
    for node in ast.walk(statement(at) or ast.Pass()):
        ends = [way[-1] for way in values(at, node)] if at is not None and isinstance(node, ast.expr) else []
        divided |= {s.site for s in ends if isinstance(s.node, ast.BinOp) and isinstance(s.node.op, ast.Div)}
    return divided.pop() if len(divided) == 1 else at


RULE = Rule(
    group="settings",
    message="The figure printed here is {what}: {figure}, where {right} would be right.",
    why="""It equals that, in all digits, whenever it was printed, and never what it would be of its own
    batches and rows. It says little about the net, and can't be compared with other figures.""",
    fix="""Set the sum to 0 before each epoch and each evaluation, and add to it in the loop (+=). Divide
    means of batches by the number of batches; divide counts, and losses times their rows, by the number of
    these rows: not by those of another part.""",
    safety="Safe: only the figure changes.",
    limits="""Known are figures that `print` or `logging` writes with at least three digits, at the end of
    an epoch or after an evaluation, not in each batch, of losses of torch and of answers compared with
    labels; of later evaluations a sample. A figure that a right formula gives, too, is left alone. A loss
    of the last batch, and a mean over all epochs, are notes.""",
    wrong=SPLIT
    + script(loss="F.cross_entropy(net(x_train), y_train)")
    + """\
correct = 0
with torch.no_grad():
    for rows, truth in zip(x_test.split(24), y_test.split(24)):
        correct += (net(rows).argmax(1) == truth).sum().item()
print(correct / len(x_train))
""",
    mend={"correct / len(x_train)": "correct / len(x_test)"},
)
