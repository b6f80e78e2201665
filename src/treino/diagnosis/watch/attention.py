"""Weights that a softmax makes: they must sum to one over the axis that is then contracted."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from treino.diagnosis.watch import graph

SCALED = ("NativeDropoutBackward0", "MulBackward0", "DivBackward0")
ON_SCORES = {*SCALED, "AddBackward0", "MaskedFillBackward0", "WhereBackward0"}
Found = tuple[Any, int, int]  # (softmax, its axis, the right one)


def wrong_weights(nodes: list[Any]) -> Iterator[Found]:
    """The softmaxes of a graph whose values are then summed over another axis."""
    rows = graph.rows(nodes[0])
    over_rows = any(n.name() == "SoftmaxBackward0" and graph.squash(n)[1] == 0 for n in nodes)
    for node in nodes:
        name, found = node.name(), None
        if name == "BmmBackward0":
            found = _wrong_product(node)
        elif name == "MmBackward0":
            found = _wrong_mixture(node, rows)
        elif name == "SumBackward1":
            found = _wrong_pooling(node, rows)
        elif name == "AddBackward0" and over_rows:
            found = _wrong_sum(node, rows)
        elif name == "LogsumexpBackward0":
            found = _wrong_shares(node)
        if found is not None:
            yield found


def _wrong_product(node: Any) -> Found | None:
    """A batched product, as of matmul and einsum, contracts the last axis of the first and the last but one
    of the second.
    """
    for place, (factor, _) in enumerate(node.next_functions):
        if factor is None:
            continue
        contracted = len(graph.shape_of(factor)) - 1 - place
        made, actual, dim = _weights(factor, contracted)
        if made is None:
            continue
        if _over_queries(factor, made, actual, dim, 1 + place):
            return made, actual, dim
        shape = graph.shape_of(made)
        queries = not place and actual == len(shape) - 2 and dim == len(shape) - 1
        if queries or _over_batch(shape, actual, dim) or _over_one(shape, actual, dim):
            return made, actual, dim
        if _over_heads(factor, made, actual, dim, 1 + place):
            return made, actual, dim
        one_query = len(shape) == 2 and (actual, dim) == (1, 0) and graph.shape_of(factor)[1 + place] == 1
        if one_query and min(shape) > 1 and _weights(factor, 0)[2] == actual:
            return made, actual, dim  # one row of the batch beside the other: the first axis is that of time
    return None


def _over_heads(factor: Any, made: Any, actual: int, dim: int, other: int) -> bool:
    """Whether scores of queries and keys sum to one over an axis that the product keeps apart, as that of the
    heads. (Routing among parts has no queries; a soft choice of parts sums over what is no third axis.)
    """
    shape, whole = graph.shape_of(made), graph.shape_of(factor)
    if len(shape) != 4 or len(whole) != 3 or min(shape[actual], shape[dim], whole[other]) < 2:
        return False
    source, _, queries = _weights(factor, other)
    apart = source is made and len({actual, dim, queries}) == 3
    return apart and _is_product(made.next_functions[0][0])


def _over_queries(factor: Any, made: Any, actual: int, dim: int, other: int) -> bool:
    """Whether scores of queries and keys, the queries before the keys, sum to one over the queries."""
    if not actual < dim or len(graph.shape_of(factor)) != 3 or len(graph.shape_of(made)) < 3:
        return False
    source, _, queries = _weights(factor, other)
    return source is made and actual == queries and _is_product(made.next_functions[0][0])


def _is_product(node: Any) -> bool:
    """Whether scores are products of two vectors: scaled, masked, or with a bias on top."""
    todo = [node]
    for _ in range(12):
        made = graph.source(todo.pop(), None)[0] if todo else None
        if made is not None and made.name() == "BmmBackward0":
            return True
        if made is not None and made.name() in ON_SCORES:
            todo += [f for f, _ in made.next_functions if f is not None]
    return False


def _wrong_mixture(node: Any, rows: set[int]) -> Found | None:
    """``softmax(scores, 0) @ values`` where the first axis is that of the loss's rows."""
    factor = node.next_functions[0][0]
    made, actual, dim = _weights(factor, 1) if factor is not None else (None, 0, 0)
    if made is None or not _over_batch(graph.shape_of(made), actual, dim):
        return None
    shape = graph.shape_of(made)
    return (made, actual, dim) if shape[0] in rows and shape[0] != shape[dim] else None


