"""Test rows that the net was trained on."""

import ast
from collections.abc import Iterator

from treino_doctor.base.words import N_
from treino_doctor.places.bindings import call_sites
from treino_doctor.places.placement import SPLITS, innermost_function, joins, parts, trail
from treino_doctor.places.source import calls, loops, module, names, written_on
from treino_doctor.places.source import place as line_of
from treino_doctor.record.log import Backward, Ended, LossCall, NetMade, Read
from treino_doctor.record.outcomes import StateTaken
from treino_doctor.record.row_log import Folded, RowsEvaluated, RowsTrained
from treino_doctor.rules.choices import TEST, VALIDATION, naming_line
from treino_doctor.rules.graphs import ARRAYS, CHOICES, calls_by_number
from treino_doctor.rules.rule import HELD_OUT, Evidence, Faults, Log, Note, Rule, Site
from treino_doctor.rules.shares import CHANCE, LEAST, MOST, copies, evaluations, lines_of, shared
from treino_doctor.rules.turns import trained_forwards

NEW = 0.1  # maximum share trained on before, for rows to count as new
KNOWN, HALF = 50_000, 0.5  # maximum number of known training rows; share of rows among them
ANEW = ("permutation", "randperm", "sample", "train_test_split", "random_split")  # draw an order by chance
STEPS = 3  # minimum number of backwards from one call stack
# Uses of a net that are no calls of it; what begins with one of these names its weights.
WEIGHTS = ("weight", "bias", "named_parameters", "Parameter", "export", "dump")
OTHERWISE = (*WEIGHTS, "forward", "script", "vmap", "functional_call")
MANY = 20  # minimum number of rows of an evaluation with only training rows


def decide(log: Log) -> Faults:
    """A net had trained on rows of one part of a split before they were evaluated, and the table has no
    copies; or on some of the rows, and no others were evaluated; or on rows of previous folds."""
    judged_on_new = {e.learner for e in log.of(RowsEvaluated) if e.rows >= LEAST and e.trained < NEW * e.rows}
    folds, figures = log.of(Folded), {line for line, _read in _figures(log)}
    masked = _masked(log)
    for e, t in (pair for pair in evaluations(log) if pair[1].net not in masked):
        trained, rows = shared(e, t)
        only = not trained and e.learner not in judged_on_new and _only(e, t, e.site in figures)
        trained = e.trained if only else trained
        late = next((f for f in folds if f.again and t.first < f.turn < min(t.last, e.looks[-1])), None)
        if late is not None:
            trained, rows = late.again, late.rows
        shared_net = late is not None or trained == e.later > 0
        if trained and (shared_net or not copies(e, t)):
            made = next((n.made_at for n in log.of(NetMade) if n.net == t.net and shared_net), None)
            if only and e.loader is not None and e.loader == t.loader:
                made = made or e.site  # it loops over the wrong loader
            elif only and trained >= MOST * t.rows:
                made = made or e.loader
            numbers = {"rows": rows, "trained": trained}
            sites = lines_of(e, t)
            sites.update((f"led {i}", site) for i, site in enumerate(e.stack) if only and not shared_net)
            yield Evidence(e.site, numbers, at=made, stack=t.stack, sites=sites)
            return
    yield from _steps_on_test(log)
    yield from _of_training(log) if not masked else ()


def _masked(log: Log) -> set[int]:
    """The nets of which a loss judged only some of the rows, as of a graph's nodes."""
    calls, losses = calls_by_number(log), [c for c in log.of(LossCall) if c.trained and c.target_shape]
    last = ((c, calls.get(max(c.forwards, default=-1))) for c in losses)
    return {f.net for c, f in last if f is not None and c.target_shape[0] < f.rows}


