"""Fixes of findings: edits of a script's text, at the syntax nodes of its lines, with names that it binds.

A fix makes no edit if it would have to guess: if two calls on a line might be meant, a name is not bound
there, or a lambda runs later than the line around it. Then it says why, or makes no edits.
"""

import ast
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from treino_doctor.base.words import N_, _
from treino_doctor.finding import Finding, Site
from treino_doctor.output.names import begin, dotted, name_for, sole
from treino_doctor.places import source
from treino_doctor.places.bindings import bindings, class_of, reaching, scope_of, statement_of
from treino_doctor.places.updates import stores

PLAIN = (ast.Name, ast.Attribute, ast.Subscript)  # can be written twice without computing anything again
TIGHT = (*PLAIN, ast.Call, ast.Constant)  # binds more tightly than any operator
# Why there is no fix: where several places, or none, could be meant; in a lambda; without an import.
SEVERAL = N_("no single place on the line can be meant")
RUNS_LATER = N_("it runs later or more often than its line, as in a lambda")
NO_NAME = N_("the script has no name for {name} there")
SHAPES = ("flatten", "squeeze", "unsqueeze", "view", "reshape", "ravel", "select", "gather", "take_along_dim")
SCHEDULE = re.compile("(?i:sched|plateau|restarts)|LR")  # matches the names of schedulers and their classes
SAMPLERS = "sampler", "batch_sampler", None  # None: **settings, which may hold anything
LATER = (ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)  # not run once, with its line


@dataclass(frozen=True)
class Edit:
    """Replace the characters of a file from start to end by ``text``; if start is end, insert it."""

    start: int
    end: int
    text: str


def pieces(text: str, edits: list[Edit]) -> list[str]:
    """The parts of an edited text: kept and new ones in turn. Insertions at one place stay as they came."""
    parts, end = [], 0
    for edit in sorted(edits, key=lambda e: (e.start, e.end)):
        parts += [text[end : edit.start], edit.text]
        end = edit.end
    return [*parts, text[end:]]


def edited(text: str, edits: list[Edit]) -> str:
    """A text with its edits made."""
    return "".join(pieces(text, edits))


class Script:
    """A file's text, with its own line endings, accessed by syntax nodes."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self._lines = io.StringIO(text, newline="").readlines()
        self._starts = [0, *accumulate(map(len, self._lines))]
        first = self._lines[0] if self._lines else ""
        self._end = first[len(first.rstrip("\r\n")) :] or "\n"

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def start(self, node: Any) -> int:
        """The position where a node starts."""
        return self._offset(node.lineno, node.col_offset)

    def end(self, node: Any) -> int:
        """The position where a node ends."""
        return self._offset(node.end_lineno, node.end_col_offset)

    def of(self, node: ast.AST) -> str:
        """The text of a node."""
        return self.text[self.start(node) : self.end(node)]

    def tight(self, node: ast.expr) -> str:
        """The text of an expression, in parentheses if it couldn't stand beside any operator."""
        return self.of(node) if isinstance(node, TIGHT) else f"({self.of(node)})"

    def instead(self, node: ast.AST, text: str) -> Edit:
        """Replace a node."""
        return Edit(self.start(node), self.end(node), text)

    def behind(self, node: ast.AST, text: str) -> Edit:
        """Write something directly behind a node."""
        return Edit(self.end(node), self.end(node), text)

    def argument(self, call: ast.Call, text: str) -> Edit:
        """Add an argument to a call."""
        close = self.end(call) - 1
        inside = self.text[self.end(call.func) : close].rstrip()
        comma = "" if inside.endswith((",", "(")) else ", "
        return Edit(close, close, comma + text)

    def _line(self, number: int) -> str:
        return self._lines[number - 1].rstrip("\r\n")

    def _indent(self, node: ast.stmt) -> str:
        line = self._line(node.lineno)
        return line[: len(line) - len(line.lstrip())]

    def leads(self, node: ast.stmt) -> bool:
        """Whether a statement is the first on its line, and that line continues no other."""
        goes_on = node.lineno > 1 and self._line(node.lineno - 1).endswith("\\")
        return not goes_on and not self.text[self._starts[node.lineno - 1] : self.start(node)].strip()

    def closes(self, node: ast.stmt) -> bool:
        """Whether nothing but a comment follows a statement on its line."""
        last = int(node.end_lineno or node.lineno)
        rest = self.text[self.end(node) : self._starts[last - 1] + len(self._line(last))].strip("; \t")
        return not rest or rest.startswith("#")

    def before(self, node: ast.stmt, text: str) -> Edit:
        """Put a statement before another: on a line of its own, if that one has one."""
        if self.leads(node):
            at = self._starts[node.lineno - 1]
            return Edit(at, at, self._indent(node) + text + self._end)
        return Edit(self.start(node), self.start(node), f"{text}; ")

    def after(self, node: ast.stmt, text: str) -> Edit:
        """Put a statement after another."""
        last = int(node.end_lineno or node.lineno)
        if self.leads(node) and self.closes(node):
            at = self._starts[last - 1] + len(self._line(last))
            return Edit(at, at, self._end + self._indent(node) + text)
        return self.behind(node, f"; {text}")

    def without(self, node: ast.stmt, block: list[ast.stmt]) -> tuple[Edit, str]:
        """(the edit that removes a statement from its block, the statement's text with its comment)."""
        if self.leads(node) and self.closes(node):
            first, last = self._starts[node.lineno - 1], self._starts[int(node.end_lineno or node.lineno)]
            return Edit(first, last, ""), self.text[first:last].strip("; \t\r\n")
        at = block.index(node)
        if at + 1 < len(block) and block[at + 1].lineno == node.end_lineno:
            return Edit(self.start(node), self.start(block[at + 1]), ""), self.of(node)
        return Edit(self.end(block[at - 1]), self.end(node), ""), self.of(node)

    def within(self, node: ast.stmt, head: str) -> list[Edit]:
        """Put a whole statement inside the block that ``head`` opens."""
        margin, lines = self._indent(node), range(node.lineno, int(node.end_lineno or node.lineno) + 1)
        tabs = "\t" in margin or (not margin and any(line.startswith("\t") for line in self._lines))
        unit = "\t" if tabs else "    "
        edits = [Edit(at := self._starts[node.lineno - 1], at, margin + head + self._end)]
        for number in (n for n in lines if self._line(n).strip()):
            at = self._starts[number - 1] + (len(margin) if self._line(number).startswith(margin) else 0)
            edits.append(Edit(at, at, unit))
        return edits


