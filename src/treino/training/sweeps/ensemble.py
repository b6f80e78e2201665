"""Ensembles of a sweep's networks: its best networks, or networks chosen by greedy selection."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.base.files import damaged
from treino.base.resampling import percentile_interval, row_counts, weights_or_ones
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.rows import Rows
from treino.engine.answer import as_outputs, averaged_values, greedy
from treino.engine.ensemble import Ensemble, mean_output
from treino.engine.losses import Loss
from treino.engine.metrics import METRICS, measure, row_losses
from treino.engine.nets import input_shape
from treino.folders.documents.reading import read_sweep_spec
from treino.folders.documents.sweep import SweepEnsemble
from treino.folders.store import RunFolder
from treino.folders.stored_run import StoredRun
from treino.folders.weights import check_layers, with_weights
from treino.inspection.outputs import outputs, predicted_classes
from treino.settings.several import COMPARED
from treino.settings.spec import Settings
from treino.training.resolution import decide
from treino.training.sweeps.bracket import MODELS, TopMember, read_top
from treino.training.sweeps.member import params_of
from treino.training.sweeps.populations import settings_of

ENSEMBLE_DIFFERS = Refusal(
    "Network {n} can't answer together with the winner: they differ in {what}.", "Ask fewer of them."
)


def ensemble(folder: RunFolder, winner: StoredRun, members: Sequence[int]) -> StoredRun:
    """The winner's run with its network replaced by these networks, such as those of ``greedy_ensemble``.

    Raises:
        TreinoError: the folder doesn't hold one of the networks, or one has other prepared rows than the
            winner.
    """
    kept = {k.member: k for k in read_top(folder)}
    if lost := set(members) - set(kept):
        raise damaged(folder.path / MODELS, _("network {n} is not there").format(n=min(lost)))
    different = list(dict.fromkeys(members))
    made = dict(zip(different, networks(folder, winner, [kept[m] for m in different]), strict=True))
    return winner.answered_by(Ensemble([made[m] for m in members], winner.loss_function).eval())


def _differences(folder: RunFolder, kept: Sequence[TopMember]) -> list[tuple[Settings, list[str]]]:
    """Each network's settings, and those of them that keep it from predicting together with the first."""
    base, first = read_sweep_spec(folder).base, params_of(folder, kept[0].member)
    found = []
    for k in kept:
        config = params_of(folder, k.member)
        other = [n for n in (*COMPARED, "loss", "net") if config.get(n) != first.get(n)]
        settings = settings_of(config, base, k.member)
        found.append((settings, other or ["net"] * (settings.net_file is not None)))
    return found


def networks(folder: RunFolder, winner: StoredRun, kept: Sequence[TopMember]) -> list[nn.Module]:
    """The kept networks as modules.

    Raises:
        TreinoError: a network has other prepared rows than the winner.
    """
    spec, nets = winner.spec, list[nn.Module]()
    for k, (settings, other) in zip(kept, _differences(folder, kept), strict=True):
        if other:
            raise ENSEMBLE_DIFFERS(n=k.member, what=", ".join(other))
        net, _config = decide(settings, winner.data)
        shape = input_shape(net, spec.item_shape)
        wanted = net.parameter_shapes(shape, spec.outputs)
        check_layers(wanted, (t.shape for t in k.weights.values()), folder.path.name)
        nets.append(with_weights(net.module(shape, spec.outputs), k.weights, folder.path.name))
    return nets


DRAWS = 2000  # bootstrap draws for the interval of the ensemble's gain


def selection(output_MNC: Tensor, rows: Rows, loss: Loss, metric: str, places: int) -> list[int]:
    """Choose an ensemble from M networks (the best first) by their outputs on validation rows. It has at most
    ``places`` places; a network in two places counts twice. Return the best ensemble found, of any size.
    """

    def badness(mean_MNC: Tensor) -> Tensor:
        figures = measure(as_outputs(mean_MNC, loss), rows.y, loss, 1.0, rows.weight)
        return -METRICS[metric].better * figures[metric]

    return greedy(averaged_values(output_MNC, loss), badness, places, first=0)