def _steps_on_test(log: Log) -> Faults:
    """One optimizer stepped on rows that the source calls a test set, in turn with other rows."""
    calls, used = calls_by_number(log), trained_forwards(log)
    places: dict[tuple[Site, ...], list[Backward]] = {}
    for b in log.of(Backward):
        for stack in {calls[f].stack for f in b.forwards if f in used}:
            places.setdefault(stack, []).append(b)
    often = {stack: own for stack, own in places.items() if len(own) >= STEPS}
    if len(often) < 2:
        return
    for stack, own in often.items():
        if naming_line(stack, TEST | VALIDATION) is None:
            continue
        others = [b for other, ran in often.items() if other != stack for b in ran if b not in own]
        alike = [b for b in others if set(b.filled) & set(own[0].filled) and b.turn > own[0].turn]
        after = [calls[f] for b in alike[:1] for f in b.forwards if f in calls]
        if after and naming_line(after[-1].stack, TEST | VALIDATION) is None:
            first = [b for b in own if b.turn < alike[0].turn]
            rows = sum(calls[f].rows for b in first for f in b.forwards if f in used)
            yield Evidence(own[0].site, {"rows": rows, "trained": rows}, at=own[0].site, stack=stack)
            return


def _figures(log: Log) -> Iterator[tuple[Site | None, Read]]:
    """The lines of nets' calls whose classes were compared or left torch, each with that event."""
    calls = calls_by_number(log)
    for read in log.of(Read):
        chosen = read.how in ARRAYS and any(o.name in CHOICES for o in read.graph.walk())
        compared = read.how == "compared" and read.graph.root is not None and read.graph.root.name == "eq"
        if (chosen or compared) and (call := calls.get(max(read.forwards, default=-1))) is not None:
            yield call.site, read


def _of_training(log: Log) -> Faults:
    """A training over rows that came again, where no other rows were met; with a figure of it, if any."""
    used, calls, seen = trained_forwards(log), calls_by_number(log), log.of(RowsEvaluated)
    if any(e.trained < e.rows for e in seen) or not any(ended.finished for ended in log.of(Ended)):
        return
    lines = {(e.net, e.site) for e in seen}
    behind = {f for b in log.of(Backward) for f in b.forwards}
    stacks = {calls[f].stack for f in behind & calls.keys()}
    for t in (t for t in log.of(RowsTrained) if t.again and t.labelled and not t.made and t.rows >= MANY):
        others = (f for f in calls.values() if f.net == t.net and f.forward not in behind)
        figures = (r for _line, r in _figures(log) if r.forwards[-1] in used and r.how == "compared")
        own = next((r for r in figures if calls[r.forwards[-1]].net == t.net), None)
        if all((f.net, f.site) in lines or (f.training and f.grad and f.stack in stacks) for f in others):
            sites = {"own": own.site} if own is not None else {"alone": t.site}
            if own is not None or not (log.of(StateTaken) or _uses_weights(t)):
                yield Evidence(t.site, {"rows": t.rows, "trained": t.rows}, sites=sites)
            return


def _uses_weights(t: RowsTrained) -> bool:
    """Whether a file that led to a net's calls may use its weights otherwise, as in NumPy."""
    nodes = (n for file in {s.file for s in (*t.stack, t.site) if s} for n in ast.walk(module(file)))
    names = [n.attr for n in nodes if isinstance(n, ast.Attribute)]
    return names.count("parameters") > 1 or any(name.startswith(OTHERWISE) for name in names)


def _only(e: RowsEvaluated, t: RowsTrained, figure: bool) -> bool:
    """Whether these rows are all or some of training's rows, and were compared with labels."""
    inside = e.rows == e.trained or e.rows <= e.numbers == e.by_number
    inside = (inside and e.rows >= MANY) or (t.rows >= KNOWN and e.trained > HALF * e.rows)
    return inside and (e.scored or figure) and t.chance < CHANCE and t.floating and not (t.made or e.made)