# ---- the contents of a line


def _leaves(site: Site) -> list[Any]:
    """The innermost statements that a line belongs to: several if semicolons separate them."""
    spanning = [n for n in source.around(site) if isinstance(n, ast.stmt)]
    outer = {id(a) for n in spanning for a in source.above(site.file, n)}
    return [n for n in spanning if id(n) not in outer]


def _calls_on(site: Site) -> list[ast.Call]:
    """Calls that start on a line, the innermost last."""
    return [n for n in source.around(site) if isinstance(n, ast.Call) and n.lineno == site.line]


def _later(file: str, node: ast.AST, kinds: tuple[type, ...] = LATER) -> bool:
    """Whether a node does not run once with its statement, as in a lambda."""
    around = (one for one in source.above(file, node) if isinstance(one, (ast.stmt, *kinds)))
    return isinstance(next(around, None), kinds)


def _block_of(file: str, node: ast.stmt) -> list[ast.stmt]:
    """The list of statements that contains this one."""
    parent = source.parents(file).get(id(node))
    blocks = (getattr(parent, name, None) for name in ("body", "orelse", "finalbody"))
    return next((b for b in blocks if isinstance(b, list) and node in b), [node])


# ---- names


def _same(file: str, expression: ast.AST, at: ast.AST, later: ast.AST) -> bool:
    """Whether an expression's names have the same values at a statement as at a later node."""
    for name in (n for n in ast.walk(expression) if isinstance(n, ast.Name)):
        one, two = (reaching(file, name.id, where) for where in (at, later))
        between = (d for d in two if begin(at) <= begin(d.statement) <= begin(later))
        own = scope_of(file, at)
        if {*map(id, one)} != {*map(id, two)} or any(scope_of(file, d.statement) is own for d in between):
            return False
    return True


def _binds(block: ast.AST, file: str, expression: ast.AST) -> bool:
    """Whether a block sets a name of an expression."""
    inside = {id(n) for n in ast.walk(block)}
    every = (n for n in ast.walk(expression) if isinstance(n, ast.Name))
    made = (d for n in every for d in reaching(file, n.id, n))
    return any(id(d.statement) in inside or id(d.inside) in inside for d in made if d.how != "parameter")


