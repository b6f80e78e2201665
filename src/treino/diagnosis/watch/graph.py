"""Reading an autograd graph: names, saved dims and leaves, never the tensors' values unless asked."""

import math
from typing import Any

import torch

RESHAPED = frozenset(
    {
        "ViewBackward0",
        "UnsafeViewBackward0",
        "ReshapeAliasBackward0",
        "SqueezeBackward0",
        "SqueezeBackward1",
        "SqueezeBackward2",
        "UnsqueezeBackward0",
    }
)

# Operations after which the values are still the same values.
PASS = RESHAPED | frozenset(
    {
        "IndexBackward0",
        "IndexSelectBackward0",
        "SliceBackward0",
        "SelectBackward0",
        "CloneBackward0",
        "ToCopyBackward0",
        "TransposeBackward0",
        "PermuteBackward0",
        "TBackward0",
        "ContiguousBackward",
        "AliasBackward0",
        "ClampBackward1",
        "ClampMinBackward0",
        "ClampMaxBackward0",
        "ExpandBackward0",
        "AsStridedBackward0",
        "UnsafeSplitBackward0",
        "SplitBackward0",
        "DetachBackward0",
        "FlattenBackward0",
        "MovedimBackward0",
        "StackBackward0",
    }
)
OF_WEIGHTS = ("Mm", "Addmm", "Bmm", "Baddbmm", "Mv", "Convolution", "Mkldnn", "NativeBatchNorm")


def signed(dim: int) -> int:
    """A dimension as it was written; autograd shows -1 as 2⁶⁴ − 1."""
    return int(dim) - 2**64 if int(dim) >= 2**63 else int(dim)


def dim_of(node: Any, name: str = "_saved_dim") -> int:
    """A saved dimension."""
    return signed(getattr(node, name))


def deepest(node: Any, most: int = 200) -> Any:
    """The node of the first operation on one way down: whatever keeps a part of the graph mostly keeps it."""
    for _ in range(most):
        below = (f for f, _ in node.next_functions if f is not None and f.next_functions)
        inner = next((f for f in below if f.name() != "TBackward0"), None)
        if inner is None:
            return node
        node = inner
    return node


def shape_of(node: Any) -> tuple[int, ...]:
    """The shape of what a node's operation returned."""
    return tuple(int(n) for n in node._input_metadata[0].shape)


def size(shape: tuple[int, ...]) -> int:
    """How many entries."""
    return math.prod(shape)


def rows(root: Any) -> set[int]:
    """The first axes of what a loss was reduced from, term by term."""
    found: set[int] = set()
    todo, seen = [root], {root}
    while todo and len(seen) < 200:
        node = todo.pop()
        shape = shape_of(node)
        if shape:
            found.add(shape[0])
            continue
        following = {f for f, _ in node.next_functions if f is not None} - seen
        seen |= following
        todo += following
    return found


def source(node: Any, dim: int | None) -> tuple[Any, int | None]:
    """Walk back through views, copies, indexing and clamps to where the values were made.

    dim is followed through transposes and reshapes (None once it is lost). Returns (node, dim there).
    """
    for _ in range(24):
        if node is None:
            return None, dim
        name = node.name()
        if name not in PASS:
            return node, dim
        following = node.next_functions
        if not following or following[0][0] is None:
            return None, dim
        if name == "StackBackward0" and len({f[0].name() for f in following if f[0] is not None}) > 1:
            return node, dim
        before = following[0][0]
        dim = _dim_before(name, node, before, dim)
        node = before
    return node, dim


def raised(node: Any, dim: int | None) -> tuple[Any, int | None]:
    """Walk back over ``p + eps``."""
    plus = node is not None and node.name() == "AddBackward0" and node.next_functions[1][0] is None
    return (node.next_functions[0][0] if plus else node), dim


JOINS = ("CatBackward0", "StackBackward0")
# Of probabilities these make probabilities again, as long as what comes of it is no larger than one.
BLENDS = frozenset(
    {
        *JOINS,
        *("MeanBackward0", "MeanBackward1", "AddBackward0", "MulBackward0", "DivBackward0"),
        *("RsubBackward1", "MaximumBackward0", "MinimumBackward0"),
    }
)


