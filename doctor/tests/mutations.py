"""Mutations: one line of a correct script inserted, removed or changed by a machine, and what the doctor must
then say.

An operator applies where the script's form leaves no doubt about what its change means (one optimizer, one
backward, one step in the same block, ...), so that each variant's expectation is known without running it.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from bed_scripts import NEAR, right
from zygote import examined


@dataclass(frozen=True)
class Variant:
    """rule: what must be found within three lines of ``line``; "" where the doctor must stay silent."""

    script: str
    operator: str
    text: str
    rule: str = ""
    line: int = 0

    @property
    def name(self) -> str:
        return f"{self.operator}-{self.script}"


class Source:
    """A script as lines and as a tree."""

    def __init__(self, path: Path) -> None:
        self.name, self.text = path.stem, path.read_text()
        self.lines = self.text.splitlines()
        self.tree = ast.parse(self.text)
        self.nodes: list[Any] = list(ast.walk(self.tree))
        blocks = (getattr(node, name, None) for node in self.nodes for name in ("body", "orelse"))
        self.blocks: list[list[ast.stmt]] = [block for block in blocks if isinstance(block, list)]

    @cached_property
    def loop(self) -> "Loop | None":
        """The script's loop, where it has no more than the plain one."""
        return _plain_loop(self)

    def calls(self, *names: str) -> list[ast.Call]:
        """Calls of methods or functions with these last names."""
        return [n for n in self.nodes if isinstance(n, ast.Call) and last(n.func) in names]

    def statements(self, name: str) -> list[tuple[list[ast.stmt], int, ast.Call]]:
        """``X.name(...)`` that stand alone on a line: (block, place in it, call)."""
        return [
            (block, place, s.value)
            for block in self.blocks
            for place, s in enumerate(block)
            if isinstance(s, ast.Expr)
            and isinstance(s.value, ast.Call)
            and isinstance(s.value.func, ast.Attribute)
            and s.value.func.attr == name
            and s.lineno == s.end_lineno
            and sum(other.lineno == s.lineno for other in block) == 1
        ]

    def without(self, *numbers: int) -> str:
        """The text without some lines; a block that would be empty passes."""
        return self.changed({n: self.indent(n) + "pass" for n in numbers})

    def changed(self, lines: dict[int, str]) -> str:
        return "\n".join(lines.get(n, text) for n, text in enumerate(self.lines, 1)) + "\n"

    def inserted(self, after: int, text: str, like: int | None = None) -> str:
        """A line behind line ``after``, indented as that one, or as line ``like``."""
        new = self.indent(like or after) + text
        return "\n".join([*self.lines[:after], new, *self.lines[after:]]) + "\n"

    def indent(self, number: int) -> str:
        line = self.lines[number - 1]
        return line[: len(line) - len(line.lstrip())]

    def spliced(self, node: ast.expr, text: str) -> str:
        """An expression on one line replaced."""
        line = self.lines[node.lineno - 1].encode()
        new = line[: node.col_offset] + text.encode() + line[node.end_col_offset :]
        return self.changed({node.lineno: new.decode()})

    def segment(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.text, node) or ""


def last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


@dataclass(frozen=True)
class Loop:
    """The plain loop: one optimizer that is cleared, one backward, one step, all in one block."""

    optimizer: str
    clear: int
    backward: int
    step: int
    loss: str


def _plain_loop(s: Source) -> Loop | None:
    clears, backwards, steps = (s.statements(name) for name in ("zero_grad", "backward", "step"))
    made = [n for n in s.nodes if isinstance(n, ast.Call) and "torch.optim." in ast.unparse(n.func)]
    made = [n for n in made if "lr_scheduler" not in ast.unparse(n.func)]
    if not len(clears) == len(backwards) == len(made) == 1 or len(s.calls("backward", "zero_grad")) != 2:
        return None
    (block, clear, clearing), (other, backward, running) = clears[0], backwards[0]
    receiver = ast.unparse(clearing.func.value)  # type: ignore[attr-defined]
    mine = [(b, n) for b, n, call in steps if ast.unparse(call.func.value) == receiver and not call.args]  # type: ignore[attr-defined]
    if block is not other or len(mine) != 1 or mine[0][0] is not block or mine[0][1] < backward:
        return None
    if any("grad" in text and "zero_grad" not in text and "no_grad" not in text for text in s.lines):
        return None  # it does something to its gradients
    if any(word in s.text for word in ("LBFGS", "GradScaler", "closure", "momentum_buffer")):
        return None
    loss = running.func.value  # type: ignore[attr-defined]
    number = [block[n].lineno for n in (clear, backward, mine[0][1])]
    return Loop(receiver, *number, loss.id if isinstance(loss, ast.Name) else "")


