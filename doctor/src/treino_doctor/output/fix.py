"""Fix findings mechanically: make line edits, then a patch; comments and layout stay."""

import ast
import difflib
import os
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from treino_doctor.finding import Finding, Site
from treino_doctor.places import source
from treino_doctor.places.bindings import bindings
from treino_doctor.places.reach import reaching
from treino_doctor.rules.choices import TEST, TRAIN


@dataclass(frozen=True)
class Edit:
    """Replace lines first to last (counted from 1; last < first inserts before first) by ``lines``."""

    first: int
    last: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Mended:
    """A fixed program. sources: changed file's path -> its new text; the files themselves are not changed."""

    sources: dict[str, str]
    diff: str
    rules: tuple[str, ...]


def patch(findings: Iterable[Finding]) -> Mended:
    """Fix each finding that has a mechanical fix, in any file, and return the patch.

    Left alone: a loop over test rows that learns from them, which has to go instead; and whatever would not
    compile afterwards.
    """
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.file is not None and finding.line is not None and finding.rule in MENDS:
            by_file.setdefault(finding.file, []).append(finding)
    sources: dict[str, str] = {}
    diffs: list[str] = []
    done: list[str] = []
    for file, group in by_file.items():
        try:
            with tokenize.open(file) as opened:  # in the encoding that the file declares
                before, end = opened.read(), opened.newlines
        except (OSError, SyntaxError, UnicodeDecodeError):  # not a readable file
            continue
        after, rules = _mended(file, before, group)
        if rules:
            sources[file] = after
            name = os.path.relpath(file)
            diffs += _difference(before, after, name, end if isinstance(end, str) else "\n")
            done += rules
    return Mended(sources, "".join(diffs), tuple(done))


def _difference(before: str, after: str, name: str, end: str) -> Iterator[str]:
    """The lines of a patch, with the file's own line ends."""
    texts = ([line + "\n" for line in text.split("\n")] for text in (before, after))
    old, new = (lines[:-1] if lines[-1] == "\n" else [*lines[:-1], lines[-1][:-1]] for lines in texts)
    for line in difflib.unified_diff(old, new, name, name):
        head = line.startswith(("--- ", "+++ ", "@@ "))
        whole = line.endswith("\n")
        text = line if head or end == "\n" else line.rstrip("\n") + end * whole
        yield text if whole else text + "\n\\ No newline at end of file\n"


def _mended(file: str, before: str, findings: list[Finding]) -> tuple[str, list[str]]:
    """Return a file's new text, and the rules whose findings were fixed."""
    lines = before.split("\n")
    edits: list[Edit] = []
    done: list[str] = []
    after = before
    for finding in findings:
        made = [] if _learns_from_test(_site(finding)) else MENDS[finding.rule](finding, lines)
        if not made or any(_meets(a, b) for a in made for b in edits):
            continue
        text = _edited(lines, [*edits, *made])
        if _compiles(text, file):
            after = text
            edits += made
            done.append(finding.rule)
    return after, done


def _edited(lines: list[str], edits: list[Edit]) -> str:
    text = [*lines]
    for edit in sorted(edits, key=lambda e: (e.first, e.last), reverse=True):
        text[edit.first - 1 : max(edit.last, edit.first - 1)] = edit.lines
    return "\n".join(text)


