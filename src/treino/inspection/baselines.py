"""Baselines measured on the network's rows: the best constant prediction, linear models, and trees."""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.resampling import as_counts
from treino.base.text import that_hold
from treino.base.words import N_, _
from treino.data import BUILTINS
from treino.data.dataset import Data
from treino.data.preparation.preparation import fit_table
from treino.data.preparation.trees import tree_threads
from treino.data.rows import IGNORED, Rows
from treino.data.summaries.measures import dot
from treino.engine.losses import Loss
from treino.engine.metrics import measure, of_all_targets
from treino.engine.nets import is_picture, picture_shape
from treino.inspection.whitened_patches import FEATURES, multiplications, patch_features

WORK = 2e9  # multiplications that a linear baseline may cost: about a second, MNIST included
ITERATIONS = 100  # scikit-learn's default for logistic regression, as are the next three
LEAST_SLOPE, LEAST_GAIN = 1e-4, 64 * np.finfo(float).eps
FEW_ITERATIONS = 20
BLOCK = 16_384  # rows to measure that are 64-bit numbers at once
PATCHES_WORK = 1.5e10  # multiplications that features of training pictures may cost: about a second
PATCHES_ALPHA = 100.0  # weight of L2: there are many features, and they are alike
TREES = 100  # scikit-learn's default number of rounds
TREES_SECONDS = 2.0
TREE_SECONDS, COLUMN_SECONDS, CELL_SECONDS = 1.5e-3, 6e-5, 8e-9  # time of one tree, measured on two cores
MOST_CATEGORIES = 255  # maximum number of classes of a column in scikit-learn's trees


@dataclass(frozen=True)
class Baselines:
    """The metrics of the baselines.

    metrics: ``{"majority" or "mean": {metric: value}, "linear": {…}}``, ``"patches"`` for pictures, and
    ``"trees"`` if trees were fitted, measured as for a network. split, rows: the split measured on, and its
    number of rows. notes: sentences on missing test rows and on limits of the fits.
    """

    metrics: dict[str, dict[str, float]]
    split: str
    rows: int
    notes: tuple[str, ...] = ()


def baselines(data: Data, loss: Loss | None = None, full: bool = False) -> Baselines:
    """Fit the best constant prediction and scikit-learn's linear model on training rows, and measure them.

    Classes: the training shares (``majority``) and logistic regression, as log-probabilities. Numbers: the
    training mean and ridge regression, in standardised units. For pictures also such a linear model on fixed
    features of whitened patches. For the user's own tables also gradient-boosted
    trees with scikit-learn's defaults, within two seconds; full: for all data, without a time limit. Measured
    on test rows by ``engine.metrics.measure`` with the run's loss (default: cross-entropy or squared error);
    without test rows on validation or training rows, with a note. For several targets: the means over them.
    """
    if len(data.by_target) > 1:
        each = [baselines(one, None if loss is None else loss.single, full) for one in data.by_target]
        said = tuple(dict.fromkeys(note for own in each for note in own.notes))
        return Baselines(means([own.metrics for own in each]), each[0].split, each[0].rows, said)
    usual = Loss("cross_entropy" if data.task == "classification" else "mse")
    apart = loss is not None and loss.link.joint  # simple models have one output
    loss = usual if loss is None or apart else loss
    split = next(name for name in ("test", "validation", "train") if len(data.splits[name]))
    rows = data.splits[split]
    untested = _("There are no test rows: the baselines are measured on {split} rows.")
    notes = that_hold({untested: split != "test"}, split=split)
    constant, name = _constant_of_positions(data, rows) if loss.axes else _constant(data, rows, loss)
    outputs = {name: constant}
    if not loss.axes:
        outputs |= _fitted(data, rows, loss, full, notes)
    metrics = {}
    for key, output_NC in outputs.items():
        measured = measure(output_NC[None], rows.y, loss, data.scale, rows.weight)
        metrics[key] = {metric: float(value[0]) for metric, value in measured.items()}
        metrics[key] |= {"loss": math.nan} if apart else {}
    return Baselines(metrics, split, len(rows), tuple(notes))