Made = Iterator[tuple[str, str, int]]  # text, rule, line


# --- zero_grad and step -------------------------------------------------------------------------------
def drop_zero_grad(s: Source) -> Made:
    if (loop := s.loop) is not None:
        yield s.without(loop.clear), "missing_zero_grad", loop.backward


def clear_before_step(s: Source) -> Made:
    if (loop := s.loop) is not None:
        text = s.inserted(loop.backward, f"{loop.optimizer}.zero_grad()")
        yield text, "grad_cleared_before_step", loop.backward


def never_step(s: Source) -> Made:
    if (loop := s.loop) is not None and f"{loop.optimizer}.step()" in s.lines[loop.step - 1]:
        text = s.changed({loop.step: s.lines[loop.step - 1].replace(".step()", ".step")})
        yield text, "no_step", loop.backward


def clear_by_hand(s: Source) -> Made:
    if (loop := s.loop) is not None:
        text = f"for g in {loop.optimizer}.param_groups: [setattr(p, 'grad', None) for p in g['params']]"
        yield s.changed({loop.clear: s.indent(loop.clear) + text}), "", 0


# --- detach -------------------------------------------------------------------------------------------
def cut_loss(s: Source) -> Made:
    if (loop := s.loop) is not None and loop.loss:
        text = f"{loop.loss} = {loop.loss}.detach().requires_grad_()"
        yield s.inserted(loop.backward - 1, text, like=loop.backward), "detached_loss", loop.backward


def keep_graphs(s: Source) -> Made:
    """A list that lives as long as the script takes each loss, graph and all."""
    if (loop := s.loop) is not None and loop.loss:
        text = f"globals().setdefault('history', []).append({loop.loss})"
        yield s.inserted(loop.backward, text), "graph_kept_alive", loop.backward + 1


# --- softmax ------------------------------------------------------------------------------------------
def _trained_entropy(s: Source) -> ast.Call | None:
    """The one call of cross-entropy whose value is the loss that is run backward."""
    loop = s.loop
    made = [n for n in s.nodes if isinstance(n, ast.Assign) and isinstance(n.value, ast.Call)]
    modules = {last(t) for n in made if last(n.value.func) == "CrossEntropyLoss" for t in n.targets}
    calls = s.calls("cross_entropy", *modules)
    if loop is None or len(calls) != 1 or not calls[0].args or calls[0].lineno != calls[0].end_lineno:
        return None
    others = "softmax", "Softmax", "kl_div", "reshape(-1", "view(-1", "transpose"
    plain = not any(word in s.text for word in others)
    near = loop.clear - 8 <= calls[0].lineno <= loop.backward
    return calls[0] if plain and near else None


def softmax_first(s: Source) -> Made:
    if (call := _trained_entropy(s)) is not None:
        text = s.spliced(call.args[0], f"torch.softmax({s.segment(call.args[0])}, dim=1)")
        yield text, "softmax_before_cross_entropy", call.lineno


def log_softmax_first(s: Source) -> Made:
    if (call := _trained_entropy(s)) is not None:
        yield s.spliced(call.args[0], f"torch.log_softmax({s.segment(call.args[0])}, dim=1)"), "", 0


# --- modes --------------------------------------------------------------------------------------------
def _modal(s: Source) -> bool:
    return any(layer in s.text for layer in ("nn.Dropout(", "nn.BatchNorm1d(", "nn.BatchNorm2d("))