def _compiles(text: str, file: str) -> bool:
    try:
        compile(text, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _learns_from_test(site: Site) -> bool:
    """Whether a line lies in a loop over test rows, or in a function that tests, which runs backward."""
    loop, function = source.loop(site), source.function(site)
    over = source.names(getattr(loop, "iter", None)) if source.calls(loop, "backward") else set()
    name = str(getattr(function, "name", "")) if source.calls(function, "backward") else ""
    named = [set(source.words(one)) for one in (*over, name)]
    return any(words & TEST and not words & TRAIN for words in named)


def _meets(a: Edit, b: Edit) -> bool:
    return a.first <= max(b.last, b.first) and b.first <= max(a.last, a.first)


Mend = Callable[[Finding, list[str]], list[Edit]]


def _site(finding: Finding) -> Site:
    return Site(finding.file or "", finding.line or 0)


def _indent(lines: list[str], line: int) -> str:
    text = lines[line - 1]
    return text[: len(text) - len(text.lstrip())]


def _starts_its_line(lines: list[str], node: ast.stmt) -> bool:
    """Whether nothing stands before a statement: ``for x in rows: step(x)`` has two on a line."""
    return not lines[node.lineno - 1].encode()[: node.col_offset].strip()


def _insert(lines: list[str], before: int, text: str) -> Edit:
    return Edit(before, before - 1, (_indent(lines, before) + text,))


def _splice(lines: list[str], node: ast.expr, text: str) -> list[Edit]:
    """Replace an expression that is on one line."""
    if node.lineno != node.end_lineno:
        return []
    line = lines[node.lineno - 1].encode()
    new = line[: node.col_offset] + text.encode() + line[node.end_col_offset :]
    return [Edit(node.lineno, node.lineno, (new.decode(),))]


def _calls_on(site: Site) -> list[ast.Call]:
    """Calls that start on a line, the innermost last."""
    return [n for n in source.around(site) if isinstance(n, ast.Call) and n.lineno == site.line]


def _stepper(site: Site) -> str | None:
    """The object stepped after a line: ``optimizer`` in optimizer.step() or scaler.step(optimizer)."""
    after = [c for c in source.calls(source.function(site), "step") if c.lineno >= site.line]
    if not after or not isinstance(after[0].func, ast.Attribute):
        return None
    handed = after[0].args[0] if len(after[0].args) == 1 else None
    known = bindings(site.file).functions
    if isinstance(handed, (ast.Name, ast.Attribute)) and source.name_of(handed) not in known:
        return ast.unparse(handed)  # not a closure
    return ast.unparse(after[0].func.value)


def _net_called(site: Site) -> str | None:
    """The source of the net called on a line: the innermost call of a variable or of an attribute of ``self``
    that is no function, class or method.
    """
    for call in reversed(_calls_on(site) or source.calls(source.statement(site))):
        of = call.func
        if isinstance(of, ast.Name):
            made = reaching(site.file, of.id, of)
            if made and not any(d.how in ("made", "import") for d in made):
                return of.id
        elif ast.unparse(of) in {f"self.{name}" for name in bindings(site.file).attributes}:
            return ast.unparse(of)
    return None


def _zero_grad(finding: Finding, lines: list[str]) -> list[Edit]:
    site = _site(finding)
    optimizer, statement = _stepper(site), source.statement(site)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Attribute):  # not called
        return _splice(lines, statement.value, ast.unparse(statement.value) + "()")
    if optimizer is None or statement is None or not _starts_its_line(lines, statement):
        return []
    return [_insert(lines, statement.lineno, f"{optimizer}.zero_grad()")]


def _clear_earlier(finding: Finding, lines: list[str]) -> list[Edit]:
    site = _site(finding)
    statement = source.statement(site)
    before = [c.lineno for c in source.calls(source.function(site), "backward") if c.lineno < site.line]
    if statement is None or statement.lineno != statement.end_lineno or not before:
        return []
    if _indent(lines, max(before)) != _indent(lines, site.line):
        return []
    return [Edit(site.line, site.line, ()), _insert(lines, max(before), lines[site.line - 1].strip())]


def _call_step(finding: Finding, lines: list[str]) -> list[Edit]:
    for node in ast.walk(source.function(_site(finding))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute) and node.value.attr == "step":
            return _splice(lines, node.value, ast.unparse(node.value) + "()")
    return []


def _unsquash(finding: Finding, lines: list[str]) -> list[Edit]:
    """Replace F.softmax(a, 1), a.softmax(1) and self.softmax(a) by a, nn.Softmax(1) by nn.Identity()."""
    for call in _calls_on(_site(finding)):
        name = source.name_of(call)
        if name in ("Softmax", "Sigmoid"):
            return _splice(lines, call, "nn.Identity()")
        if name.lower() not in ("softmax", "sigmoid"):
            continue
        squashed = call.args[0] if call.args and not isinstance(call.args[0], ast.Constant) else None
        if squashed is None and isinstance(call.func, ast.Attribute):
            squashed = call.func.value
        return _splice(lines, call, ast.unparse(squashed)) if squashed is not None else []
    return []