# ---- gradients

# Of a finding, its file and the line to edit. A str says why there are no edits.
Mend = Callable[[Finding, Script, Site], list[Edit] | str]


def _is_schedule(file: str, call: ast.Call) -> bool:
    of = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    name = source.name_of(of)
    made = reaching(file, name, of) if isinstance(of, ast.Name) else bindings(file).attributes.get(name, [])
    return any(SCHEDULE.search(one) for one in (name, *(source.name_of(d.value) for d in made)))


def _steps(file: str, nodes: Any) -> list[ast.Call]:
    """The calls of optimizers' ``step``."""
    methods = (c for c in source.calls(nodes, "step") if isinstance(c.func, ast.Attribute))
    return [c for c in methods if not _is_schedule(file, c)]


def _runs_backward(file: str, node: ast.AST, scope: ast.AST) -> bool:
    return any(scope_of(file, c) is scope for c in source.calls(node, "backward"))


def _first_backward(file: str, statement: ast.stmt, scope: ast.AST) -> ast.stmt | None:
    """The first statement of its block that runs backward for this one, which steps or clears."""
    block = _block_of(file, statement)
    at = block.index(statement)
    start = max((k + 1 for k in range(at) if _steps(file, block[k])), default=0)
    return next((one for one in block[start : at + 1] if _runs_backward(file, one, scope)), None)


def _zero_grad(finding: Finding, script: Script, site: Site) -> list[Edit] | str:
    """Clear before the first backward of the step; if that is elsewhere, directly after the step."""
    file = script.file
    plain = (s.value for s in _leaves(site) if isinstance(s, ast.Expr))
    uncalled = [v for v in plain if isinstance(v, ast.Attribute) and v.attr == "zero_grad"]
    if uncalled:
        return [script.behind(one, "()") for one in uncalled]
    seen = finding.seen if finding.seen is not None and finding.seen.file == file else site
    below = (c for c in _steps(file, source.function(site)) if c.lineno >= site.line)
    step = next(iter([*_steps(file, _leaves(seen)), *below]), None)
    if step is None:
        return _("no call of an optimizer's step was found in the same function")
    if _later(file, step):
        return _(RUNS_LATER)
    handed = step.args[0] if len(step.args) == 1 else None
    closure = isinstance(handed, ast.Lambda) or source.name_of(handed) in bindings(file).functions
    scaled = isinstance(handed, (ast.Name, ast.Attribute)) and not closure  # scaler.step(optimizer)
    of: Any = handed if scaled else step.func.value  # type: ignore[attr-defined]
    if any(isinstance(n, (ast.Call, ast.NamedExpr)) for n in ast.walk(of)):
        return _("the optimizer has no name of its own there")
    stepping, clearing = statement_of(file, step), f"{ast.unparse(of)}.zero_grad()"
    if closure:
        anchor = sole(s for s in _leaves(site) if _runs_backward(file, s, source.function(site)))
    else:
        anchor = _first_backward(file, stepping, scope_of(file, step))
    if anchor is not None and _same(file, of, anchor, step):
        return [script.before(anchor, clearing)]
    if closure:
        return _("the optimizer has no name of its own there")
    return [script.after(stepping, clearing)]


def _clear_earlier(finding: Finding, script: Script, site: Site) -> list[Edit] | str:
    file, leaves = script.file, _leaves(site)
    clearing = sole(s for s in leaves if isinstance(s, ast.Expr) and source.calls(s, "zero_grad"))
    if clearing is None or _later(file, source.calls(clearing, "zero_grad")[0]):
        return _(SEVERAL)
    anchor = _first_backward(file, clearing, scope_of(file, clearing))
    if anchor is None or anchor is clearing or not _same(file, clearing, anchor, clearing):
        return []
    away, text = script.without(clearing, _block_of(file, clearing))
    return [away, script.before(anchor, text)]


def _call_step(finding: Finding, script: Script, site: Site) -> list[Edit] | str:
    nodes = (n.value for n in ast.walk(source.function(site)) if isinstance(n, ast.Expr))
    named = [v for v in nodes if isinstance(v, ast.Attribute) and v.attr == "step"]
    optimizers = (v for v in named if not _is_schedule(script.file, ast.Call(v, [], [])))
    return [script.behind(one, "()") for one in optimizers]


# ---- losses


