"""Where a learning rate is set, and settings that are given by another one's name."""

import ast
from collections.abc import Iterator

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.configured import setting_name
from treino.diagnosis.reading.handed import NAMES, handed_line, hops, names_another
from treino.diagnosis.reading.names import words
from treino.diagnosis.reading.places import told_line
from treino.diagnosis.reading.provenance import Function, definition, target_names
from treino.diagnosis.reading.source import (
    call_name,
    called,
    enclosing,
    function_of,
    names_in,
    statement_at,
    tree,
)
from treino.diagnosis.reading.weighing import name_of
from treino.diagnosis.watch.seen import OptimizerSeen, SchedulerSeen, Seen

SLOW = 0.1  # of the rate that an optimizer was made with
RATES = NAMES["lr"] - {"step", "learning"}


def rate_line(seen: Seen, o: OptimizerSeen) -> Site | None:
    """Where the rate of an optimizer is written: what it was made with, or the schedule that sets it."""
    plain = made_line(o)
    for schedule in seen.schedulers:
        if schedule.of is o and schedule.kind == "OneCycleLR":
            lines = [v.lineno for v in _values(schedule.site, "max_lr", 1)]
            place = handed_line(schedule.site, "max_lr", 1, schedule.base)
            told = len(lines) == 1 and schedule.site is not None and place is schedule.site
            return Site(place.file, lines[0]) if told and place is not None else place
        if schedule.of is o and schedule.kind == "LambdaLR":
            return _factor(schedule.site, whole=o.top_lr > 1.01 * o.made_lr) or plain
    if o.site is None or not o.top_lr > 1.01 * o.made_lr:
        return plain
    return _by_hand(o.site.file) or plain


def made_line(o: OptimizerSeen) -> Site | None:
    """Where the rate that an optimizer was made with is written, or worked out from other settings."""
    told = told_line(o.site, "lr")
    place = handed_line(told, "lr", said=o.made_lr)
    return (_worked_out(told) if place is told else None) or place


def _worked_out(site: Site | None) -> Site | None:
    """The one line that computes the rate which a call on this line is given: a product of settings under its
    name, or what a property or a function of the file gives back.
    """
    module = tree(site.file) if site is not None else None
    given = list(_values(site, "lr", None))
    if site is None or module is None or len(given) != 1:
        return None
    value: ast.AST = given[0]
    found: list[ast.AST] = []
    if isinstance(value, ast.Name) and (made := definition(site, value.id)) is not None:
        site, value = Site(site.file, made.line), made.value
        found = [value]
    name = setting_name(value)
    for node in ast.walk(module):
        if isinstance(node, Function):
            own = name if any("property" in n for d in node.decorator_list for n in names_in(d)) else None
            if node.name == (call_name(value) if isinstance(value, ast.Call) else own):
                found += [
                    n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value is not None
                ]
        elif isinstance(node, ast.Assign) and isinstance(value, ast.Attribute):
            found += [node.value for t in node.targets if getattr(t, "attr", None) == name]
    products = [v for v in found if isinstance(v, ast.BinOp) and len(names_in(v)) > 1]
    lines = {v.lineno for v in products} if len(products) == len(found) else set()
    return Site(site.file, lines.pop()) if len(lines) == 1 else None


def slowed(seen: Seen, o: OptimizerSeen) -> Site | None:
    """The line that keeps the rate of an optimizer far below the one it was made with, in all of its steps or
    in most: of the function of a schedule, of the schedule, of what sets the rate by hand.
    """
    own = [s for s in seen.schedulers if s.of is o]
    if own and all(s.peaked and s.starved > 0.6 * s.updates > 2 * s.calls for s in own):
        return own[0].site
    if not o.top_lr < SLOW * o.made_lr or any(s.peaked or not s.top for s in own):
        return None
    for s in own:
        if s.kind == "LambdaLR" and (s.calls > 0.5 * s.updates or is_rate_squared(s)):
            return _slow_factor(s.site) or s.site
        if s.calls > 0.5 * s.updates or s.kind == "ConstantLR":
            return s.site
    return _by_hand(o.site.file) if o.site is not None and not own else None


def is_rate_squared(s: SchedulerSeen) -> bool:
    """Whether the largest factor of a LambdaLR was the rate that it multiplies."""
    return s.kind == "LambdaLR" and 0 < s.base < SLOW and abs(s.top / s.base - s.base) < 0.02 * s.base


def _slow_factor(site: Site | None) -> Site | None:
    """The line of the function that a LambdaLR multiplies the rate by: the last that gives back a rate."""
    module = tree(site.file) if site is not None else None
    if site is None or module is None:
        return None
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    own = {n.name: n for n in ast.walk(module) if isinstance(n, kinds)}
    for function in _factors(site):
        returned = [
            n.value
            for name in names_in(function) & own.keys()
            for n in ast.walk(own[name])
            if isinstance(n, ast.Return) and n.value is not None and name_of(n.value) not in own
        ]
        rates = [v for v in returned if any(RATES & {*words(n)} for n in names_in(v) - own.keys())]
        written = rates or [n for n in ast.walk(function) if isinstance(n, ast.Lambda)] or returned
        if written:
            return Site(site.file, max(v.lineno for v in written))
    return None


def _factors(site: Site) -> Iterator[ast.AST]:
    """What a LambdaLR on this line is given to multiply the rate by."""
    statement = statement_at(site)
    for call in called(statement, "LambdaLR") if statement is not None else ():
        for given in (*call.args[1:2], *(k.value for k in call.keywords if k.arg == "lr_lambda")):
            made = definition(site, given.id) if isinstance(given, ast.Name) else None
            yield made.value if made is not None else given


