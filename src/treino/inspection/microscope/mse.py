"""Topic: the mean squared error, in the course's snippet and in the user's regressions."""

import numpy as np
import torch
import torch.nn.functional as F

from treino.base.formula import Formula, Symbol, series
from treino.base.words import N_, _
from treino.inspection.microscope import losses
from treino.inspection.microscope.explanation import Check, Explanation, ExplanationPart, Step, Topic
from treino.inspection.microscope.reference import torch_page
from treino.inspection.microscope.run_explanation import own_loss, to_the_gradient
from treino.inspection.microscope.update import Update

SNIPPET = """\
from torch import nn

criterion = nn.MSELoss() # Declaração da função de perda

y = torch.randn(3, 5) # tensor aleatorio
y_pred = torch.randn(3, 5, requires_grad=True) # tensor aleatorio

loss = criterion(y_pred, y) # calculo da perda com MSE
loss.backward() # Obtenção da derivada
"""

SOURCES = (torch_page("torch.nn.MSELoss"),)


def run_snippet() -> dict[str, torch.Tensor]:
    """Run the course's unchanged snippet with seed 0, and return its variables."""
    place: dict[str, torch.Tensor] = {"torch": torch}  # type: ignore[dict-item]
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        exec(SNIPPET, place)
    return place


def example() -> Explanation:
    variables = run_snippet()
    y, predicted = (variables[n].detach().double().numpy().reshape(-1) for n in ("y", "y_pred"))
    steps = losses.steps("mse", predicted, y, 0)
    L = steps[1].formula
    assert L is not None
    of_rows = Formula(
        Symbol("L", 0.0, "3"),
        1
        / Symbol("n", 3.0)
        * series(
            "i",
            "15",
            15,
            lambda sub, k: losses.term(
                "mse", Symbol("ŷ", float(predicted[k]), sub), Symbol("y", float(y[k]), sub)
            ),
        ),
    )
    gradient = variables["y_pred"].grad
    assert gradient is not None
    theirs = gradient.double().numpy().reshape(-1)
    slope = 2 * (predicted - y) / 15
    worst = int(np.abs(slope - theirs).argmax())
    back = steps[2].formula
    assert back is not None
    torch64 = float(F.mse_loss(torch.from_numpy(predicted), torch.from_numpy(y)))
    h = 1e-6
    near = predicted.copy(), predicted.copy()
    near[0][0] += h
    near[1][0] -= h
    central = (float(np.square(near[0] - y).mean()) - float(np.square(near[1] - y).mean())) / (2 * h)
    return Explanation(
        "mse",
        _("mse: the mean squared error"),
        _("The course's snippet, run as written. n counts numbers, not rows: 3 × 5 = 15."),
        (
            ExplanationPart(
                _("The snippet"), (Step(_("Run as written, import torch before it"), code=SNIPPET),)
            ),
            ExplanationPart(_("The arithmetic"), steps),
            ExplanationPart(
                _("What n is not"),
                (
                    Step(
                        _("Divided by the 3 rows, it would be five times as much"),
                        of_rows,
                        _(
                            "The formula says 1/n and the tensors have 3 rows, so 3 is the usual guess; "
                            "torch averages over all 15 numbers."
                        ),
                        wrong=True,
                    ),
                ),
            ),
        ),
        (
            Check(_("L: the snippet's own loss, float32"), L.value, float(variables["loss"].detach()), 1e-6),
            Check(_("L: torch.nn.functional.mse_loss, float64"), L.value, torch64, 1e-14),
            Check(_("∂L/∂ŷ₁: the snippet's backward, float32"), back.value, float(theirs[0]), 1e-6),
            Check(_("∂L/∂ŷ: the worst of all 15, float32"), float(slope[worst]), float(theirs[worst]), 1e-6),
            Check(_("∂L/∂ŷ₁: central finite difference"), back.value, central, 1e-8),
        ),
        SOURCES,
    )


def of(update: Update) -> Explanation:
    return to_the_gradient(update, "mse", SOURCES)


TOPIC = Topic("mse", N_("the mean squared error, and what its n counts"), example, of, own_loss)