def _is_layer(file: str, call: ast.Call) -> bool:
    """Whether the call is of a layer that the script has set, ``self.softmax``, not of a tensor's method."""
    func = call.func
    made = bindings(file).attributes.get(func.attr, []) if isinstance(func, ast.Attribute) else []
    of = ast.unparse(func.value) if isinstance(func, ast.Attribute) else ""
    return any(d.receiver is not None and ast.unparse(d.receiver) == of for d in made)


def _squashing(site: Site, names: tuple[str, ...]) -> Iterator[tuple[ast.Call, str]]:
    """The calls on a line of functions, classes and methods of torch or NumPy with these names: (call, its
    full name, or "" for a method).
    """
    for call in _calls_on(site):
        full = dotted(site.file, call.func)
        known = full.startswith(("torch.", "numpy.")) or (not full and isinstance(call.func, ast.Attribute))
        if known and (full or source.name_of(call)).rpartition(".")[2] in names:
            yield call, full


def _unsquash(finding: Finding, script: Script, site: Site) -> list[Edit] | str:
    """Replace F.softmax(a, 1), a.softmax(1) and self.softmax(a) by a, nn.Softmax(1) by nn.Identity()."""
    found = sole(_squashing(site, ("Softmax", "Sigmoid", "softmax", "sigmoid")))
    if found is None:
        return _(SEVERAL)
    call, full = found
    if full.endswith(("Softmax", "Sigmoid")):
        name = name_for(script.file, "torch.nn.Identity", call)
        return [script.instead(call, f"{name}()")] if name else _(NO_NAME).format(name="torch.nn.Identity")
    handed = full or _is_layer(script.file, call)
    of: Any = source.argument(call, "input", 0) if handed else getattr(call.func, "value", None)
    return [] if of is None or isinstance(of, ast.Starred) else [script.instead(call, script.tight(of))]


def _right_dim(finding: Finding, script: Script, site: Site) -> list[Edit] | str:
    right, found = str(finding.evidence.get("right", 1)), sole(_squashing(site, ("argmax", "max")))
    if found is None or any(isinstance(a, ast.Starred) for a in found[0].args):
        return _(SEVERAL)
    call, full = found
    if any(k.arg is None for k in call.keywords):
        return []
    if (dim := source.argument(call, "dim", int(bool(full))) or source.argument(call, "axis")) is not None:
        return [script.instead(dim, right)]
    name = full or source.name_of(call)
    if not name.endswith("argmax"):
        return []  # max of all values is a single number
    of_array = full.startswith("numpy") or ".numpy" in script.of(call.func)
    return [script.argument(call, f"{'axis' if of_array else 'dim'}={right}")]


def _same_shape(finding: Finding, script: Script, site: Site) -> list[Edit] | str:
    edits: list[Edit] = []
    for call in _calls_on(site):
        if source.name_of(call) in SHAPES:  # the prediction was reshaped here
            return []
        known = dotted(script.file, call.func) or not isinstance(call.func, ast.Name)
        made = reaching(script.file, call.func.id, call) if isinstance(call.func, ast.Name) else []
        if len(call.args) < 2 or (not known and any(d.how == "made" for d in made)):
            continue
        answer, target = call.args[:2]
        changed, other = (target, answer) if isinstance(answer, ast.Name) else (answer, target)
        if isinstance(other, PLAIN) and isinstance(changed, (*PLAIN, ast.Call)):
            edits.append(script.behind(changed, f".reshape({script.of(other)}.shape)"))
    return edits if len(edits) == 1 else _(SEVERAL)


# ---- modes


def _net_call(site: Site) -> ast.Call | None:
    """The innermost call on a line of a variable, or of an attribute of ``self``, not of a function, class
    or method.
    """
    own = bindings(site.file).attributes
    for call in reversed(_calls_on(site) or source.calls(_leaves(site))):
        of = call.func
        if isinstance(of, ast.Name):
            made = reaching(site.file, of.id, of)
            # a function has no modes, a lambda or a partial one
            plain = (isinstance(d.value, ast.Lambda) or source.name_of(d.value) == "partial" for d in made)
            if made and not any(plain) and not any(d.how in ("made", "import") for d in made):
                return call
        elif ast.unparse(of) in {f"self.{name}" for name in own}:
            return call
    return None