def _factor(site: Site | None, *, whole: bool) -> Site | None:
    """The line of the function that a LambdaLR multiplies the rate by, where it makes the rate: more than it
    was (whole), or by powers of the steps.
    """
    module = tree(site.file) if site is not None else None
    if site is None or module is None:
        return None
    own = {n.name: n for n in ast.walk(module) if isinstance(n, Function)}
    for function in _factors(site):
        parts = [function, *(own[name] for name in names_in(function) & own.keys())]
        lines = [function.lineno] if isinstance(function, ast.Lambda) else []
        lines += [n.lineno for part in parts for n in ast.walk(part) if isinstance(n, ast.Return)]
        powers = any(isinstance(n, ast.Pow) for n in ast.walk(parts[-1]))
        if len(lines) == 1 and (whole or powers):
            return Site(site.file, lines[0])
    return None


def _by_hand(path: str) -> Site | None:
    """The only line that gives the groups of an optimizer a rate: that of the function which works it out."""
    module = tree(path)
    assigned = [n for n in (ast.walk(module) if module is not None else ()) if isinstance(n, ast.Assign)]
    given = [n for n in assigned if any(_is_rate(t, Site(path, n.lineno)) for t in n.targets)]
    if module is None or len(given) != 1:
        return None
    site = Site(path, given[0].lineno)
    value: ast.AST = given[0].value
    if isinstance(value, ast.Name) and (made := definition(site, value.id)) is not None:
        site, value = Site(path, made.line), made.value
    own = {n.name: n for n in ast.walk(module) if isinstance(n, Function)}
    for call in called(value, *own):
        returns = [n for n in ast.walk(own[call_name(call)]) if isinstance(n, ast.Return)]
        if len(returns) == 1:
            return Site(path, returns[0].lineno)
    return site


def _is_rate(target: ast.AST, site: Site) -> bool:
    """``group["lr"]`` of an optimizer's groups."""
    if not isinstance(target, ast.Subscript) or getattr(target.slice, "value", None) != "lr":
        return False
    loops = [n for n in enclosing(site) if isinstance(n, ast.For)]
    return "param_groups" in names_in(target.value).union(*(names_in(n.iter) for n in loops))


def another_setting(site: Site | None, keyword: str, position: int | None = None) -> bool:
    """Whether what a call on this line is given as a setting bears the name of another one:
    ``weight_decay=cfg.dropout``; or what the function around is given for it.
    """
    if site is None:
        return False
    return any(
        names_another(v, keyword) or any(names_another(h, keyword) for _, h in hops(site, v, keyword))
        for v in _values(site, keyword, position)
    )


def _values(site: Site | None, keyword: str, position: int | None) -> Iterator[ast.expr]:
    statement = statement_at(site) if site is not None else None
    for node in ast.walk(statement) if statement is not None else ():
        if isinstance(node, ast.Call):
            yield from (k.value for k in node.keywords if k.arg == keyword)
            if position is not None:
                yield from node.args[position : position + 1]
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            yield from (v for k, v in pairs if getattr(k, "value", None) == keyword)


def given_rate(place: Site | None) -> Site | None:
    """The only line that makes an object of one's own which moves weights here, by a rate that it keeps."""
    module = tree(place.file) if place is not None else None
    if place is None or module is None:
        return None
    owners = [n for n in enclosing(place) if isinstance(n, ast.ClassDef)]
    calls = called(module, owners[-1].name) if owners else []
    around = function_of(place) or module
    own = {w for n in ast.walk(around) if isinstance(n, ast.Attribute) for w in words(n.attr)}
    return Site(place.file, calls[0].lineno) if len(calls) == 1 and own & {"lr", "rate", "eta"} else None


def moved_by_hand(site: Site | None) -> Site | None:
    """Where parameters are moved by their ``.grad`` without an optimizer: the number that scales it, where
    it has a name; where an object of one's own does it, the only line that makes one.
    """
    module = tree(site.file) if site is not None else None
    for node in ast.walk(module) if site is not None and module is not None else ():
        if not isinstance(node, (ast.AugAssign, ast.Assign, ast.Expr)) or "grad" not in names_in(node.value):
            continue
        moves = not isinstance(node, ast.Expr) or called(node.value, "sub_", "add_", "copy_")
        if not moves or called(node.value, "zero_", "clone", "grad"):
            continue
        assert site is not None
        place = Site(site.file, node.lineno)
        if (made := given_rate(place)) is not None:
            return made
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        own = {n for t in targets if t is not None for n in target_names(t)}
        known = [definition(place, n) for n in sorted(names_in(node.value) - own - {"grad", "data", "torch"})]
        numbers = [m for m in known if m is not None and isinstance(m.value, ast.Constant)]
        return Site(site.file, numbers[0].line) if len(numbers) == 1 else place
    return None


def shrinking_line(path: str) -> Site | None:
    """The line that makes every parameter of a net smaller, in a loop over them: ``p.mul_(1 - decay)``."""
    module = tree(path)
    for loop in ast.walk(module) if module is not None else ():
        if not isinstance(loop, ast.For) or not called(loop.iter, "parameters", "named_parameters"):
            continue
        each = target_names(loop.target)
        for node in ast.walk(loop):
            if isinstance(node, ast.AugAssign):
                own = bool(each & names_in(node.target))
                shrinks = isinstance(node.op, ast.Mult) or bool(each & names_in(node.value))
            elif isinstance(node, ast.Expr):
                calls = called(node.value, "mul_", "div_")
                own = shrinks = any(each & names_in(c.func) for c in calls)
            else:
                continue
            if own and shrinks and not {"grad", "add_", "lerp_"} & names_in(node):
                return Site(path, node.lineno)
    return None