def _right_dim(finding: Finding, lines: list[str]) -> list[Edit]:
    right = finding.evidence.get("right", 1)
    for call in _calls_on(_site(finding)):
        name = source.name_of(call).lower()
        if "softmax" not in name and name not in ("argmax", "max"):
            continue
        for keyword in call.keywords:
            if keyword.arg in ("dim", "axis"):
                return _splice(lines, keyword.value, str(right))
        dims = [a for a in call.args if isinstance(a, (ast.Constant, ast.UnaryOp))]
        if dims:
            return _splice(lines, dims[-1], str(right))
        text = ast.unparse(call)
        return _splice(lines, call, text[:-1] + (f", dim={right})" if call.args else f"dim={right})"))
    return []


def _evaluate(finding: Finding, lines: list[str]) -> list[Edit]:
    """Insert net.eval() before the block that evaluates, and net.train() after it; or give F.dropout, which
    neither reaches, training=self.training.
    """
    site = _site(finding)
    if finding.evidence.get("layers") == "F.dropout":
        return _heed_eval(site, lines)
    net, block = _net_called(site), _block(site)
    if net is None or block is None or block.end_lineno is None or _trains_too(site):
        return []
    if not _starts_its_line(lines, block):
        return []
    indent = _indent(lines, block.lineno)
    after = Edit(block.end_lineno + 1, block.end_lineno, (f"{indent}{net}.train()",))
    inside = isinstance(source.statement(site), ast.Return)
    return [_insert(lines, block.lineno, f"{net}.eval()"), *([] if inside else [after])]


def _heed_eval(site: Site, lines: list[str]) -> list[Edit]:
    inside = source.function(site)
    method = isinstance(inside, ast.FunctionDef) and [a.arg for a in inside.args.args][:1] == ["self"]
    for call in _calls_on(site) if method else ():
        if "dropout" in source.name_of(call) and source.argument(call, "training", 2) is None:
            return _splice(lines, call, f"{ast.unparse(call)[:-1]}, training=self.training)")
    return []


def _copy_state(finding: Finding, lines: list[str]) -> list[Edit]:
    for call in _calls_on(_site(finding)):
        if source.name_of(call) == "state_dict":
            return _splice(lines, call, f"{{k: v.clone() for k, v in {ast.unparse(call)}.items()}}")
    return []