def greedy_ensemble(
    folder: RunFolder, top: Sequence[TopMember], data: Data, winner: StoredRun, metric: str, places: int
) -> SweepEnsemble:
    """The ensemble that the sweep chooses from these networks, and its metrics. top: the winner first."""
    kept = [k for k, (_settings, other) in zip(top, _differences(folder, top), strict=True) if not other]
    nets, members = networks(folder, winner, kept), [k.member for k in kept]
    loss, shape = winner.loss_function, winner.item_shape
    validation = _answers(nets, data.validation, shape)
    chosen = selection(validation, data.validation, loss, metric, places)
    made = SweepEnsemble(
        members=tuple(members[m] for m in chosen),
        metric="accuracy" if data.classes else "rmse" if len(data.by_target) == 1 else "loss",
        validation=_figures(validation[chosen], data.validation, loss, data),
        test=None,
        alone=None,
        difference=None,
        difference_interval=None,
    )
    if not len(data.test):
        return made
    test = _answers(nets, data.test, shape)
    difference, interval = _difference(mean_output(test[chosen], loss), test[0], loss, data)
    measured = {
        "test": _figures(test[chosen], data.test, loss, data),
        "alone": _figures(test[:1], data.test, loss, data),
        "difference": difference,
        "difference_interval": tuple(interval),
    }
    return made.model_copy(update=measured)


def _answers(nets: Sequence[nn.Module], rows: Rows, shape: Sequence[int] | None) -> Tensor:
    return torch.stack([outputs(net, rows.x, item_shape=shape) for net in nets])


def _figures(output_KNC: Tensor, rows: Rows, loss: Loss, data: Data) -> dict[str, float | None]:
    output_1NC = mean_output(output_KNC, loss)[None]
    values = measure(output_1NC, rows.y, loss, data.scale, rows.weight)
    return {name: float(value[0]) for name, value in values.items()}


def _difference(both_NC: Tensor, alone_NC: Tensor, loss: Loss, data: Data) -> tuple[float, list[float]]:
    """The ensemble's accuracy (the mean over targets) or RMSE minus the winner's, and its bootstrap interval
    over test rows; of several numbers, whose units differ, their loss."""
    y, r, many = data.test.y, np.random.RandomState(0), len(data.by_target)

    def score_N(output_NC: Tensor, y_N: Tensor, one: Data) -> np.ndarray:
        if not data.classes:
            error_NK = one.preparation.predictions(output_NC.double()) - one.preparation.values(y_N.double())
            return np.asarray(error_NK.square().mean(1))
        return np.asarray((predicted_classes(output_NC) == y_N).double())

    weight_N = weights_or_ones(data.test.weight, len(y))
    rooted = not data.classes
    if many > 1 and not data.classes:
        scores = [row_losses(output_NC, y, loss, data.test.weight)[0] for output_NC in (both_NC, alone_NC)]
        many, rooted = 1, False
    else:
        scores = [
            score_N(*part, one) * weight_N
            for output_NC in (both_NC, alone_NC)
            for part, one in zip(loss.by_target(output_NC, y), data.by_target, strict=True)
        ]
    score_SN = np.stack([*scores, weight_N])

    def apart(sum_BS: np.ndarray) -> np.ndarray:
        mean_BS = sum_BS[:, :-1] / sum_BS[:, -1:]
        turned_BS = np.sqrt(mean_BS) if rooted else mean_BS
        return np.asarray(turned_BS[:, :many].mean(1) - turned_BS[:, many:].mean(1))

    counts = row_counts(len(y), DRAWS, lambda shape: r.randint(0, len(y), shape))
    drawn_B = apart(np.concatenate([count_BN @ score_SN.T for count_BN in counts]))
    return float(apart(score_SN.sum(1)[None])[0]), list(percentile_interval(drawn_B))
