"""The formulas of each optimizer's update of one weight, line by line."""

from collections.abc import Mapping
from dataclasses import dataclass

from treino.formula import Expr, Formula, Symbol, sqrt
from treino.words import N_


@dataclass(frozen=True)
class UpdateInputs:
    """The inputs of an update of one weight.

    weight, gradient: after decay and clipping, with the symbols in which they are written. state: by torch's
    names, 0 before the first update. hp: hyper-parameters, lr with its schedule. t: the number of the update,
    from 1.
    """

    weight: Symbol
    gradient: Symbol
    state: Mapping[str, float]
    hp: Mapping[str, float]
    t: int
    nesterov: bool = False


@dataclass(frozen=True)
class Line:
    """One line of an update.

    about: in words, marked with ``N_``. state: the name of the state that gets its value. The last line of an
    update is that of the new weight.
    """

    about: str
    formula: Formula
    state: str = ""


def sgd(u: UpdateInputs) -> tuple[Line, ...]:
    """w ← w − η g, Robbins & Monro 1951; with momentum v ← μ v + g and w ← w − η v, as torch has it
    (Sutskever et al. 2013), Nesterov: w − η (g + μ v)."""
    eta = Symbol("η", u.hp["lr"])
    if not u.hp["momentum"]:
        return (Line(N_("The new weight"), becomes(u.weight - eta * u.gradient)),)
    mu, before = Symbol("μ", u.hp["momentum"]), Symbol("v", u.state["momentum_buffer"], "t−1")
    velocity = Formula(Symbol("v", 0.0, "t"), mu * before + u.gradient)
    now = Symbol("v", velocity.value, "t")
    lines = [
        Line(N_("The velocity: the old one, slowed down, and the new gradient"), velocity, "momentum_buffer")
    ]
    way: Expr = now
    if u.nesterov:
        ahead = Formula(Symbol("d", 0.0, "t"), u.gradient + mu * now)
        lines.append(Line(N_("Nesterov: one slowed-down velocity further"), ahead))
        way = Symbol("d", ahead.value, "t")
    return (*lines, Line(N_("The new weight"), becomes(u.weight - eta * way)))


def adam(u: UpdateInputs) -> tuple[Line, ...]:
    """Kingma & Ba 2015, algorithm 1."""
    b1, b2, time = Symbol("β", u.hp["beta1"], "1"), Symbol("β", u.hp["beta2"], "2"), Symbol("t", float(u.t))
    g, m, v = u.gradient, Symbol("m", u.state["exp_avg"], "t−1"), Symbol("v", u.state["exp_avg_sq"], "t−1")
    first = Formula(Symbol("m", 0.0, "t"), b1 * m + (1 - b1) * g)
    second = Formula(Symbol("v", 0.0, "t"), b2 * v + (1 - b2) * g**2)
    mean, square = Symbol("m", first.value, "t"), Symbol("v", second.value, "t")
    first_hat = Formula(Symbol("m", 0.0, "t", hat=True), mean / (1 - b1**time))
    second_hat = Formula(Symbol("v", 0.0, "t", hat=True), square / (1 - b2**time))
    mean_hat = Symbol("m", first_hat.value, "t", hat=True)
    square_hat = Symbol("v", second_hat.value, "t", hat=True)
    new = becomes(
        u.weight - Symbol("η", u.hp["lr"]) * mean_hat / (sqrt(square_hat) + Symbol("ε", u.hp["eps"]))
    )
    return (
        Line(N_("The running mean of the gradient"), first, "exp_avg"),
        Line(
            N_("The running mean of its square: the gradient squared, no second derivative"),
            second,
            "exp_avg_sq",
        ),
        Line(N_("Both began at 0, so the first ones are too small; dividing corrects it"), first_hat),
        Line(N_("The same for the square. The corrected values are used once and not kept"), second_hat),
        Line(N_("The new weight"), new),
    )


def becomes(new: Expr) -> Formula:
    """The line of the new weight."""
    return Formula(Symbol("w", 0.0, "t+1"), new)