def _block(site: Site, call: ast.Call, free: bool) -> ast.stmt | None:
    """The with- or for-block around a call that runs no backward and, if ``free``, sets neither its name
    nor a mode; else its statement. None on the head of what trains or of a function, or if it runs later.
    """
    best = statement_of(site.file, call)
    heads = hasattr(best, "args") or (hasattr(best, "body") and _trains(site.file, best))
    if heads or _later(site.file, call, (ast.Lambda, ast.GeneratorExp)):
        return None
    if free and _binds(best, site.file, call.func):
        return None
    for node in source.above(site.file, best):
        if isinstance(node, (*source.Function.__args__, ast.ClassDef)):
            break
        if isinstance(node, (ast.With, ast.For)):
            sets = free and (source.calls(node, "train") or _binds(node, site.file, call.func))
            if sets or _trains(site.file, node):
                break
            best = node
    return best  # type: ignore[no-any-return]


def _trains(file: str, node: ast.AST, depth: int = 3) -> bool:
    """Whether a piece of source runs backward or steps, itself or in functions of the file that it calls."""
    called = {source.name_of(c) for c in source.calls(node)}
    own = (f for name in called for f in bindings(file).functions.get(name, ()))
    inner = depth > 0 and any(f is not node and _trains(file, f, depth - 1) for f in own)
    return inner or not called.isdisjoint(("backward", "step"))


def _unseen_block(finding: Finding, call: ast.Call | None) -> str:
    """Why no block can be put around an evaluation."""
    if call is None:
        return _("no call of a net by a name of its own is on the line")
    return _("the net's call trains, too") if finding.evidence.get("trained") else _(RUNS_LATER)


def _leaves_early(block: ast.stmt) -> bool:
    """Whether the code after a block may never be reached."""
    own = {id(n) for loop in ast.walk(block) if isinstance(loop, source.Loop) for n in ast.walk(loop)}
    nodes = list(ast.walk(block))
    jumps = any(isinstance(n, (ast.Break, ast.Continue)) and id(n) not in own for n in nodes)
    return jumps or any(isinstance(n, (ast.Return, ast.Yield, ast.YieldFrom)) for n in nodes)


def _evaluate(finding: Finding, script: Script, site: Site) -> list[Edit] | str:
    """Insert net.eval() before the block that evaluates, and net.train() after it; or pass F.dropout, which
    neither of them changes, ``training=self.training``.
    """
    if finding.evidence.get("layers") == "F.dropout":
        return _heed_eval(site, script)
    call = _net_call(site)
    block = _block(site, call, True) if call is not None else None
    if call is None or block is None or finding.evidence.get("trained"):
        return _unseen_block(finding, call)
    net = ast.unparse(call.func)
    asleep = script.before(block, f"{net}.eval()")
    if not _leaves_early(block):
        return [asleep, script.after(block, f"{net}.train()")]
    wakes = (isinstance(c.func, ast.Attribute) for c in source.calls(source.module(script.file), "train"))
    # else training would continue in eval mode
    return [asleep] if any(wakes) else _("the line may leave its function, and nothing calls train() again")


def _heed_eval(site: Site, script: Script) -> list[Edit] | str:
    inside = source.function(site)
    around = class_of(script.file, inside)
    method = around is not None and around.bases and not getattr(inside, "decorator_list", ())
    named = inside.args.args if method and isinstance(inside, source.Function) else []
    dropouts = [c for c in _calls_on(site) if "dropout" in source.name_of(c)]
    bare = sole(c for c in dropouts if source.argument(c, "training", 2) is None)
    return [script.argument(bare, f"training={named[0].arg}.training")] if bare and named else _(SEVERAL)


def _no_grad(finding: Finding, script: Script, site: Site) -> list[Edit] | str:
    """Put the block that evaluates inside ``with torch.no_grad():``."""
    call = _net_call(site) or next(iter(_calls_on(site)), None)
    block = _block(site, call, False) if call is not None else None
    yields = block is not None and any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in ast.walk(block))
    if block is None or yields or finding.evidence.get("trained"):
        return _unseen_block(finding, call)
    name = name_for(script.file, "torch.no_grad", block)
    if not name:
        return _(NO_NAME).format(name="torch.no_grad")
    if not (script.leads(block) and script.closes(block)) or any(map(_spans_lines, ast.walk(block))):
        return _("other statements share its lines, or a text in it spans several")
    return script.within(block, f"with {name}():")


