"""Functions that do nothing but set seeds, whatever they are called: who calls them sets the seed."""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.provenance import Function
from treino.diagnosis.reading.source import call_name, enclosing, function_of, remembered

SEEDS = ("seed", "manual_seed", "manual_seed_all", "seed_everything", "use_deterministic_algorithms")


@remembered
def only_seeds(site: Site) -> bool:
    """Whether the function around a line only seeds generators and sets flags; a library calls methods."""
    around = function_of(site)
    if not isinstance(around, Function) or any(isinstance(n, ast.ClassDef) for n in enclosing(site)):
        return False
    return all(_seeds(statement) for statement in around.body)


def _seeds(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        return all(_seeds(inner) for inner in (*statement.body, *statement.orelse))
    if isinstance(statement, ast.Assign):  # torch.backends.cudnn.deterministic = True
        return all(isinstance(t, (ast.Attribute, ast.Subscript)) for t in statement.targets)
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) or (isinstance(value, ast.Call) and call_name(value) in SEEDS)