def _fitted(data: Data, rows: Rows, loss: Loss, full: bool, notes: list[str]) -> dict[str, torch.Tensor]:
    """The outputs of the models that are fitted to these data. notes: gets sentences on their limits."""
    several = not data.classes or len(data.train.y.unique()) > 1
    if not several:
        notes.append(_("The training rows hold one class only: there is no linear baseline."))
        return {}
    made = {N_("linear"): _logistic(data, rows, loss) if data.classes else _ridge(data, rows, loss)}
    if is_picture(data.item_shape):
        made[N_("patches")] = _patches(data, rows, loss)
    if full or (data.preparation.programs and data.source not in BUILTINS):
        made[N_("trees")] = _trees(data, rows, loss, math.inf if full else TREES_SECONDS)
    notes += [note for _output_NC, of_model in made.values() for note in of_model]
    return {name: output_NC for name, (output_NC, _notes) in made.items()}


def means(each: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """Average the baselines' metrics over several targets, where all targets have them."""
    if len(each) == 1:
        return {name: dict(figures) for name, figures in each[0].items()}
    return {
        name: {
            metric: float(np.mean([own[name][metric] for own in each]))
            for metric in figures
            if all(metric in own[name] for own in each) and of_all_targets(metric)
        }
        for name, figures in each[0].items()
        if all(name in own for own in each)
    }


def _constant(data: Data, rows: Rows, loss: Loss) -> tuple[torch.Tensor, str]:
    """Return one output for all rows: the classes' shares, or the mean (0, standardised) in training."""
    if not data.classes:
        prep, output = data.preparation, 0.0
        if prep.target_log:
            mean = np.average(prep.values(data.train.y[:, 0].double()), weights=data.train.weight)
            output = (math.log(mean) - prep.target_mean) / prep.target_scale
        return torch.full((len(rows), 1), output), N_("mean")
    weight_N = data.train.weight
    count_C = torch.bincount(data.train.y, weight_N, minlength=len(data.classes)).double()
    log_C = _floored(count_C.log() - count_C.sum().log(), len(data.train))
    return _logits(log_C[None], loss).expand(len(rows), -1), N_("majority")


def _constant_of_positions(data: Data, rows: Rows) -> tuple[torch.Tensor, str]:
    """Return ``[N, C * positions]``, the classes' shares over all training positions, or the mean."""
    count = data.train.y.shape[1]
    if not data.classes:
        return torch.zeros(len(rows), count), N_("mean")
    known_K = data.train.y[data.train.y != IGNORED]
    count_C = torch.bincount(known_K, minlength=len(data.classes)).double()
    log_C = _floored(count_C.log() - count_C.sum().log(), len(known_K))
    return log_C.repeat_interleave(count).expand(len(rows), -1), N_("majority")


def _logistic(data: Data, rows: Rows, loss: Loss) -> tuple[torch.Tensor, list[str]]:
    """Multinomial logistic regression (L2, C = 1), on a sample of the rows if all would take too long."""
    classes, notes, iterations, most = len(data.classes), [], ITERATIONS, len(data.train)
    work = data.inputs * (classes if classes > 2 else 1)
    if most * work * iterations > WORK:
        iterations, most = FEW_ITERATIONS, int(WORK / (work * FEW_ITERATIONS))
        note = _("The linear baseline was fitted on {n} of {total} training rows in {k} iterations.")
        notes = [note.format(n=min(most, len(data.train)), total=len(data.train), k=iterations)]
    x_ND, y_N, weight_N = _some(data, most)
    x_ND, test_ND = _standardised(data, x_ND, rows, weight_N)
    return _logistic_outputs(x_ND, y_N, test_ND, classes, loss, iterations, weight_N=weight_N), notes


def _logistic_outputs(
    x_ND: NDArray,
    y_N: NDArray,
    test_ND: NDArray,
    classes: int,
    loss: Loss,
    iterations: int,
    c: float = 1.0,
    weight_N: NDArray | None = None,
) -> torch.Tensor:
    """A logistic regression's outputs for rows to measure, in a network's form. c: 1 / L2's weight.
    weight_N: the rows' weights. Steps and end are those of scikit-learn, whose import takes half a second."""
    from scipy.optimize import minimize  # imported here: it takes a quarter of one

    x_ND = np.asarray_chkfinite(x_ND)
    class_C = np.unique(y_N)
    share_N = np.ones(len(x_ND)) if weight_N is None else weight_N
    share_N, l2 = share_N / share_N.sum(), 1 / (c * share_N.sum())
    free = len(class_C) if len(class_C) > 2 else 1  # of two classes, the first one's margin stays 0

    def margins(flat: NDArray, x_ND: NDArray) -> NDArray:
        w_CD = flat.reshape(free, -1)
        margin_NC = x_ND @ w_CD[:, :-1].T + w_CD[:, -1]
        return margin_NC if free > 1 else np.hstack([np.zeros_like(margin_NC), margin_NC])

    def cost(flat: NDArray) -> tuple[np.float64, NDArray]:
        weight_CD, margin_NC = flat.reshape(free, -1) * inner_D, margins(flat, x_ND)
        margin_NC -= margin_NC.max(axis=1, keepdims=True)
        share_NC = np.exp(margin_NC)
        sum_N = share_NC.sum(axis=1)
        error_NC = (share_NC / sum_N[:, None] - one_NC) * share_N[:, None]
        slope_CD = np.hstack([error_NC.T @ x_ND, error_NC.sum(axis=0)[:, None]])[-free:]
        value = l2 / 2 * (weight_CD**2).sum() - dot(share_N, margin_NC[one_NC] - np.log(sum_N))
        return value, (slope_CD + l2 * weight_CD).ravel()

    one_NC, inner_D = y_N[:, None] == class_C, np.append(np.ones(x_ND.shape[1]), 0)  # without the intercept
    with np.errstate(all="ignore"):
        limits = {"maxiter": iterations, "maxls": 50, "gtol": LEAST_SLOPE, "ftol": LEAST_GAIN}
        start = np.zeros(free * len(inner_D))
        lowest = minimize(cost, start, jac=True, method="L-BFGS-B", options=limits).x
    margin = _of_blocks(lambda x_BD: margins(lowest, x_BD), test_ND)
    log_NC = torch.full((len(test_ND), classes), -math.inf, dtype=torch.float64)
    log_NC[:, torch.from_numpy(class_C)] = margin.log_softmax(dim=1)
    return _logits(_floored(log_NC, len(x_ND)), loss)


def _of_blocks(outputs: Callable[[NDArray], NDArray], test_ND: NDArray) -> torch.Tensor:
    """The outputs for rows to measure, of which only a block at a time are 64-bit numbers."""
    starts = range(0, len(test_ND), BLOCK)
    blocks = [outputs(test_ND[start : start + BLOCK].astype(np.float64)) for start in starts]
    return torch.from_numpy(np.vstack(blocks))


def _ridge(data: Data, rows: Rows, loss: Loss) -> tuple[torch.Tensor, list[str]]:
    """Ridge regression (alpha = 1) on standardised targets; under a loss of a Tweedie distribution, that of
    the logarithm of its mean."""
    x_ND, y_N1, weight_N = _some(data, int(WORK / (data.inputs * min(data.inputs, len(data.train)))))
    note = _("The linear baseline was fitted on {n} of {total} training rows.")
    notes = [note.format(n=len(x_ND), total=len(data.train))] if len(x_ND) < len(data.train) else []
    x_ND, test_ND = _standardised(data, x_ND, rows, weight_N)
    if loss.kind.power is not None:
        from sklearn.linear_model import TweedieRegressor  # imported here: it takes half a second

        model = TweedieRegressor(power=loss.kind.power, alpha=1 / len(x_ND), link="log", max_iter=ITERATIONS)
        with warnings.catch_warnings(action="ignore"):  # it tells where its search ended
            model.fit(x_ND, y_N1.reshape(-1), weight_N)
        return _of_blocks(lambda x_BD: (x_BD @ model.coef_ + model.intercept_)[:, None], test_ND), notes
    return _ridge_outputs(x_ND, test_ND, y_N1, weight_N=weight_N), notes


def _ridge_outputs(
    x_ND: NDArray, test_ND: NDArray, y_N1: NDArray, alpha: float = 1.0, weight_N: NDArray | None = None
) -> torch.Tensor:
    """A ridge regression's outputs for rows to measure."""
    x_ND, y_N1 = np.asarray_chkfinite(x_ND), y_N1.astype(np.float64).reshape(-1, 1)
    mean_D, mean = np.average(x_ND, 0, weight_N), np.average(y_N1, 0, weight_N)
    root_N1 = np.ones((len(x_ND), 1)) if weight_N is None else np.sqrt(weight_N)[:, None]
    x_ND, y_N1, wide = (x_ND - mean_D) * root_N1, (y_N1 - mean) * root_N1, x_ND.shape[1] > len(x_ND)
    square = x_ND @ x_ND.T if wide else x_ND.T @ x_ND
    square[np.diag_indices(len(square))] += alpha
    w_D1 = x_ND.T @ np.linalg.solve(square, y_N1) if wide else np.linalg.solve(square, x_ND.T @ y_N1)
    return _of_blocks(lambda x_BD: (x_BD - mean_D) @ w_D1 + mean, test_ND)


def _patches(data: Data, rows: Rows, loss: Loss) -> tuple[torch.Tensor, list[str]]:
    """A linear model on fixed features of whitened patches, on a sample of the rows if all take too long."""
    shape, classes = picture_shape(data.item_shape), len(data.classes)
    fit_work = FEATURES * (classes * FEW_ITERATIONS if classes else FEATURES)
    x_ND, y, _w = _some(data, int(min(PATCHES_WORK / multiplications(shape), WORK / fit_work)))
    note = _("The model on patches was fitted on {n:,} of {total:,} training rows.")
    notes = [note.format(n=len(x_ND), total=len(data.train))] if len(x_ND) < len(data.train) else []
    x_NCHW, test_NCHW = (t.float().view(-1, *shape) for t in (torch.from_numpy(x_ND), rows.x))
    features = patch_features(x_NCHW)
    x_ND, test_ND = _scaled(features(x_NCHW).double().numpy(), features(test_NCHW).double().numpy())
    if not classes:
        return _ridge_outputs(x_ND, test_ND, y, PATCHES_ALPHA), notes
    return _logistic_outputs(x_ND, y, test_ND, classes, loss, FEW_ITERATIONS, 1 / PATCHES_ALPHA), notes


def _trees(
    data: Data, rows: Rows, loss: Loss, most_seconds: float = math.inf
) -> tuple[torch.Tensor, list[str]]:
    """Histogram-based gradient-boosted trees (scikit-learn's defaults, without early stopping), with
    categorical columns. Seed 0.

    most_seconds: the approximate time limit, kept by using fewer rows or fewer trees.
    https://scikit-learn.org/stable/modules/ensemble.html#histogram-based-gradient-boosting
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    test_NF, categories = _columns(data, rows.x)
    most, rounds = _affordable(len(data.train), test_NF.shape[1], len(data.classes), most_seconds)
    x_ND, y, weight_N = _some(data, most)
    notes = []
    if len(x_ND) < len(data.train) or rounds < TREES:
        note = _("The trees were fitted on {n:,} of {total:,} training rows, in {k} rounds.")
        notes.append(note.format(n=len(x_ND), total=len(data.train), k=rounds))
    kind = HistGradientBoostingClassifier if data.classes else HistGradientBoostingRegressor
    fixed = {"random_state": 0, "early_stopping": False}  # its own stopping would part groups and times
    like = {1: "poisson", 2: "gamma"}.get(loss.kind.power)  # type: ignore[call-overload]
    fixed |= {"loss": like} if like else {}
    model = kind(max_iter=rounds, categorical_features=categories, **fixed)
    x_NF = _columns(data, torch.from_numpy(x_ND))[0]
    with tree_threads(x_NF.size):
        trees = model.fit(x_NF, y.reshape(-1), weight_N)
        answers = trees.predict_proba(test_NF) if data.classes else trees.predict(test_NF)
    if not data.classes:
        return loss.link.form.outputs(torch.from_numpy(answers).double()[:, None]), notes
    log_NC = torch.full((len(rows), len(data.classes)), -math.inf, dtype=torch.float64)
    log_NC[:, torch.from_numpy(trees.classes_)] = torch.from_numpy(answers).log()
    return _logits(_floored(log_NC, len(x_ND)), loss), notes


def _affordable(rows: int, columns: int, classes: int, seconds: float) -> tuple[int, int]:
    """Return the numbers of rows and rounds of trees that take about ``seconds``; rows are reduced first."""
    trees = classes if classes > 2 else 1
    any_rows = trees * (TREE_SECONDS + columns * COLUMN_SECONDS)  # seconds of a round, without its rows'
    rounds = TREES if any_rows * TREES <= seconds / 2 else max(1, int(seconds / 2 / any_rows))
    most = (seconds / rounds - any_rows) / (trees * columns * CELL_SECONDS)
    return (rows if most >= rows else max(2, int(most))), rounds


def _columns(data: Data, x_ND: torch.Tensor) -> tuple[NDArray, list[int]]:
    """Return trees' features ``[N, F]`` (prepared rows without bins or target means; class numbers instead of
    one-hot inputs), and the indices of the features with class numbers."""
    preparation = data.preparation
    if not preparation.programs:
        return x_ND.numpy(), []
    columns: list[torch.Tensor] = []
    categories: list[int] = []
    for program, group in zip(preparation.programs, preparation.groups, strict=True):
        part_NG = x_ND[:, list(group)]
        if program.levels and not program.ordered and 2 < len(group) <= MOST_CATEGORIES:
            categories.append(len(columns))
            none_N = part_NG.sum(1) == 0  # the row has a class that no training row has
            columns.append(part_NG.argmax(1).double().masked_fill(none_N, math.nan))
        else:
            columns += [part_NG[:, g].double() for g in range(len(group)) if g not in program.derived]
    return torch.stack(columns, 1).numpy(), categories


def _standardised(data: Data, x_ND: NDArray, rows: Rows, weight_N: NDArray | None) -> tuple[NDArray, NDArray]:
    """Return training rows and rows to measure for the linear model, which converges only on standardised
    inputs: a table that was not normalised is standardised here."""
    x_ND, test_ND = x_ND.astype(np.float64), rows.x.numpy()  # not before: a sample is smaller
    if data.preparation.normalise or data.kind == "image":
        return x_ND, test_ND
    return _scaled(x_ND, test_ND, weight_N)


def _scaled(x_ND: NDArray, test_ND: NDArray, weight_N: NDArray | None = None) -> tuple[NDArray, NDArray]:
    """Both arrays, with each column scaled to mean 0 and deviation 1 (if constant: 0) on the first array."""
    mean_D, scale_D = map(np.array, fit_table(x_ND, True, weight_N))
    scale_D[scale_D == 0] = 1
    return (x_ND - mean_D) / scale_D, (test_ND - mean_D) / scale_D


def _some(data: Data, most: int) -> tuple[NDArray, NDArray, NDArray | None]:
    """At most ``most`` training rows, their targets, and their weights as row counts (None: unweighted)."""
    rows = data.train
    weight_N = None if rows.weight is None else as_counts(rows.weight.double().numpy())
    x_ND, y = rows.x.numpy(), rows.y.numpy()
    if len(x_ND) <= most:
        return x_ND, y, weight_N
    row_K = np.sort(np.random.RandomState(0).permutation(len(x_ND))[: max(most, 2)])
    return x_ND[row_K], y[row_K], None if weight_N is None else weight_N[row_K]


def _floored(log_share: torch.Tensor, rows: int) -> torch.Tensor:
    """Log-shares, floored: a class absent from the ``rows`` rows gets less than one row's share instead of 0,
    because a single test row of this class would make the loss infinite."""
    return torch.where(log_share.isneginf(), -math.log(rows + 1) - 1, log_share)


def _logits(log_NC: torch.Tensor, loss: Loss) -> torch.Tensor:
    """Convert log-probabilities to a network's outputs: for a loss with one logit, to their difference."""
    return log_NC[:, 1:] - log_NC[:, :1] if loss.kind.outputs == 1 else log_NC