def _spans_lines(node: ast.AST) -> bool:
    """Whether a node is a string of several lines, which indentation would change."""
    text = isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    return text and isinstance(node, ast.expr) and node.lineno != node.end_lineno


def _train_again(finding: Finding, script: Script, site: Site) -> list[Edit] | str:
    seen = finding.seen
    if seen is None or seen.file != script.file:
        return []
    loop, call = source.loop(seen), _net_call(seen)
    if loop is None or call is None or _later(script.file, call, (ast.Lambda,)):
        return _("no call of a net by a name of its own is on the line")
    if _binds(ast.Module([*loop.body], []), seen.file, call.func):
        return []
    return [script.before(loop.body[0], f"{ast.unparse(call.func)}.train()")]


def _let_go(finding: Finding, script: Script, site: Site) -> list[Edit] | str:
    """Detach the value that a line sums or stores, there and wherever else its function does so."""
    leaves = _leaves(site)
    value = sole(v for one in leaves for v in _kept_by(one))
    if value is None or isinstance(value, (ast.Tuple, ast.List, ast.Dict, ast.Starred)):
        return _(SEVERAL)
    inside = ast.walk(source.function(site)) if isinstance(value, ast.Name) else ()
    lines = (n for n in inside if isinstance(n, ast.stmt) and n not in leaves and not hasattr(n, "body"))
    others = (v for n in lines if stores(n, source.names(value)) for v in _kept_by(n))
    every = (value, *(v for v in others if ast.unparse(v) == ast.unparse(value)))
    return [script.instead(v, f"{script.tight(v)}.detach()") for v in every]


def _kept_by(one: ast.stmt) -> list[ast.expr]:
    """The values that a statement sums or stores."""
    values: list[ast.expr] = []
    if isinstance(one, ast.AugAssign):
        values = [one.value]
    elif isinstance(one, ast.Assign) and isinstance(one.value, ast.BinOp):  # total = total + loss
        own = ast.unparse(one.targets[0])
        values = [side for side in (one.value.left, one.value.right) if ast.unparse(side) != own]
    elif isinstance(one, ast.Expr) and source.name_of(one.value) in ("append", "add", "appendleft"):
        values = getattr(one.value, "args", [])[-1:]
    return [v for v in values if not isinstance(v, ast.Constant)]


def _copy_state(finding: Finding, script: Script, site: Site) -> list[Edit] | str:
    if (call := sole(c for c in _calls_on(site) if source.name_of(c) == "state_dict")) is None:
        return _(SEVERAL)
    return [script.instead(call, f"{{k: v.clone() for k, v in {script.of(call)}.items()}}")]


# ---- data and settings


def _shuffle(finding: Finding, script: Script, site: Site) -> list[Edit] | str:
    found = [(c, dotted(script.file, c.func)) for c in _calls_on(site)]
    loads = re.compile(r"torch\.utils\.data\.(.*\.)?DataLoader")
    made = sole(c for c, full in found if loads.fullmatch(full))
    order = sole(c for c, full in found if full == "torch.arange" and len(c.args) == 1 and not c.keywords)
    if made is not None:
        if (value := source.argument(made, "shuffle", 2)) is not None:
            return [script.instead(value, "True")]
        drawn = any(k.arg in SAMPLERS for k in made.keywords) or len(made.args) > 2
        starred = any(isinstance(a, ast.Starred) for a in made.args)
        return [] if drawn or starred else [script.argument(made, "shuffle=True")]
    name = name_for(script.file, "torch.randperm", order) if order is not None else ""
    if order is None:
        return _(SEVERAL)
    return [script.instead(order.func, name)] if name else _(NO_NAME).format(name="torch.randperm")


MENDS: dict[str, Mend] = {
    "missing_zero_grad": _zero_grad,
    "grad_cleared_before_step": _clear_earlier,
    "no_step": _call_step,
    **dict.fromkeys(("softmax_before_cross_entropy", "sigmoid_before_bce_with_logits"), _unsquash),
    "metric_wrong_axis": _right_dim,
    "missing_eval": _evaluate,
    "train_mode_never_restored": _train_again,
    "unshuffled_sorted": _shuffle,
    "graph_kept_alive": _let_go,
    "target_broadcast": _same_shape,
    "best_state_not_copied": _copy_state,
    "missing_no_grad": _no_grad,  # last, since other fixes may edit the lines that it encloses
}
"""In order of precedence: if two fixes overlap, the first is made."""
