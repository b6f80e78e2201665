"""Where a person would edit, told from the source around the lines on which something was seen."""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.source import assignment, enclosing, function_of, names_in, root_name, statement_at

OFF = {"no_grad", "inference_mode", "set_grad_enabled"}


def no_grad_around(sites: tuple[Site, ...]) -> Site | None:
    """The ``with torch.no_grad():``, or the decorator, under which these lines run."""
    for site in sites:
        for node in reversed(enclosing(site)):
            if isinstance(node, ast.With) and any(names_in(i.context_expr) & OFF for i in node.items):
                return Site(site.file, node.lineno, site.function)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found = [d for d in node.decorator_list if names_in(d) & OFF]
                if found:
                    return Site(site.file, found[0].lineno, site.function)
    return None


def passes_on(site: Site | None) -> bool:
    """Whether a line only computes with the arguments of its function: whoever calls it chose the shapes."""
    if site is None:
        return False
    around, statement = function_of(site), statement_at(site)
    if not isinstance(around, ast.FunctionDef) or statement is None:
        return False
    given = {a.arg for a in (*around.args.posonlyargs, *around.args.args, *around.args.kwonlyargs)} - {"self"}
    stored = {n.id for n in ast.walk(around) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return len((given - stored) & names_in(statement)) >= 2


def caller(sites: tuple[Site, ...]) -> Site | None:
    """The innermost of these lines that doesn't only pass on what it was given."""
    return next((s for s in sites if not passes_on(s)), sites[0] if sites else None)


def loss_made(site: Site | None) -> Site | None:
    """Where the function that computes the loss is called whose backward is called on this line."""
    if site is None:
        return None
    name = root_name(site)
    return (assignment(site, name, follow=False) if name else None) or site


def same_loop(inner: tuple[Site, ...], other: Site | None) -> bool:
    """Whether a line stands in the very loop from which another (with its callers) was reached."""
    if other is None:
        return False
    for site in inner:
        if site.file == other.file and function_of(site) is function_of(other):
            return _loops(site)[-1:] == _loops(other)[-1:]
    return True


def _loops(site: Site) -> list[ast.AST]:
    return [n for n in enclosing(site) if isinstance(n, (ast.For, ast.While))]


def batches_made(sites: tuple[Site, ...]) -> Site | None:
    """The head of the loop over batches around the innermost of these lines that stands in one."""
    for site in sites:
        loops = [n for n in _loops(site) if isinstance(n, ast.For)]
        if loops:
            return Site(site.file, loops[-1].lineno, site.function)
    return sites[0] if sites else None
