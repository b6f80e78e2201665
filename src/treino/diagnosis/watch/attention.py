"""Weights that a softmax makes: they must sum to one over the axis that is then contracted."""

from typing import Any

from treino.diagnosis.watch import graph

SCALED = ("NativeDropoutBackward0", "MulBackward0", "DivBackward0")


def wrong_product(node: Any) -> tuple[Any, int, int] | None:
    """(softmax, its axis, the right one) where a batched product contracts another axis than that."""
    first = node.next_functions[0][0]
    if first is None:
        return None
    made, dim = _undropped(first, len(graph.shape_of(first)) - 1)
    if made is None or made.name() != "SoftmaxBackward0" or dim is None:
        return None
    shape = graph.shape_of(made)
    actual = graph.dim_of(made) % len(shape)
    queries = actual == len(shape) - 2 and dim == len(shape) - 1
    return (made, actual, dim) if queries or _over_batch(shape, actual, dim) else None


def wrong_pooling(node: Any) -> tuple[Any, int, int] | None:
    """The same of ``(weights * x).sum(1)`` where the softmax of ``weights`` ran over the batch."""
    dims = [graph.signed(d) for d in node._saved_dim]
    product = node.next_functions[0][0]
    if len(dims) != 1 or product is None or product.name() != "MulBackward0":
        return None
    whole = graph.shape_of(product)
    for factor, _ in product.next_functions:
        if factor is None:
            continue
        made, dim = _undropped(factor, dims[0] % len(whole))
        if made is None or made.name() != "SoftmaxBackward0" or dim is None:
            continue
        shape = graph.shape_of(made)
        actual = graph.dim_of(made) % len(shape)
        weights = graph.shape_of(factor)
        spread = len(weights) == len(whole) and weights[-1] == 1 < whole[-1]  # one weight for a whole vector
        if spread and _over_batch(shape, actual, dim):
            return made, actual, dim
    return None


def _over_batch(shape: tuple[int, ...], actual: int, dim: int) -> bool:
    return actual == 0 < dim and len(shape) in (2, 3) and shape[0] > 1 and shape[dim] > 1


def _undropped(node: Any, dim: int | None) -> tuple[Any, int | None]:
    """What made these values, before views, dropout and constant masks; and its axis that is ``dim`` here."""
    for _ in range(4):
        made, dim = graph.source(node, dim)
        parents = [f for f, _ in made.next_functions if f is not None] if made is not None else []
        scaled = made is not None and made.name() in SCALED
        if not scaled or len(parents) != 1 or graph.shape_of(parents[0]) != graph.shape_of(made):
            return made, dim
        node = parents[0]
    return None, None
