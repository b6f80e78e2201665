"""All paths from a quantity to the loss, and the slope along each; their sum is the derivative.

A net of named quantities, each a formula of earlier ones; the chain rule as a list of paths.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

from treino.formula import Expr, Symbol, derivative, value


@dataclass(frozen=True)
class Net:
    """A net of quantities. nodes: ``{symbol: its formula}``, each after the quantities in its formula; the
    last one is the end of every path."""

    nodes: Mapping[Symbol, Expr]

    @property
    def end(self) -> Symbol:
        return list(self.nodes)[-1]

    def users(self, of: Symbol) -> list[Symbol]:
        """The quantities whose formulas contain this one."""
        return [node for node, made in self.nodes.items() if _holds(made, of)]

    def slope(self, of: Symbol, by: Symbol) -> Expr:
        """The local derivative ∂of/∂by."""
        return derivative(self.nodes[of], by)

    def paths(self, start: Symbol) -> Iterator[tuple[Symbol, ...]]:
        """Every path from ``start`` to the end, both included."""
        if start == self.end:
            yield (start,)
        for user in self.users(start):
            for rest in self.paths(user):
                yield (start, *rest)

    def along(self, path: Sequence[Symbol]) -> Expr:
        """The product of the local derivatives of a path, from the end."""
        slopes = [self.slope(b, a) for a, b in pairwise(path)]
        return product(slopes[::-1])

    def value(self, changed: Symbol, by: float) -> float:
        """The end's number after one input has changed by ``by``."""
        numbers = {changed: changed.number + by}
        for node, made in self.nodes.items():
            numbers[node] = value(made, numbers)
        return numbers[self.end]


def product(factors: Sequence[Expr]) -> Expr:
    return reduce(lambda a, b: a * b, factors)


def named(name: str, made: Expr, sub: str = "") -> Symbol:
    """A symbol with the number of its formula."""
    return Symbol(name, value(made), sub)


def _holds(e: Expr, of: Symbol) -> bool:
    if isinstance(e, Symbol):
        return e == of
    return any(_holds(a, of) for a in getattr(e, "args", ()))