def _judges(s: Source) -> list[ast.With]:
    """``with torch.no_grad():`` blocks that compute an accuracy."""
    blocks = [(n, ast.unparse(n)) for n in s.nodes if isinstance(n, ast.With)]
    quiet = [(n, text) for n, text in blocks if ast.unparse(n.items[0].context_expr) == "torch.no_grad()"]
    others = "mul_", "add_", "copy_", "lerp_", "range("
    return [n for n, text in quiet if "argmax" in text and not any(word in text for word in others)]


def drop_eval(s: Source) -> Made:
    """Needs: one net that drops or normalises, judged by an accuracy without gradients."""
    evals, judged = s.statements("eval"), _judges(s)
    if s.loop is not None and _modal(s) and len(evals) == 1 and len(judged) == 1:
        yield s.without(*(block[n].lineno for block, n, _ in evals)), "missing_eval", judged[0].lineno + 1


def eval_twice(s: Source) -> Made:
    for block, n, _ in s.statements("eval")[:1]:
        yield s.inserted(block[n].lineno, s.lines[block[n].lineno - 1].strip()), "", 0


def drop_train(s: Source) -> Made:
    """Needs: training and judging take turns in one loop, and one line goes back to training."""
    evals, trains = s.statements("eval"), [t for t in s.statements("train") if not t[2].args]
    if s.loop is None or not _modal(s) or len(evals) != 1 or len(trains) != 1:
        return
    (b, n, judging), (c, m, call) = evals[0], trains[0]
    net = ast.unparse(call.func.value)  # type: ignore[attr-defined]
    if net != ast.unparse(judging.func.value):  # type: ignore[attr-defined]
        return
    for around in (w for w in s.nodes if isinstance(w, (ast.For, ast.While))):
        made = {ast.unparse(t) for a in ast.walk(around) if isinstance(a, ast.Assign) for t in a.targets}
        if _spans(around, b[n].lineno) and _spans(around, c[m].lineno) and net not in made:
            yield s.without(c[m].lineno), "train_mode_never_restored", b[n].lineno
            return


def _spans(node: ast.stmt, number: int) -> bool:
    return node.lineno <= number <= (node.end_lineno or 0)


def drop_no_grad(s: Source) -> Made:
    """Needs: judged again and again, in the loop that trains (one graph at the end harms nobody)."""
    judged, loop = _judges(s), s.loop
    if loop is None or len(judged) != 1 or "no_grad" in s.text.replace("torch.no_grad():", "", 1):
        return
    number = judged[0].lineno
    both = [n for n in s.nodes if isinstance(n, ast.For) and _spans(n, number) and _spans(n, loop.step)]
    if any("nn." not in ast.unparse(n) for n in both):  # nor makes its net anew each time
        yield s.changed({number: s.indent(number) + "if True:"}), "missing_no_grad", number + 1


def no_grad_twice(s: Source) -> Made:
    for block in _judges(s)[:1]:
        text = "torch.set_grad_enabled(torch.is_grad_enabled())"
        yield s.inserted(block.lineno - 1, text, like=block.lineno), "", 0


def wrong_axis(s: Source) -> Made:
    """Needs: one accuracy, by argmax over the classes of rows."""
    calls, classes = s.calls("argmax"), (["1"], ["-1"])
    named = [c for c in calls if any([ast.unparse(k.value)] in classes for k in c.keywords)]
    calls = [c for c in calls if list(map(ast.unparse, c.args)) in classes or c in named]
    if s.loop is None or len(calls) != 1 or len(s.calls("argmax")) != 1 or len(_judges(s)) != 1:
        return
    call = calls[0]
    number = call.args[0] if call.args else call.keywords[0].value
    if len(_judges(s)[0].body) and "==" in s.lines[call.lineno - 1]:
        yield s.spliced(number, "0"), "metric_wrong_axis", call.lineno


# --- order and seeds ----------------------------------------------------------------------------------
def drop_shuffle(s: Source) -> Made:
    """Rows that were drawn at random have no order to lose."""
    tables = "load_iris", "load_wine", "load_breast", "TimeSeries"
    sorted_ = *tables, "sort", "arange", "cat(", "concat", "repeat"
    words = [n for n in s.nodes if isinstance(n, ast.keyword) and n.arg == "shuffle"]
    if len(words) == 1 and ast.unparse(words[0].value) == "True" and not any(w in s.text for w in sorted_):
        yield s.spliced(words[0].value, "False"), "", 0


