"""From what was asked and what the data is to a training: every default decided, every name checked."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from treino.data.dataset import Data
from treino.data.torch_datasets.dataset_source import steps_of
from treino.engine import MLP, Training, mlp, train
from treino.errors import TreinoError
from treino.spec import Settings, faults_of, refuse_layers
from treino.words import _

TABLE: dict[str, Any] = {"hidden": (64, 32), "lr": 3e-3, "batch_size": 32, "epochs": 200}
IMAGE: dict[str, Any] = {"hidden": (128, 128), "lr": 1e-3, "batch_size": 100, "epochs": 10}
PATIENCE = 20
TICK_STEPS = 500  # a tick usually ends when its time is over; recording one costs as much as a few steps


@dataclass(frozen=True, eq=False)
class Plan:
    """A training that is about to begin.

    settings: every setting with its value (JSON-able), as stored in ``spec.json`` under ``resolved``.
    reasons: what was decided from the data, one sentence each.
    """

    training: Training
    settings: dict[str, Any]
    reasons: tuple[str, ...]


def lower_rate(lr: float) -> float:
    """A learning rate to try after ``lr`` was too high: a tenth, or the default where that is far off."""
    usual = float(TABLE["lr"])
    return float(f"{lr / 10:.3g}") if lr <= 100 * usual else usual


def device_of(name: str) -> str:
    """'auto' -> the accelerator that is there, or the CPU; a name -> itself, if it is there.

    Raises:
        TreinoError: the device that was asked for is not there.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    kind, _colon, number = name.partition(":")
    if not there[kind] or (number and int(number) >= torch.cuda.device_count()):
        raise TreinoError(
            "device_missing",
            _("There is no device {name} here (torch {version}).").format(
                name=name, version=torch.__version__
            ),
            _("Leave [[device]] out, or use [[device=cpu]]."),
        )
    return name


Net = nn.Module | MLP


def decide(settings: Settings, data: Data, net: Net | None = None) -> tuple[Net, dict[str, Any]]:
    """Decide what was left open: the network, and the arguments that ``engine.train`` is to be given.

    Raises:
        TreinoError: settings that contradict each other, the data or the machine.
    """
    s, default = settings, IMAGE if data.kind == "image" else TABLE
    _check_optimizer(s)
    if net is not None:
        refuse_layers(s)
    if not len(data.train):
        raise TreinoError(
            "no_training_rows", _("There are no training rows."), _("Lower [[validation]] or [[test]].")
        )
    free = s.epochs is None and s.steps is None
    patience = s.patience if s.patience is not None else PATIENCE if free else 0
    if len(data.validation) == 0:
        if s.keep == "best" or s.patience:
            what = "--keep best" if s.keep == "best" else f"--patience {s.patience}"
            raise TreinoError(
                "no_validation_rows",
                _("{what} needs validation rows, and there are none.").format(what=what),
                _("Give [[validation]] a share, e.g. 0.15, or leave that out."),
            )
        if "metric" in s.model_fields_set:
            raise TreinoError(
                "no_validation_rows",
                _("[[metric={name}]] chooses by validation rows, and there are none.").format(name=s.metric),
                _("Give [[validation]] a share, e.g. 0.15, or leave [[metric]] out."),
            )
        patience = 0
    hidden = default["hidden"] if s.hidden is None else s.hidden
    if net is None:
        net = mlp(
            *hidden, activation=s.activation or "relu", dropout=s.dropout or 0.0, batch_norm=s.batch_norm
        )  # fmt: skip
    batch = _own_batch(s, data) or (default["batch_size"] if s.batch_size is None else s.batch_size)
    return net, {
        "optimizer": s.optimizer,
        "lr": default["lr"] if s.lr is None else s.lr,
        "momentum": s.momentum,
        "nesterov": s.nesterov,
        "betas": s.betas or (0.9, 0.999),
        "weight_decay": s.weight_decay,
        "schedule": s.schedule,
        "warmup": s.warmup,
        "clip": s.clip,
        "loss": s.loss,
        "label_smoothing": s.label_smoothing,
        "class_weights": _class_weights(s, data),
        "init": s.init or "default",
        "batch_size": None if batch == "full" else batch,
        "epochs": default["epochs"] if free else s.epochs,
        "steps": s.steps,
        "patience": patience,
        "metric": s.metric,
        "keep": s.keep or ("best" if len(data.validation) else "last"),
        "shuffle": s.shuffle,
        "data_seed": data.data_seed,
        "device": device_of(s.device),
        "engine": s.engine,
        "threads": s.threads,
        "fault": faults_of(s),
    }


