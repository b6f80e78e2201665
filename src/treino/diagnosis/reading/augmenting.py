"""Evaluations whose rows a function of the script changes at random, as it does those of training."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import parameters
from treino.diagnosis.reading.names import says_train, words
from treino.diagnosis.reading.provenance import Function, data_names, definition, functions, origins
from treino.diagnosis.reading.source import (
    call_at,
    call_name,
    called,
    enclosing,
    first_given,
    function_of,
    statement_at,
    tree,
)
from treino.diagnosis.watch.eval_seen import EvalSeen
from treino.diagnosis.watch.reads import DRAWN, NUMPY
from treino.diagnosis.watch.tables import TrainSeen

DRAWS = (*DRAWN, *NUMPY, "integers")
# What a net is given in such a way on purpose, in evaluations too: codes, masks, attacks, votes.
MEANT = {
    *(
        "noisy",
        "noise",
        "corrupt",
        "corrupted",
        "robust",
        "robustness",
        "perturbed",
        "tta",
        "views",
        "encode",
    ),
    *(
        "spike",
        "spikes",
        "poisson",
        "rate",
        "bernoulli",
        "binarize",
        "binarise",
        "quantize",
        "mask",
        "masked",
    ),
    *("sample", "mc", "latent", "diffuse", "stochastic", "dither", "smooth", "smoothed", "smoothing", "vote"),
    *("votes", "attack", "adversarial", "fgsm", "pgd", "forward", "certify", "encoding", "encoded", "code"),
}


@dataclass(frozen=True)
class Changed:
    """Where rows of an evaluation are changed at random."""

    site: Site
    draw: int  # the line that draws


def changed_by_hand(e: EvalSeen, trains: list[TrainSeen]) -> Changed | None:
    """The line that gives an evaluation's rows to a function that changes them at random, always: one that
    training's rows are given to elsewhere.
    """
    site = e.names[0]
    call = call_at(site, e.spots[0]) if e.spots else None
    learning = {s.line for t in trains for s in (*t.way, t.site) if s is not None and s.file == site.file}
    given = first_given(call) if call is not None else None
    if call is None or given is None or _averages(e, call, learning):
        return None
    for place, value in _given(site, given):
        for inner in (n for n in ast.walk(value) if isinstance(n, ast.Call) and n.args):
            for function in functions(site.file, call_name(inner)):
                draw = _always_draws(site.file, function)
                if draw and _learns_with(site.file, function, inner, learning):
                    return Changed(place, draw)
    return None


def _given(site: Site, value: ast.AST) -> Iterator[tuple[Site, ast.AST]]:
    """What a net is given on a line, and what that was made of on lines before in the same function."""
    place, around = site, function_of(site)
    for _ in range(3):
        yield place, value
        made = definition(place, value.id) if isinstance(value, ast.Name) else None
        if made is None or made.loop or made.function not in (around, None) or made.line >= place.line:
            return
        place, value = Site(site.file, made.line), made.value


def _averages(e: EvalSeen, call: ast.Call, learning: set[int]) -> bool:
    """Whether a loop asks for the same rows again and again, as for views of them; epochs are none such, and
    the lines that learn ask for others.
    """
    names = data_names(first_given(call) or call)
    for i, site in enumerate(e.names):
        statement = statement_at(site)
        used = (names | origins(site, names)) if i == 0 else set()
        used |= data_names(statement) if i and statement is not None else set()
        for node in enclosing(site):
            heads: list[ast.comprehension] | list[ast.For] = []
            if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
                heads = node.generators
            elif isinstance(node, ast.For) and not trains_within(site.file, node):
                heads = [node]
            again = any(not data_names(h.target) & used and called(h.iter, "range") for h in heads)
            if again and (len(e.phases) < 2 or not isinstance(node, ast.For)):
                return True
    around = function_of(e.names[0])
    same = [c for c in ast.walk(around) if isinstance(c, ast.Call)] if around is not None else []
    return sum(ast.dump(c) == ast.dump(call) for c in same if c is call or c.lineno not in learning) > 1


def draws_on(site: Site) -> bool:
    """Whether a line gives something to a function of the file that draws, and that is all it does."""
    statement = statement_at(site)
    inner = [n for n in ast.walk(statement) if isinstance(n, ast.Call)] if statement is not None else []
    named = [f for c in inner if c.args for f in functions(site.file, call_name(c))]
    return any(_always_draws(site.file, f) for f in named)


def again_and_again(e: EvalSeen) -> bool:
    """Whether a counting loop runs around an evaluation, as for votes: one that trains nothing, or that makes
    the loader itself, as for folds.
    """
    loops = [n for site in e.names for n in enclosing(site) if isinstance(n, (ast.For, ast.comprehension))]
    counts = [n for n in loops if called(n.iter, "range")]
    return any(not trains_within(e.names[0].file, n) or _holds(n, e.loader) for n in counts)


def _holds(loop: ast.For | ast.comprehension, site: Site | None) -> bool:
    within = isinstance(loop, ast.For) and site is not None
    return within and loop.lineno <= site.line <= (loop.end_lineno or 0)  # type: ignore[union-attr]


def trains_within(path: str, node: ast.AST, deep: int = 3) -> bool:
    """Whether a piece of source trains, by functions of the file too: ``for seed in seeds: run(seed)``."""
    if called(node, "backward"):
        return True
    names = {call_name(c) for c in ast.walk(node) if isinstance(c, ast.Call)} if deep else set()
    return any(trains_within(path, f, deep - 1) for name in names for f in functions(path, name))


def _always_draws(path: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The line on which a function draws for the rows that it changes and gives back; 0 where it need not."""
    given = [n for n in parameters(function) if n not in ("self", "cls", "rng", "g", "gen", "generator")]
    returns = [n for n in ast.walk(function) if isinstance(n, ast.Return)]
    if not given or len(returns) != 1 or MEANT & set(words(function.name)) or says_train(set(given)):
        return 0
    back = returns[0].value
    if back is None or isinstance(back, (ast.Tuple, ast.Dict)):
        return 0
    made = data_names(back) | origins(Site(path, back.lineno), data_names(back))
    lines = [c.lineno for c in called(function, *DRAWS) if not _under_condition(path, function, c)]
    return lines[0] if lines and given[0] in made else 0


def _under_condition(path: str, function: ast.AST, draw: ast.Call) -> bool:
    """Whether a draw is only made where something else than chance wants it."""
    around = [n for n in enclosing(Site(path, draw.lineno)) if isinstance(n, (ast.If, ast.IfExp))]
    inside = [n for n in ast.walk(function) if n in around]
    return any(not called(n.test, *DRAWS) for n in inside if isinstance(n, (ast.If, ast.IfExp)))


def _learns_with(path: str, function: ast.AST, call: ast.Call, learning: set[int]) -> bool:
    """Whether a function is called elsewhere, too, where a net learns."""
    module = tree(path)
    for other in called(module, call_name(call)) if module is not None else ():
        around = function_of(Site(path, other.lineno))
        inside = isinstance(around, Function) and bool(called(around, "backward"))
        statement = statement_at(Site(path, other.lineno))
        lines = (
            range(statement.lineno, (statement.end_lineno or 0) + 1) if statement is not None else range(0)
        )
        if other.lineno != call.lineno and (
            inside or learning & set(lines) or _in_loop_with_backward(path, other)
        ):
            return True
    return False


def _in_loop_with_backward(path: str, call: ast.Call) -> bool:
    loops = [n for n in enclosing(Site(path, call.lineno)) if isinstance(n, (ast.For, ast.While))]
    return bool(loops) and bool(called(loops[-1], "backward"))