def joined(node: Any, dim: int | None) -> tuple[Any, int | None]:
    """Walk on from a join of parts that were all squashed alike to the first of them; else stay there."""
    made, at = node, dim
    for _ in range(4):
        if made is None or made.name() not in JOINS:
            return made, at
        parts = [source(f, _dim_before(made.name(), made, f, at)) for f, _ in made.next_functions]
        ends = [m for m, _ in parts if m is not None]
        kinds = {squash(m) for m in ends}
        if len(ends) < len(parts) or len(kinds) > 1:
            break
        if not kinds.pop()[0] and any(m.name() not in JOINS for m in ends):
            break
        made, at = parts[0]
    return node, dim


def blended(node: Any, most: int = 64) -> tuple[str, Any]:
    """(what all values were squashed by, one of the nodes that did so) where a value is joined, averaged or
    multiplied of nothing but squashed values; ("", None) where it isn't.
    """
    todo, kinds, found, first = [node], set(), 0, None
    while todo and found < most:
        made, _ = source(todo.pop(), None)
        found += 1
        if made is None:
            return "", None
        kind, _ = squash(made)
        if kind in ("softmax", "sigmoid"):
            kinds.add(kind)
            first = first or made
            continue
        if made.name() not in BLENDS:
            return "", None
        todo += [f for f, _ in made.next_functions if f is not None]
    return (kinds.pop(), first) if len(kinds) == 1 and not todo else ("", None)


TURNS = {f"{name}Backward0" for name in ("Permute", "Unsqueeze", "Clone", "UnsafeView", "View", "Transpose")}


def turned(node: Any) -> Any:
    """What a node only puts into another shape, as ``einsum`` does before it multiplies."""
    for _ in range(8):
        if node is None or node.name() not in TURNS:
            break
        node = node.next_functions[0][0]
    return node


def soft_behind(node: Any, classes: int, most: int = 64) -> Any:
    """The nearest softmax over so many classes, whatever lies between; None where there is none."""
    for made in walk(node, most):
        if made.name() == "SoftmaxBackward0" and shape_of(made)[-1:] == (classes,):
            return made if dim_of(made) % len(shape_of(made)) == len(shape_of(made)) - 1 else None
    return None


def _dim_before(name: str, node: Any, before: Any, dim: int | None) -> int | None:
    if dim is None or name in ("CloneBackward0", "ToCopyBackward0", "AliasBackward0", "ContiguousBackward"):
        return dim
    try:
        old, new = shape_of(before), shape_of(node)
        if name.startswith("Clamp"):
            return dim
        if name in JOINS:
            at = dim_of(node) % len(new)
            return None if dim == at else dim - (name[0] == "S" and dim > at)
        if name == "TransposeBackward0":
            a, b = dim_of(node, "_saved_dim0") % len(new), dim_of(node, "_saved_dim1") % len(new)
            return {a: b, b: a}.get(dim, dim)
        if name == "TBackward0":
            return 1 - dim if len(new) == 2 else dim
        if name == "PermuteBackward0":
            order = [signed(d) for d in node._saved_dims]
            return order[dim] % len(new)
        if dim == len(new) - 1 and new and old and new[-1] == old[-1]:
            return len(old) - 1
        if dim < len(old) and new[: dim + 1] == old[: dim + 1]:
            return dim
        if name in ("IndexBackward0", "SliceBackward0", "IndexSelectBackward0") and len(old) == len(new):
            return dim
        if name == "ExpandBackward0":
            at = dim - (len(new) - len(old))
            return at if at >= 0 and old[at] == new[dim] else None
        if name in RESHAPED:  # the same entries, so that as many lie behind
            behind = size(new[dim + 1 :])
            same = [d for d, n in enumerate(old) if n == new[dim] > 1 and size(old[d + 1 :]) == behind]
            return same[0] if same else None
    except (AttributeError, IndexError, RuntimeError):
        pass
    return None