# --- lines that change nothing ------------------------------------------------------------------------
def seed_at_first(s: Source) -> Made:
    for n in s.nodes:
        if isinstance(n, ast.Expr) and ast.unparse(n.value).startswith("torch.manual_seed("):
            yield s.inserted(n.lineno, s.lines[n.lineno - 1].strip()), "", 0
            return


GROUPS = "{optimizer}.param_groups"
EACH = f"for g in {GROUPS} for p in g['params']"
LINES = {  # a line behind one of the loop's that changes nothing
    "clear_twice": ("clear", "{optimizer}.zero_grad()"),
    "clear_after_step": ("step", "{optimizer}.zero_grad(set_to_none=False)"),
    "clip_at_infinity": ("backward", f"torch.nn.utils.clip_grad_norm_({GROUPS}[0]['params'], 1e9)"),
    "keep_numbers": ("backward", "globals().setdefault('history', []).append({loss}.detach())"),
    "look_at_loss": ("backward", "float({loss}.detach().mean())"),
    "look_at_gradients": ("backward", f"[p.grad is None or p.grad.norm() {EACH}]"),
    "look_at_weights": ("step", f"[p.detach().clone() {EACH}]"),
    "keep_state": ("step", "__import__('copy').deepcopy({optimizer}.state_dict())"),
}


def _line(name: str) -> Callable[[Source], Made]:
    where, text = LINES[name]

    def operator(s: Source) -> Made:
        if (loop := s.loop) is not None and (loop.loss or "{loss}" not in text):
            yield s.inserted(getattr(loop, where), text.format(**vars(loop))), "", 0

    operator.__name__ = name
    return operator


FAULTS = (
    *(drop_zero_grad, clear_before_step, never_step, cut_loss, keep_graphs, softmax_first),
    *(drop_eval, drop_train, drop_no_grad, wrong_axis),
)
HARMLESS = (
    *map(_line, LINES),
    *(clear_by_hand, log_softmax_first, eval_twice, no_grad_twice, drop_shuffle, seed_at_first),
)
OPERATORS: tuple[Callable[[Source], Made], ...] = (*FAULTS, *HARMLESS)


def scripts() -> list[Path]:
    """The correct scripts of the bed, and its faulty ones mended."""
    return right()


@cache
def sources() -> list[Source]:
    return [Source(path) for path in scripts()]


def variants(most: int, operators: Sequence[Callable[[Source], Made]] = ()) -> list[Variant]:
    """Every operator on the scripts that it applies to: on ``most`` of them, evenly taken."""
    operators = operators or OPERATORS
    made: dict[str, list[Variant]] = {operator.__name__: [] for operator in operators}
    for source in sources():
        for operator in operators:
            name = operator.__name__
            made[name] += [Variant(source.name, name, *each) for each in operator(source)]
    return [v[i] for v in made.values() for i in sorted({i * len(v) // most for i in range(most) if v})]


@dataclass(frozen=True)
class Judged:
    """found: the rule where it is expected. alarms: all other findings. defects: of the doctor itself."""

    variant: Variant
    found: bool
    alarms: tuple[tuple[str, int], ...]
    defects: tuple[str, ...]

    @property
    def right(self) -> bool:
        return self.found and not self.alarms and not self.defects


def judge(variant: Variant, folder: Path) -> Judged:
    """Run a variant under the doctor."""
    path = folder / f"{variant.script}.py"
    path.write_text(variant.text)
    seen = examined(path)
    places = [(rule, line) for rule, line, _certain in seen["findings"]]
    expected = [(r, n) for r, n in places if r == variant.rule]
    near = any(n is not None and abs(n - variant.line) <= NEAR for _rule, n in expected)
    others = tuple(p for p in places if p not in expected)
    return Judged(variant, near or not variant.rule, others, tuple(seen["defects"]))
