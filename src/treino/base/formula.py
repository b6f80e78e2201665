"""Formulas as expression trees, each leaf of which has both a symbol and a number.

The table OPS has every operation with its local derivatives, to which ``derivative`` applies the chain rule.
``value`` evaluates a tree; ``values`` evaluates it for arrays of numbers. The app
microscope writes trees as symbols or numbers.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

Array = np.ndarray


def _operator(kind: str) -> Callable[["Expr", "Expr | float"], "Op"]:
    return lambda left, right: Op(kind, (left, expr(right)))


def _reversed(kind: str) -> Callable[["Expr", float], "Op"]:
    return lambda right, left: Op(kind, (expr(left), right))


class Expr:
    """The base of leaves and nodes. Python's operators on them build trees."""

    __add__, __radd__ = _operator("+"), _reversed("+")
    __sub__, __rsub__ = _operator("-"), _reversed("-")
    __mul__, __rmul__ = _operator("*"), _reversed("*")
    __truediv__, __rtruediv__ = _operator("/"), _reversed("/")
    __pow__ = _operator("^")

    def __neg__(self) -> "Op":
        return Op("neg", (self,))

    def exp(self) -> "Op":
        """As a tensor has it, so that one formula is of both."""
        return exp(self)

    def maximum(self, other: "Expr") -> "Expr":
        """The larger one, by the present numbers."""
        return self if value(self) >= value(other) else other


@dataclass(frozen=True)
class Constant(Expr):
    """A constant of the formula, such as the 2 in a square's derivative; equal in symbols and numbers."""

    number: float


@dataclass(frozen=True)
class Symbol(Expr):
    """A quantity: its symbol (with index, superscript, hat) and its present number.

    name: one character or a word, e.g. ``m``. sub: e.g. ``t−1``. sup: a layer's index, ``(1)``, not a power.
    hat: whether it has a hat, as m̂.
    """

    name: str
    number: float
    sub: str = ""
    sup: str = ""
    hat: bool = False

    def now(self, number: float) -> "Symbol":
        """Return this quantity with ``number`` as its present number."""
        return replace(self, number=number)


@dataclass(frozen=True)
class Op(Expr):
    """An operation of ``OPS`` on its arguments."""

    kind: str
    args: tuple[Expr, ...]


@dataclass(frozen=True)
class Sum(Expr):
    """A sum over an index: the general term, written in symbols, and every single term, written in numbers.

    ``series`` makes both from one function.
    """

    index: str
    last: str
    body: Expr
    terms: tuple[Expr, ...]


@dataclass(frozen=True)
class Formula:
    """The equation left = right. value: the right side's number."""

    left: Expr
    right: Expr

    @property
    def value(self) -> float:
        return value(self.right)


@dataclass(frozen=True)
class Operation:
    """An operation.

    compute: computes a number from numbers. slopes: for each argument a function of the arguments that
    returns ∂/∂argument. arrays: the operation on NumPy arrays; None: computed number by number.
    """

    compute: Callable[..., float]
    slopes: tuple[Callable[..., "Expr"], ...]
    arrays: Callable[..., Array] | None = None


def expr(value: "Expr | float") -> Expr:
    return value if isinstance(value, Expr) else Constant(float(value))


def series(index: str, last: str, count: int, term: Callable[[str, int], Expr]) -> Sum:
    """The sum from 1 to ``last``, or over all terms if ``last`` is empty.

    term(sub, place): called once with the index's name as ``sub`` for the symbols (its numbers are not used),
    and for each place from 0 with the place's number, from 1, as ``sub``.
    """
    return Sum(index, last, term(index, 0), tuple(term(str(k + 1), k) for k in range(count)))


def sigmoid(z: float) -> float:
    """1 / (1 + e⁻ᶻ) without overflow."""
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def _power(a: float, n: float) -> float:
    try:
        return float(a**n)
    except OverflowError:
        return math.inf


def _exp(a: float) -> float:
    try:
        return math.exp(a)
    except OverflowError:
        return math.inf


def _sigmoids(z: Array) -> Array:
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1, e) / (1 + e))


def _bell(z: float) -> float:
    """The density of the standard normal distribution."""
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _below(z: float) -> float:
    """The distribution function of the standard normal distribution."""
    return (1 + math.erf(z / math.sqrt(2))) / 2


