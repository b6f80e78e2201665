"""Decide whether training pictures are mirrored: compare a short training with flips and one without.

A mirrored cat is a cat, a mirrored 3 is no digit: the pictures alone don't tell, the validation rows do.
"""

import math

import torch
from torch import Tensor

from treino.base.words import _
from treino.data.dataset import Data
from treino.engine import TrainConfig, TrainingLoop
from treino.engine.devices import torch_threads
from treino.engine.ensemble import outputs_on
from treino.engine.nets import CNN
from treino.engine.templates import NetSource
from treino.engine.training_setup import set_up
from treino.settings.spec import Settings
from treino.training.resolution import decide

SHARE = 0.25  # of the training's updates
STEPS = 300  # at most
FEWEST_ROWS = 100  # for validation


def decided_flips(settings: Settings, data: Data, net: NetSource | None = None) -> tuple[Settings, str]:
    """The settings with ``flip`` decided, and a sentence on why; unchanged, and "", where no trial is due.

    It is due for one convolutional network that learns classes of pictures in files, with enough validation
    rows, if neither ``flip`` nor ``augment=none`` was asked for. Flips go on if the mean loss of the
    validation rows falls by more than the standard error of its difference, row by row.
    """
    if settings.flip is not None or settings.augment == "none" or not _photographs(data):
        return settings, ""
    alone = {"ensemble": 1, "dropout_spread": False, "plain_members": 0}
    one = settings if settings.ensemble == 1 else settings.model_copy(update=alone)
    layers, config = decide(one, data, net)
    if not isinstance(layers, CNN):
        return settings, ""
    steps = trial_steps(config, len(data.train))
    loss_N, flipped_N = (_losses(data, layers, config, steps, flip) for flip in (False, True))
    gain_N = loss_N - flipped_N
    error = float(gain_N.std()) / math.sqrt(len(gain_N))
    flip = float(gain_N.mean()) > error  # False if one of them diverged
    sentence = (
        _(
            "Pictures are mirrored: in a trial of {steps} steps the loss on {rows} validation rows was"
            " {before:.4g} without flips and {after:.4g} with them: a gain above its standard error,"
            " {error:.2g}."
        )
        if flip
        else _(
            "Pictures are not mirrored: in a trial of {steps} steps the loss on {rows} validation rows was"
            " {before:.4g} without flips and {after:.4g} with them: no gain above its standard error,"
            " {error:.2g}."
        )
    )
    return settings.model_copy(update={"flip": flip}), sentence.format(
        steps=steps,
        rows=len(gain_N),
        before=float(loss_N.mean()),
        after=float(flipped_N.mean()),
        error=error,
    )


def _photographs(data: Data) -> bool:
    """Whether the rows are pictures in files, with classes and enough validation rows."""
    return (
        data.kind == "image"
        and data.sha256 is not None
        and data.task == "classification"
        and len(data.validation) >= FEWEST_ROWS
    )


def trial_steps(config: TrainConfig, rows: int) -> int:
    """The updates of each of the two trainings. rows: for training."""
    s = config.shared
    planned = s.steps or (s.epochs or 1) * -(-rows // config.rows_per_step(rows))
    return max(1, min(STEPS, int(planned * SHARE)))


def _losses(data: Data, net: CNN, config: TrainConfig, steps: int, flip: bool) -> Tensor:
    """``[N]``: the loss of each validation row after a short training."""
    short = config.with_settings(flip=flip, epochs=None, steps=steps, patience=0, keep="last", warmup=0)
    training = TrainingLoop(*set_up(data, net, short))
    with torch_threads(1), torch.no_grad():
        for _tick in training:
            pass
        setup, population = training.setup, training.state.population
        assert setup.validation is not None
        output_1NC, y = outputs_on(
            setup.validation.rows, setup.kernel, setup.shared, population, torch.tensor([0])
        )
        loss_N, weight_N = setup.shared.loss.rows(output_1NC[0].double().cpu(), y.cpu())
    return loss_N / weight_N.mean()