def note(evidence: Evidence) -> Note | None:
    """A note on the only rows that were evaluated, if the source never calls them test rows."""
    text = N_("The net called at {place} was seen with no rows but those of its training.")
    if (alone := evidence.sites.get("alone")) is not None:
        return Note(text, alone, {})
    text = N_("The {rows} rows evaluated at {place} are of the training: so is the figure.")
    if (own := evidence.sites.get("own")) is not None:
        return Note(text, own, {"rows": evidence.numbers["rows"]})
    led = tuple(s for name, s in evidence.sites.items() if name.startswith("led") and s is not None)
    if not led or naming_line(led, TEST | VALIDATION) is not None:
        return None
    return Note(text, led[0], {"rows": evidence.numbers["rows"]})


def place(evidence: Evidence) -> Site | None:
    """The line of the net that all folds share; else the line that takes or joins rows for one part."""
    if evidence.at is not None:
        return evidence.at
    sites, led = evidence.sites, evidence.stack
    if (anew := shuffled_anew(evidence)) is not None:
        return anew
    heads = [loops(s)[-1:] for s in led]
    ends = {(n.lineno, n.end_lineno) for head in heads for n in head} | {(s.line, s.line) for s in led}
    train = [s.site for s in trail(sites["train"], sites["train_loader"], led) if takes(s.node)]
    train = [s for s in train if not any(a <= s.line <= b for a, b in ends)]  # except lines that form batches
    test = [s.site for s in trail(evidence.seen, sites["loader"]) if takes(s.node)]
    only = next((s for s in train if s not in test), None) or sites["train_loader"]
    return only or next((s for s in test if s not in train), None) or sites["train"]


def shuffled_anew(evidence: Evidence) -> Site | None:
    """The line that shuffles all rows once more for the evaluation; None if one order serves both parts."""
    sites = evidence.sites
    train = shuffles(sites["train"], sites["train_loader"], evidence.stack)
    test = shuffles(evidence.seen, sites["loader"], ())
    own = [s for key, s in test.items() if key not in train]
    both = [s for key, s in test.items() if key in train]
    if (own and train) or len(both) > 1:
        return max(own or both, key=lambda s: s.line)
    for line in both:
        inside = innermost_function(line)
        often = bool(loops(line)) or (inside is not None and len(call_sites(line.file, inside)) > 1)
        return line if often and not calls(written_on(line), *SPLITS) else None
    return None


def shuffles(site: Site | None, loader: Site | None, led: tuple[Site, ...]) -> dict[tuple[str, int], Site]:
    """The lines that put rows in an order by chance on their way to a net's call, also in place."""
    steps = [*trail(site, loader, led)]
    lines = [s.site for s in steps if calls(s.node, *ANEW)]
    named = {name for s in steps for name in names(s.node)}
    for file in {s.site.file for s in steps}:
        every = (c for c in calls(module(file), "shuffle") if c.args and named & names(c.args[0]))
        lines += [line_of(file, call) for call in every]
    return {(s.file, s.line): s for s in lines}


def takes(value: ast.AST) -> bool:
    """Whether an expression takes some of the rows, or joins them."""
    return parts(value) or joins(value)


RULE = Rule(
    group="data",
    certain=False,
    unless=("train_mode_never_restored",),  # training in eval mode looks like an evaluation
    message="{trained} of {rows} evaluation rows were trained on before they were evaluated.",
    why="""The net has seen the answers, so that the figure shows how well it remembers, not how well it does
    on new rows.""",
    fix="""Train on the training part only; make sure that the two parts share no row: shuffle once, before
    both are taken.""",
    safety="Safe: the figure falls to what it is.",
    limits="""Rows are recognised by their numbers in a data set and by their values. Rows that change at
    random in between are recognised by their numbers alone. A loop that trains on the test rows is recognised
    by what the program calls them. Rows that a net gets as keyword arguments are not read.""",
    wrong="x_train, y_train, x_test, y_test = x, y, x[180:], y[180:]\n" + HELD_OUT,
    mend={"= x, y, x": "= x[:180], y[:180], x"},
)