def inside(x: Any) -> Any:
    """The node that made what a transform of torch.func sees as a tensor: of the batch of all of them, where
    one of them has none; None where nothing is followed.
    """
    functorch = torch._C._functorch
    for _ in range(4):
        if not isinstance(x, torch.Tensor) or x.grad_fn is not None:
            break
        if not functorch.is_functorch_wrapped_tensor(x):
            return None
        x = functorch.get_unwrapped(x)
    return x.grad_fn if isinstance(x, torch.Tensor) else None


def reshaped(node: Any, *, fewer: bool) -> Any:
    """The node that took an axis from a prediction (a squeeze, a column), or that chose one entry of each row
    and left its axis; None where it is none of these.
    """
    if fewer:
        return node if node.name() in RESHAPED or node.name() == "SelectBackward0" else None
    made, _ = source(node, None)
    return made if made is not None and made.name() == "GatherBackward0" else None


def stretched_sum(node: Any) -> Any:
    """The node that added a column [N, 1] to a row [N], which gives [N, N]; None where this is none."""
    made, _ = source(node, None)
    for _ in range(4):
        if made is None or made.name() not in ("AddBackward0", "SubBackward0"):
            return None
        out = shape_of(made)
        before = [f for f, _ in made.next_functions if f is not None]
        shapes = {shape_of(f) for f in before}
        if len(out) == 2 and out[0] == out[1] > 1 and {(out[0], 1), (out[0],)} <= shapes:
            return made
        made = next((f for f in before if shape_of(f) == out), None)
    return None


def squash(node: Any) -> tuple[str, int | None]:
    """What a node does to scores: ("softmax", dim), ("log_softmax", dim), ("sigmoid", None) or ("", None),
    also where it is written out by hand.
    """
    name = node.name()
    if name in ("SoftmaxBackward0", "LogSoftmaxBackward0"):
        return ("softmax" if name[0] == "S" else "log_softmax"), dim_of(node) % max(1, len(shape_of(node)))
    if name == "SigmoidBackward0":
        return "sigmoid", None
    before = [f for f, _ in node.next_functions]
    kinds = (name, *(f.name() for f in before[1:2] if f is not None))
    summed = [f for f, _ in before[1].next_functions[:1]] if len(kinds) == 2 else []
    same = len(kinds) == 2 and (summed == before[:1] or _both_exp(*summed, *before[:1]))
    if same and kinds == ("DivBackward0", "SumBackward1") and before[0].name() == "ExpBackward0":
        return "softmax", _only_dim(before[1])  # e / e.sum(dim, keepdim=True)
    if same and kinds == ("SubBackward0", "LogsumexpBackward0"):
        return "log_softmax", _only_dim(before[1])
    if name in ("MulBackward0", "ReciprocalBackward0", "DivBackward0"):  # 1 / (1 + exp(-x))
        for expected in ("ReciprocalBackward0", "AddBackward0", "ExpBackward0", "NegBackward0"):
            if expected == "ReciprocalBackward0" and node.name() in ("ReciprocalBackward0", "DivBackward0"):
                continue
            node = next((f for f, _ in node.next_functions if f is not None), None)
            if node is None or node.name() != expected:
                return "", None
        return "sigmoid", None
    return "", None


def _both_exp(*nodes: Any) -> bool:
    """Whether they are exponentials of the same: ``x.exp() / x.exp().sum()``."""
    names = {n.name() for n in nodes if n is not None}
    return names == {"ExpBackward0"} and len({n.next_functions[0] for n in nodes}) == 1


def _only_dim(node: Any) -> int | None:
    """The one dimension that a sum ran over."""
    dims = [signed(d) for d in node._saved_dim]
    before = node.next_functions[0][0]
    return dims[0] % len(shape_of(before)) if len(dims) == 1 and before is not None else None


def walk(root: Any, limit: int = 4000) -> list[Any]:
    """All nodes of a graph (at most ``limit``), the root first."""
    found: list[Any] = []
    stack, seen = [root], {root}
    while stack and len(found) < limit:
        node = stack.pop()
        found.append(node)
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                stack.append(following)
    return found


