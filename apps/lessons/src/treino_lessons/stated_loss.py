"""Compares the loss that the learner's function returns or prints with the engine's."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from treino.base.words import N_, _
from treino_lessons.call_recording import Pass
from treino_lessons.differences import Difference, Fault
from treino_lessons.problem import BATCH, ROWS, STEPS, Answer

CLOSE = 1e-4
PRINTED = 8  # maximum number of printed numbers that a message lists
NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?|\b(?:nan|inf)\b")
COMMA = re.compile(r"(?<![\d.,])\d+,\d{2,}(?![\d.,])")  # 1,0324, as one writes it in Brazil
NAMES = "loss", "perda", "mean_loss", "epoch_loss"

SAYS_NOTHING = Fault(
    "says_nothing",
    N_("In mode {mode!r} the function neither returned nor printed the loss."),
    N_("An epoch whose loss nobody is told can't be judged."),
    N_("Return the mean of the batches' losses: return np.mean(epoch_loss)."),
)


def misread(done: Pass, answer: Answer, found: Sequence[Pass]) -> Difference | None:
    """Return a difference if the function didn't report the call's mean loss, else None. found: all calls, by
    which mistakes are told apart that give the same number in this one."""
    losses = _losses(done, answer)
    wanted = float(np.mean(losses))
    right = wanted, _over_rows(losses, done.mode)
    said = said_loss(done.returned)
    hint = _("Collect each batch's loss, then say their mean: np.mean(epoch_loss).")
    if said is not None:
        if _is_one(said, right):
            return None
        what = _("it returned {said:.5f}").format(said=said)
        why = _wrong_mean(said, done, answer, found)
        if _holds_all(done.returned, losses):
            why = _("That begins a list of each batch's loss: one figure is wanted, their mean.")
        elif any(_is_one(figure, right) for figure in _figures(done.returned)):
            why = _("The mean loss is among what it returned, and stands behind another figure.")
            hint = _("Return the loss first, as in: return np.mean(epoch_loss), accuracy.")
        elif any(round(value, digits) == said for value in right for digits in (0, 1)):
            why = _("That is it, with too few digits.")
            hint = _("Return it as it is, or rounded to two decimals or more.")
    else:
        printed = NUMBER.findall(done.printed) + COMMA.findall(done.printed)
        if any(_written(text.replace(",", "."), value) for text in printed for value in right):
            return None
        if not printed:
            return SAYS_NOTHING.seen(done, 0, None, wanted)
        numbers = [float(text.replace(",", ".")) for text in printed]
        said = next((n for n in numbers if _wrong_mean(n, done, answer, found)), None)
        what = _("it printed {said}").format(said=", ".join(printed[:PRINTED]))
        why = "" if said is None else _wrong_mean(said, done, answer, found)
        short = next((text for text in printed if _too_short(text.replace(",", "."), right)), None)
        if said is None and short is not None:
            said, why = float(short.replace(",", ".")), _("That is it, with too few digits.")
            hint = _(
                "Print it with two decimals or more, as in: print(f'{{np.mean(epoch_loss):.4f}}')."
            ).format()
    message = _("In mode {mode!r} the mean loss of epoch {epoch} is {wanted:.5f}; {what}.")
    message = message.format(mode=done.mode, epoch=done.epoch + 1, wanted=wanted, what=what)
    return Difference("loss_said", done.mode, done.epoch + 1, 0, message, why, hint, said, wanted)


def said_loss(returned: Any) -> float | None:
    """The loss in what the function returned: a number; the first of several; ``loss`` of a dict. None where
    there is none."""
    returned = _plain(returned)
    if isinstance(returned, dict):
        return said_loss(next((returned[name] for name in NAMES if name in returned), None))
    if isinstance(returned, (bool, str)) or returned is None:
        return None
    if isinstance(returned, Sequence):
        return said_loss(returned[0]) if returned else None
    try:
        return float(returned)
    except (TypeError, ValueError):
        return None


def _plain(returned: Any) -> Any:
    """Arrays and tensors as lists or numbers."""
    if isinstance(returned, Tensor):
        returned = returned.detach().cpu().numpy()
    return returned.tolist() if isinstance(returned, np.ndarray) else returned


def _holds_all(returned: Any, losses: Sequence[float]) -> bool:
    """Whether the losses of all batches stand beside each other in what was returned."""
    returned = _plain(returned)
    if isinstance(returned, dict):
        returned = list(returned.values())
    if not isinstance(returned, Sequence) or isinstance(returned, str):
        return False
    figures = [math.nan if said is None else said for said in map(said_loss, returned)]
    if len(figures) == len(losses) and np.allclose(figures, losses, rtol=1e-3):
        return True
    return any(_holds_all(each, losses) for each in returned)


def _figures(returned: Any) -> list[float]:
    """All numbers among what the function returned."""
    if isinstance(returned, dict):
        returned = list(returned.values())
    if isinstance(returned, Sequence) and not isinstance(returned, str):
        return [figure for each in returned for figure in _figures(each)]
    said = said_loss(returned)
    return [] if said is None else [said]


def _is_one(said: float, right: Sequence[float]) -> bool:
    return any(math.isclose(said, value, rel_tol=CLOSE) or _rounded(said, value) for value in right)


def _too_short(text: str, right: Sequence[float]) -> bool:
    """Whether this printed number may be one of these, to fewer than two decimals."""
    digits = len(text.partition(".")[2])
    return digits < 2 and "e" not in text and any(round(value, digits) == float(text) for value in right)


def _losses(done: Pass, answer: Answer) -> list[float]:
    if done.mode == "test":
        return answer.test[done.epoch]
    return answer.train[done.epoch * STEPS : (done.epoch + 1) * STEPS]


def _over_rows(losses: list[float], mode: str) -> float:
    sizes = [min(BATCH[mode], ROWS[mode] - n * BATCH[mode]) for n in range(len(losses))]
    return sum(a * b for a, b in zip(losses, sizes, strict=True)) / ROWS[mode]


def _so_far(done: Pass, answer: Answer) -> list[float]:
    """The losses of all batches up to the end of this call."""
    trained = answer.train[: (done.epoch + 1) * STEPS]
    tested = answer.test[: done.epoch + (done.mode == "test")]
    return trained + [loss for losses in tested for loss in losses]


def _wrong_mean(said: float, done: Pass, answer: Answer, found: Sequence[Pass]) -> str:
    """Name the common mistake that gives this wrong number, if there is one: where several do, the one that
    gives what all calls said."""
    means = _wrong_means(done, answer)
    whys = [why for why, value in means.items() if _like(said, value)]
    lasting = [why for why in whys if all(_says(each, _wrong_means(each, answer)[why]) for each in found)]
    return " ".join(lasting or whys)


def _says(done: Pass, value: float) -> bool:
    said = said_loss(done.returned)
    printed = NUMBER.findall(done.printed) + COMMA.findall(done.printed)
    figures = [float(text.replace(",", ".")) for text in printed] if said is None else [said]
    return any(_like(figure, value) for figure in figures)


def _like(said: float, value: float) -> bool:
    return math.isclose(said, value, rel_tol=6e-4)  # printed with three decimals or more


def _wrong_means(done: Pass, answer: Answer) -> dict[str, float]:
    """What common mistakes give instead of the mean, by their sentences."""
    mode, losses = done.mode, _losses(done, answer)
    rows, over_rows = ROWS[mode], _over_rows(losses, mode)
    return {
        _("That is the sum of the batches' losses."): sum(losses),
        _("That is the loss of the last batch."): losses[-1],
        _("That is the loss of the first batch."): losses[0],
        _("That is the median of the batches' losses."): float(np.median(losses)),
        _("That is the largest of the batches' losses."): max(losses),
        _("That is the smallest of the batches' losses."): min(losses),
        _("That is the sum of the batches' means, divided by the number of rows."): sum(losses) / rows,
        _("That is the sum over all rows."): over_rows * rows,
        _("That is the sum over all rows, divided by the number of batches."): over_rows * rows / len(losses),
        _("That is the deviation of the batches' losses."): float(np.std(losses)),
        _(
            "That is each batch's mean times the batch size, divided by the rows; the last batch is shorter."
        ): sum(losses) * BATCH[mode] / rows,
        _("That is the mean over all calls so far: make the list anew in each call."): float(
            np.mean(_so_far(done, answer))
        ),
    }


def _rounded(said: float, value: float) -> bool:
    """Whether this is the value, rounded to two decimals or more."""
    return any(math.isclose(said, round(value, digits), rel_tol=1e-9) for digits in (2, 3, 4))


def _written(text: str, value: float) -> bool:
    """Whether this printed number is the value, to the digits that it was printed with (two at least)."""
    digits = len(text.partition(".")[2].partition("e")[0])
    return digits >= 2 and abs(float(text) - value) <= 0.51 * 10**-digits + CLOSE * abs(value) * (digits > 3)