def _block(site: Site) -> ast.stmt | None:
    """The with- or for-block around a line that has no backward; the statement itself if there is none."""
    best = source.statement(site)
    for node in reversed(source.around(site)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            break
        if isinstance(node, (ast.With, ast.For)):
            if source.calls(node, "backward", "step"):
                break
            best = node
    return best


def _trains_too(site: Site) -> bool:
    """Whether the loop runs backward below this line, so that it both evaluates and trains."""
    return any(c.lineno > site.line for c in source.calls(source.loop(site), "backward"))


def _no_grad(finding: Finding, lines: list[str]) -> list[Edit]:
    """Put the block that evaluates inside ``with torch.no_grad():``."""
    site = _site(finding)
    block = _block(site)
    if block is None or block.end_lineno is None or isinstance(block, ast.Return) or _trains_too(site):
        return []
    if not _starts_its_line(lines, block) or any(map(_spans_lines, ast.walk(block))):
        return []
    own = lines[block.lineno - 1 : block.end_lineno]
    unit = "\t" if any(text.startswith("\t") for text in lines) else "    "
    inside = tuple(unit + text if text.strip() else text for text in own)
    head = _indent(lines, block.lineno) + "with torch.no_grad():"
    return [Edit(block.lineno, block.end_lineno, (head, *inside))]


def _spans_lines(node: ast.AST) -> bool:
    """Whether a node is a text of several lines, which an indentation would change."""
    text = isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    return text and isinstance(node, ast.expr) and node.lineno != node.end_lineno


def _train_again(finding: Finding, lines: list[str]) -> list[Edit]:
    if finding.seen is None:
        return []
    loop, net = source.loop(finding.seen), _net_called(finding.seen)
    if loop is None or net is None or not loop.body or not _starts_its_line(lines, loop.body[0]):
        return []
    return [_insert(lines, loop.body[0].lineno, f"{net}.train()")]


def _shuffle(finding: Finding, lines: list[str]) -> list[Edit]:
    for call in _calls_on(_site(finding)):
        if source.name_of(call) == "DataLoader":
            for keyword in call.keywords:
                if keyword.arg == "shuffle":
                    return _splice(lines, keyword.value, "True")
            return _splice(lines, call, text_of(lines, call)[:-1] + ", shuffle=True)")
        if ast.unparse(call.func) == "torch.arange" and len(call.args) == 1 and not call.keywords:
            return _splice(lines, call.func, "torch.randperm")
    return []


def text_of(lines: list[str], node: ast.expr) -> str:
    """The text of an expression on one line."""
    return lines[node.lineno - 1].encode()[node.col_offset : node.end_col_offset].decode()


def _let_go(finding: Finding, lines: list[str]) -> list[Edit]:
    statement = source.statement(_site(finding))
    value: ast.expr | None = None
    if isinstance(statement, ast.AugAssign):
        value = statement.value
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and statement.value.args:
        value = statement.value.args[0]
    if (
        value is None
        or value.lineno != value.end_lineno
        or isinstance(value, (ast.Tuple, ast.List, ast.Dict))
    ):
        return []
    text = text_of(lines, value)
    text = text if isinstance(value, (ast.Name, ast.Call)) else f"({text})"
    return _splice(lines, value, f"{text}.detach()")


def _mean(finding: Finding, lines: list[str]) -> list[Edit]:
    for call in _calls_on(_site(finding)):
        for keyword in call.keywords:
            if keyword.arg == "reduction":
                return _splice(lines, keyword.value, '"mean"')
    return []


def _drop_line(finding: Finding, lines: list[str]) -> list[Edit]:
    statement = source.statement(_site(finding))
    if not isinstance(statement, ast.Expr) or statement.lineno != statement.end_lineno:
        return []
    return [Edit(statement.lineno, statement.lineno, (_indent(lines, statement.lineno) + "pass",))]


PLAIN = (ast.Name, ast.Attribute, ast.Subscript)  # computes nothing anew when it is written twice
SHAPES = ("flatten", "squeeze", "unsqueeze", "view", "reshape", "ravel", "select", "gather", "take_along_dim")


def _same_shape(finding: Finding, lines: list[str]) -> list[Edit]:
    for call in _calls_on(_site(finding)):
        if source.name_of(call) in SHAPES:  # the prediction was reshaped here
            return []
        if len(call.args) < 2 or any(one.lineno != one.end_lineno for one in call.args[:2]):
            continue
        answer, target = call.args[:2]
        changed, other = (target, answer) if isinstance(answer, ast.Name) else (answer, target)
        if isinstance(other, PLAIN) and isinstance(changed, (*PLAIN, ast.Call)):
            shape = f".reshape({text_of(lines, other)}.shape)"
            return _splice(lines, changed, text_of(lines, changed) + shape)
    return []


MENDS: dict[str, Mend] = {
    "missing_zero_grad": _zero_grad,
    "grad_cleared_before_step": _clear_earlier,
    "no_step": _call_step,
    "softmax_before_cross_entropy": _unsquash,
    "sigmoid_before_bce_with_logits": _unsquash,
    "softmax_wrong_dim": _right_dim,
    "metric_wrong_axis": _right_dim,
    "missing_eval": _evaluate,
    "missing_no_grad": _no_grad,
    "train_mode_never_restored": _train_again,
    "unshuffled_sorted": _shuffle,
    "graph_kept_alive": _let_go,
    "exploding_sum_loss": _mean,
    "seed_reset_each_epoch": _drop_line,
    "target_broadcast": _same_shape,
    "best_state_not_copied": _copy_state,
}