def plan(settings: Settings, data: Data, net: Net | None = None) -> Plan:
    """Decide what was left open and make the training; nothing is written.

    Raises:
        TreinoError: settings that contradict each other, the data or the machine.
    """
    s = settings
    net, asked = decide(s, data, net)
    training = train(data, net, seeds=(s.seed,), every=TICK_STEPS, **asked)
    if s.warmup > training.steps:
        raise TreinoError(
            "warmup_range",
            _("[[warmup]] is {n:,} steps, and there are only {steps:,}.").format(
                n=s.warmup, steps=training.steps
            ),
            _("Warm up for fewer steps, or train longer."),
        )
    resolved = s.model_dump(mode="json", exclude={"name", "out"}) | {
        "normalise": data.arguments["normalise"],
        "validation": data.files["validation"][0]
        if "validation" in data.files
        else data.arguments["validation"],
        "test": data.files["test"][0] if "test" in data.files else data.arguments["test"],
        "task": data.task,
        "target": data.target,
        "features": list(data.features) if data.kind == "table" else None,
        "loss": training.loss,
        "lr": asked["lr"],
        "betas": list(asked["betas"]) if s.optimizer in ("adam", "adamw") else None,
        "batch_size": asked["batch_size"] or "full",
        "epochs": asked["epochs"],
        "patience": asked["patience"],
        "keep": asked["keep"],
        "class_weights": asked["class_weights"],
        "data_seed": data.data_seed,
        "fault": list(faults_of(s)),
        "device": asked["device"],
        "engine": training.engine,
        "threads": training.threads,
    }
    if isinstance(net, MLP):
        resolved |= {
            "hidden": list(net.hidden), "activation": net.activation, "dropout": net.dropout,
            "batch_norm": net.batch_norm, "init": s.init or "default",
        }  # fmt: skip
    reasons = (data.task_reason, training.loss_reason)
    return Plan(training, resolved, tuple(r for r in reasons if r))


def _own_batch(s: Settings, data: Data) -> int | None:
    """The rows of the largest batch, where the data comes in batches of its own."""
    if steps_of(data) is None:
        return None
    own: int = data.train.x.batch  # type: ignore[attr-defined]
    if s.batch_size not in (None, own):
        raise TreinoError(
            "batch_size_loader",
            _("batch_size is {n}, and the DataLoader makes batches of {own}.").format(
                n=s.batch_size, own=own
            ),
            _("Leave it out, or make the DataLoader with batch_size={n}.").format(n=s.batch_size),
        )
    if s.shuffle != "each":
        raise TreinoError(
            "shuffle_loader",
            _("shuffle is {how}, and the order is the DataLoader's own.").format(how=s.shuffle),
            _("Leave it out, or make the DataLoader with shuffle=False."),
        )
    return own


def _check_optimizer(s: Settings) -> None:
    asked = s.model_fields_set
    if s.optimizer in ("adam", "adamw") and (s.momentum or s.nesterov):
        raise TreinoError(
            "momentum_with_adam",
            _("[[momentum]] is a setting of sgd; {optimizer} has [[betas]].").format(optimizer=s.optimizer),
            _("Use [[optimizer=sgd]], or [[betas={m},0.999]].").format(m=s.momentum),
        )
    if s.optimizer == "sgd" and "betas" in asked and s.betas is not None:
        raise TreinoError(
            "betas_with_sgd",
            _("[[betas]] are settings of adam and adamw; sgd has [[momentum]]."),
            _("Use [[optimizer=adam]], or [[momentum={b}]].").format(b=s.betas[0]),
        )


def _class_weights(s: Settings, data: Data) -> list[float] | None:
    if s.class_weights is None:
        return None
    if data.task != "classification":
        raise TreinoError(
            "class_weights_without_classes",
            _("[[class_weights]] needs classes, and the target {target} is a number.").format(
                target=data.target
            ),
            _("Leave it out, or use [[task=classification]]."),
        )
    classes = len(data.classes)
    if s.class_weights == "balanced":
        counts = torch.bincount(data.train.y, minlength=classes).clamp(min=1)
        return [float(w) for w in len(data.train) / (classes * counts.double())]
    if len(s.class_weights) != classes:
        raise TreinoError(
            "class_weights_count",
            _("[[class_weights]] has {n} numbers, and there are {c} classes: {names}.").format(
                n=len(s.class_weights), c=classes, names=", ".join(data.classes)
            ),
            _("Give one for each class in this order, or 'balanced'."),
        )
    return list(s.class_weights)