ONE, ZERO = Constant(1.0), Constant(0.0)
OPS: dict[str, Operation] = {
    "+": Operation(lambda a, b: a + b, (lambda a, b: ONE, lambda a, b: ONE), np.add),
    "-": Operation(lambda a, b: a - b, (lambda a, b: ONE, lambda a, b: Constant(-1.0)), np.subtract),
    "*": Operation(lambda a, b: a * b, (lambda a, b: b, lambda a, b: a), np.multiply),
    "/": Operation(
        lambda a, b: a / b if b else a * math.inf, (lambda a, b: 1 / b, lambda a, b: -(a / b**2)), np.divide
    ),
    "^": Operation(_power, (lambda a, n: _times(n, _raised(a, n)), lambda a, n: (a**n) * ln(a)), np.power),
    "neg": Operation(lambda a: -a, (lambda a: Constant(-1.0),), np.negative),
    "sqrt": Operation(lambda a: math.sqrt(a) if a >= 0 else math.nan, (lambda a: 1 / (2 * sqrt(a)),)),
    "exp": Operation(_exp, (lambda a: exp(a),), np.exp),
    "ln": Operation(lambda a: math.log(a) if a > 0 else -math.inf, (lambda a: 1 / a,)),
    "abs": Operation(abs, (lambda a: call("sign", a),), np.abs),
    "sign": Operation(lambda a: float((a > 0) - (a < 0)), (lambda a: ZERO,), np.sign),
    "min": Operation(min, (lambda a, b: call("less", a, b), lambda a, b: call("less", b, a))),
    "less": Operation(lambda a, b: float(a < b), (lambda a, b: ZERO, lambda a, b: ZERO)),
    # ---- activations and their slopes
    "σ": Operation(sigmoid, (lambda z: call("σ", z) * (1 - call("σ", z)),), _sigmoids),
    "tanh": Operation(math.tanh, (lambda z: 1 - call("tanh", z) ** 2,), np.tanh),
    "ReLU": Operation(lambda z: max(z, 0.0), (lambda z: call("ReLU′", z),), lambda z: np.maximum(z, 0)),
    "ReLU′": Operation(  # 0 at the kink, as in torch
        lambda z: float(z > 0), (lambda z: ZERO,), lambda z: (z > 0) * 1.0
    ),
    "LeakyReLU": Operation(
        lambda z: z if z > 0 else 0.01 * z,
        (lambda z: call("LeakyReLU′", z),),
        lambda z: np.where(z > 0, z, 0.01 * z),
    ),
    "LeakyReLU′": Operation(
        lambda z: 1.0 if z > 0 else 0.01, (lambda z: ZERO,), lambda z: np.where(z > 0, 1.0, 0.01)
    ),
    "GELU": Operation(lambda z: z * _below(z), (lambda z: call("GELU′", z),)),
    "GELU′": Operation(lambda z: _below(z) + z * _bell(z), (lambda z: call("GELU″", z),)),
    "GELU″": Operation(lambda z: (2 - z * z) * _bell(z), (lambda z: ZERO,)),
    "SiLU": Operation(
        lambda z: z * sigmoid(z),
        (lambda z: call("σ", z) * (1 + z * (1 - call("σ", z))),),
        lambda z: z * _sigmoids(z),
    ),
}


def call(kind: str, *args: Expr | float) -> Op:
    """The operation of this name in ``OPS``."""
    return Op(kind, tuple(expr(a) for a in args))


def sqrt(a: Expr | float) -> Op:
    """The square root."""
    return call("sqrt", a)


def exp(a: Expr | float) -> Op:
    """e to the power a."""
    return call("exp", a)


def ln(a: Expr | float) -> Op:
    """The natural logarithm."""
    return call("ln", a)


def value(e: Expr, at: Mapping[Symbol, float] | None = None) -> float:
    """The number of a tree. at: numbers to use for some symbols instead of their own."""
    if isinstance(e, Symbol):
        return e.number if at is None else at.get(e, e.number)
    if isinstance(e, Constant):
        return e.number
    if isinstance(e, Sum):
        terms = [value(term, at) for term in e.terms]
        return math.fsum(terms) if all(map(math.isfinite, terms)) else sum(terms)
    assert isinstance(e, Op)
    return OPS[e.kind].compute(*(value(a, at) for a in e.args))


def values(e: Expr, at: Mapping[Symbol, Array]) -> Array:
    """``value`` of a tree for arrays of numbers of one shape. at: the arrays, by symbol."""
    with np.errstate(all="ignore"):
        array = _values(e, at)
    return np.broadcast_to(array, next(iter(at.values())).shape).astype(np.float64)


def _values(e: Expr, at: Mapping[Symbol, Array]) -> Array:
    if isinstance(e, Symbol):
        return at[e] if e in at else np.asarray(e.number)
    if isinstance(e, Constant):
        return np.asarray(e.number)
    if isinstance(e, Sum):
        return np.asarray(sum(_values(term, at) for term in e.terms))
    assert isinstance(e, Op)
    of, args = OPS[e.kind], [_values(a, at) for a in e.args]
    return np.asarray((of.arrays or np.vectorize(of.compute, otypes=[np.float64]))(*args))


def derivative(e: Expr, by: Symbol) -> Expr:
    """∂e/∂by as a tree, by the chain rule: the sum of local derivatives times derivatives of the
    arguments."""
    if isinstance(e, Symbol):
        return ONE if e == by else ZERO
    if isinstance(e, Constant):
        return ZERO
    if isinstance(e, Sum):
        return _added([derivative(term, by) for term in e.terms])
    assert isinstance(e, Op)
    inner = [(place, derivative(a, by)) for place, a in enumerate(e.args)]
    return _added([_times(OPS[e.kind].slopes[place](*e.args), d) for place, d in inner if d != ZERO])


def _added(parts: Sequence[Expr]) -> Expr:
    total: Expr = ZERO
    for part in parts:
        if part != ZERO:
            total = part if total == ZERO else total + part
    return total


def _times(a: Expr, b: Expr) -> Expr:
    if ZERO in (a, b):
        return ZERO
    if isinstance(a, Constant) and isinstance(b, Constant):
        return Constant(a.number * b.number)
    return b if a == ONE else a if b == ONE else -b if a == Constant(-1.0) else a * b


def _raised(a: Expr, n: Expr) -> Expr:
    """a to the power n − 1."""
    less: Expr = Constant(n.number - 1) if isinstance(n, Constant) else n - 1
    return a if less == ONE else ONE if less == ZERO else a**less