def _wrong_pooling(node: Any, rows: set[int]) -> Found | None:
    """``(weights * x).sum(1)`` where the softmax of ``weights`` ran over the batch."""
    dims = [graph.signed(d) for d in node._saved_dim]
    product = node.next_functions[0][0]
    if len(dims) != 1 or product is None or product.name() != "MulBackward0":
        return None
    whole = graph.shape_of(product)
    for factor, _ in product.next_functions:
        weights = graph.shape_of(factor) if factor is not None else ()
        if not weights or len(weights) != len(whole):
            continue
        made, actual, dim = _weights(factor, dims[0] % len(whole))
        if made is None and weights[dims[0] % len(whole)] > 1 and graph.size(weights) < graph.size(whole):
            found = _over_a_column(factor)
            if found is not None:
                return found
        if made is None:
            continue
        shape = graph.shape_of(made)
        spread = graph.size(shape) < graph.size(whole)  # one weight for a whole vector
        expected = len(whole) == 2 and shape[0] in rows and shape[0] != shape[dim]
        if (spread or expected) and (_over_batch(shape, actual, dim) or _over_one(shape, actual, dim)):
            return made, actual, dim
        others = [f for f, _ in product.next_functions if f is not factor]
        beside = (actual, dim) == (1, 0) and min(shape[:2]) > 1
        beside = beside and ((len(shape), len(whole)) == (2, 3) or (len(shape) > 2 and shape[1] in rows))
        if spread and beside and any(map(_of_steps, others)):
            return made, actual, dim
    return None


def _over_a_column(factor: Any) -> Found | None:
    """Scores in one column [N, 1], each of which a softmax made to one before they were put in shape."""
    made = graph.source(factor, None)[0]
    kind, actual = graph.squash(made) if made is not None else ("", None)
    shape = graph.shape_of(made) if kind == "softmax" else ()
    single = actual == 1 and len(shape) == 2 and shape[1] == 1 < shape[0]
    return (made, 1, 0) if single else None


def _of_steps(node: Any) -> bool:
    """Whether values are those of one step below the other, each of a whole batch: a recurrent layer's."""
    for _ in range(3):
        if node is None or node.name() != "CatBackward0":
            break
        node = node.next_functions[0][0]  # both directions, side by side
    name = node.name() if node is not None else ""
    return name == "MkldnnRnnLayerBackward0" or (
        name == "StackBackward0" and graph.signed(node._saved_dim) == 0
    )


def _wrong_shares(node: Any) -> Found | None:
    """``logsumexp(log_weights + log_p, 1)`` where a mixture's log-softmax ran over the rows."""
    dims = [graph.signed(d) for d in node._saved_dim]
    mixed = node.next_functions[0][0]
    if len(dims) != 1 or mixed is None:
        return None
    whole = graph.shape_of(mixed)
    for term in _terms(mixed, "AddBackward0", "SubBackward0"):
        made, dim = graph.source(term, dims[0] % max(1, len(whole)))
        kind, actual = graph.squash(made) if made is not None else ("", None)
        if kind == "log_softmax" and actual is not None and dim is not None:
            shape = graph.shape_of(made)
            if len(shape) == len(whole) and _over_batch(shape, actual, dim):
                return made, actual, dim
    return None


def _wrong_sum(node: Any, rows: set[int]) -> Found | None:
    """``w[:, :1] * a + w[:, 1:] * b`` where the softmax of ``w`` ran over the rows."""
    columns: Counter[Any] = Counter()
    for term in _terms(node, "AddBackward0"):
        for factor, _ in term.next_functions if term.name() == "MulBackward0" else ():
            if factor is not None and graph.size(graph.shape_of(factor)) in rows:
                made = graph.source(factor, None)[0]
                if made is not None and graph.squash(made) == ("softmax", 0):
                    columns[made] += 1
    for made, count in columns.items():
        shape = graph.shape_of(made)
        if count >= 2 and len(shape) == 2 and shape[0] in rows and shape[0] != shape[1]:
            return made, 0, 1
    return None


def _terms(node: Any, *signs: str) -> list[Any]:
    """What a sum is made of that is written with these signs."""
    found: list[Any] = []
    todo = [node]
    while todo and len(found) < 64:
        one = todo.pop()
        if one.name() in signs:
            todo += [f for f, _ in one.next_functions if f is not None]
        else:
            found.append(one)
    return found


def _over_batch(shape: tuple[int, ...], actual: int, dim: int) -> bool:
    return actual == 0 < dim and len(shape) in (2, 3, 4) and shape[0] > 1 and shape[dim] > 1


def _over_one(shape: tuple[int, ...], actual: int, dim: int) -> bool:
    """Over an axis of one entry, all weights are one."""
    return actual != dim and shape[actual] == 1 < shape[dim]


def _weights(node: Any, dim: int | None) -> tuple[Any, int, int]:
    """(softmax, its axis, its axis that is ``dim`` here) before views, dropout and constant masks; None
    where these values are no softmax's.
    """
    for _ in range(4):
        made, dim = graph.source(node, dim)
        if made is None or dim is None:
            break
        kind, actual = graph.squash(made)
        if kind == "softmax" and actual is not None:
            return made, actual, dim
        parents = [f for f, _ in made.next_functions if f is not None]
        if made.name() not in SCALED or len(parents) != 1:
            break
        if graph.shape_of(parents[0]) != graph.shape_of(made):
            break
        node = parents[0]
    return None, 0, 0
