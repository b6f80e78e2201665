"""The finding that a network answers one class for all rows, and whether simple models find other classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.base.words import N_, _
from treino.settings.spec import Settings
from treino_doctor.finding import Finding

RULE = "single_class"
LEAST = 10  # minimum number of test rows of the other classes
GAIN = 0.05  # by how much a simple model's f1_macro must be higher
RANKS = 0.95  # times the cross-entropy of the classes' shares: with less, the network tells rows apart
MODELS = {
    "trees": N_("gradient-boosted trees"),
    "linear": N_("a linear model"),
    "patches": N_("a linear model on whitened patches"),
}


@dataclass(frozen=True)
class AnsweredRows:
    """The answers to test rows about one target. classes: the names. share_NC: the network's probabilities.
    predicted_N, true_N: class numbers. figures: the network's metrics of these rows. baseline: those of the
    simple models."""

    classes: Sequence[str]
    share_NC: NDArray[np.float64]
    predicted_N: NDArray[np.int64]
    true_N: NDArray[np.int64]
    figures: Mapping[str, float]
    baseline: Mapping[str, Mapping[str, float]]

    @property
    def ranks(self) -> bool:
        """Whether the probabilities tell rows apart: their cross-entropy, whatever the training's loss is, is
        lower than that of the classes' shares of these rows."""
        told_N = self.share_NC[np.arange(len(self.true_N)), self.true_N]
        count_C = np.bincount(self.true_N)
        with np.errstate(divide="ignore"):
            ours = -np.log(told_N).mean()
        known_C = count_C[count_C > 0]
        return bool(ours < RANKS * -(known_C * np.log(known_C / len(self.true_N))).sum() / len(self.true_N))


def single_class(of: AnsweredRows, settings: Settings, unfinished: bool) -> list[dict[str, Any]]:
    """The finding as JSON; [] if the network answers several classes, too few rows are of others, or there is
    no simple model to compare with. unfinished: whether its last epoch was its best."""
    said = np.unique(of.predicted_N)
    others = int((of.true_N != said[:1]).sum()) if len(said) == 1 else 0
    if others < LEAST or MODELS.keys().isdisjoint(of.baseline):
        return []
    ranks, better = of.ranks, _better(of)
    name, theirs = of.classes[int(said[0])], of.baseline[better]["f1_macro"] if better else None
    facts = {"n": len(of.true_N), "others": others, "theirs": theirs, "ours": of.figures["f1_macro"]}
    told = [_("The network answers '{name}' for all {n:,} test rows, {others:,} of them of other classes.")]
    told += [_("No simple model is clearly better by loss, accuracy and f1_macro (here {ours:.3f}).")]
    if better:
        told[1] = _("Some of these can be found by {model} (f1_macro {theirs:.3f} beside {ours:.3f}).")
    model = _(MODELS[better]) if better else None
    why = _("The same answer for every row says nothing about a row, however many of the answers are right.")
    if ranks:
        why = _(
            "Its probabilities do tell rows apart (their cross-entropy is lower than that of the classes' "
            "shares), but they never suffice for another class."
        )
    fix = _next(settings, len(of.classes) == 2 and ranks, unfinished)
    if not better and not ranks:
        fix = _("Look for columns that tell the classes apart, or take more rows of the others.")
    evidence = {"class": name, "model": better} | facts
    message = " ".join(told).format(name=name, model=model, **facts)
    return [Finding(RULE, "risk", False, message, why, None, None, None, evidence, fix).as_json()]


def _better(of: AnsweredRows) -> str | None:
    """The simple model that tells classes apart best; None if each is no better than the best constant in
    loss or in accuracy, or hardly better than the network."""
    constant = of.baseline["majority"]
    least = max(of.figures["f1_macro"], constant["f1_macro"]) + GAIN
    good = {
        name: own["f1_macro"]
        for name, own in of.baseline.items()
        if name in MODELS
        and own["f1_macro"] >= least
        and own["loss"] < constant["loss"]
        and own["accuracy"] >= constant["accuracy"]
    }
    return max(good, key=lambda name: good[name]) if good else None


def _next(s: Settings, ranks_two: bool, unfinished: bool) -> str:
    """What to train with next."""
    if ranks_two and s.threshold is None:
        return _(
            "Choose the probability from which on the rare class is predicted: [[threshold=auto]]; or weight "
            "the classes: [[class_weights=balanced]]."
        )
    if s.class_weights is None:
        return _("Weight the classes: [[class_weights=balanced]]; and look at f1_macro.")
    if unfinished:
        return _("Train longer: its last epoch was its best ([[epochs]]).")
    return _("Try a larger network, or the recipe for tables: [[recipe=table]].")