def leaves(nodes: list[Any]) -> list[Any]:
    """The tensors that a backward over these nodes would fill."""
    return [node.variable for node in nodes if hasattr(node, "variable")]


PRODUCTS = {  # with weights -> (where the other factor is kept, its place among the operands)
    "MvBackward0": ("_saved_self", 0),
    "MmBackward0": ("_saved_self", 0),
    "AddmmBackward0": ("_saved_mat1", 1),
    "ConvolutionBackward0": ("_saved_input", 0),
}


def roles(nodes: list[Any]) -> dict[int, tuple[str, int, Any]]:
    """What each leaf of a graph is used for, by its id: an operation, which of its operands, and the node."""
    found: dict[int, tuple[str, int, Any]] = {}
    for node in nodes:
        if node.name() in PASS:
            continue
        for place, (following, _) in enumerate(node.next_functions):
            made, _ = source(following, None) if following is not None else (None, None)
            if made is not None and hasattr(made, "variable"):
                found.setdefault(id(made.variable), (node.name(), place, node))
    return found


def convolves(node: Any) -> bool:
    """Whether this has its channels on the first axis behind the rows: of a convolution, of a norm."""
    for _ in range(4):
        if node is None:
            return False
        if node.name().startswith(("Convolution", "NativeBatchNorm", "NativeGroupNorm", "Mkldnn")):
            return True
        if node.name() not in RESHAPED:
            return False
        node = node.next_functions[0][0]
    return False


def rectified(node: Any) -> torch.Tensor | None:
    """What a ReLU of the graph gave, or what is above zero where a layer's products pass through it as
    ``clamp(min=0)`` or ``maximum(z, 0)``; None for everything else.
    """
    name = node.name()
    if name == "ReluBackward0":
        result: torch.Tensor = node._saved_result
        return result
    if name.startswith("Clamp") and hasattr(node, "_saved_min"):
        low, high = node._saved_min, getattr(node, "_saved_max", None)
        zero = high is None and isinstance(low, (int, float)) and low == 0
    else:
        other = node._saved_other if name == "MaximumBackward0" else None
        zero = other is not None and other.numel() == 1 and not other.requires_grad and float(other) == 0
    if not zero or not _of_products(node.next_functions[0][0]):
        return None
    given: torch.Tensor = node._saved_self.detach()
    return given


def _of_products(node: Any) -> bool:
    """Whether this is a product with weights, a bias added."""
    for _ in range(4):
        name = node.name() if node is not None else ""
        if name.startswith(OF_WEIGHTS):
            return True
        if name != "AddBackward0" and name not in RESHAPED:
            return False
        node = node.next_functions[0][0]
    return False


def looked_up(node: Any, table: torch.Tensor) -> bool:
    """Whether rows of a table are taken by whole numbers, some of them more than once: it is no data."""
    if table.dim() != 2:
        return False
    if node.name() == "EmbeddingBackward0":
        return True
    given = [t for t in node._saved_indices if t is not None]
    numbers = given[0] if len(given) == 1 and not given[0].is_floating_point() else None
    if numbers is None or numbers.dtype == torch.bool:
        return False
    return numbers.dim() > 1 or len(numbers) > len(numbers.unique())


LAYERS = {
    "AddmmBackward0": "_saved_mat1",
    "MmBackward0": "_saved_self",
    "ConvolutionBackward0": "_saved_input",
}


def constant_inside(root: Any) -> bool:
    """Whether every last layer before a loss was given the same for all rows: the answer is a constant."""
    todo, seen, found = [root], {root}, 0
    while todo and len(seen) < 400:
        node = todo.pop()
        name = node.name()
        if name in LAYERS:
            given = getattr(node, LAYERS[name])
            if given is None or given.shape[0] < 2 or not bool((given == given[:1]).all()):
                return False
            found += 1
            continue
        if hasattr(node, "variable"):
            continue
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                todo.append(following)
    return found > 0 and not todo
