"""``Classifier`` and ``Regressor``: treino's training as scikit-learn estimators.

They work in ``Pipeline``, ``GridSearchCV`` and ``cross_val_score``, keep a frame's column names, and pickle
as the content of their run's folder: without a pickled network or a path of this machine. Conventions:
https://scikit-learn.org/stable/developers/develop.html
"""

import copy
import os
import shutil
import tempfile
import warnings
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data
from torch.utils.data import TensorDataset

from treino import api
from treino.api import Run
from treino.base.document_fields import Task
from treino.base.errors import TreinoError, nearest
from treino.base.signatures import declare, keyword, own_parameters
from treino.base.words import _
from treino.data import rows_for_prediction
from treino.data.preparation.column_roles import LEFT_OUT
from treino.engine import CNN, Net
from treino.engine.metrics import probabilities
from treino.engine.rng import fork_rng
from treino.folders.access import Access
from treino.folders.coverage import coverage_scores
from treino.folders.data_source import reading_like
from treino.inspection.conformal import LEVEL
from treino.inspection.input_planes import winners
from treino.inspection.outputs import outputs
from treino.settings.network_settings import LAYERS
from treino.settings.spec import OF_DATA, OF_PLACE, Settings
from treino.training.stored_results import open_run

PREPARATION = "normalise", "kinds", "impute", "inputs", "bins", "clip_inputs", "target_means", "trees"
NOT_OF_ESTIMATORS = {*OF_DATA, *OF_PLACE, "seed", "as_taught", "fault", "baselines", "every"} - {
    *PREPARATION,
    *("log_target", "validation", "split_group", "split_time"),
}
"""Settings of files, folders and seeds: an estimator gets rows, and ``random_state`` is its seed."""
DEFAULTS: dict[str, Any] = {
    name: None if field.default == () else field.default
    for name, field in Settings.model_fields.items()
    if name not in NOT_OF_ESTIMATORS
} | {"random_state": 0}


class _Estimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The base of both estimators. Parameters are settings of ``settings.spec``; None: chosen by the data.

    net: ``mlp(64, 32)``, ``cnn(16, 32)`` for X ``[N, C, H, W]``, FILE.py:NAME, or an ``nn.Module`` of your
    own, for X of any axes, instead of ``hidden``.
    validation: the share of the rows held back for early stopping. split_group, split_time: columns of X
    (``x1`` … of an array) by which these are whole groups, or the latest rows. random_state: the seed; None:
    a new one at each fit.

    After ``fit``: ``run_`` (the Run, in a temporary folder), ``module_`` (the network that predicts),
    ``n_iter_`` (epochs), ``loss_curve_`` (mean training loss of each epoch), ``n_features_in_``, and
    ``feature_names_in_`` if X has names.
    """

    _task: Task

    def __init__(self, hidden: Sequence[int] | None = None, **settings: Any) -> None:
        for name in settings:
            if name not in DEFAULTS:
                message = _("{kind} has no setting {name!r}.").format(kind=type(self).__name__, name=name)
                anew = _("Each fit begins anew. Leave it out, and train for more epochs.")
                hint = anew if name == "warm_start" else nearest(name, DEFAULTS)
                raise TreinoError("setting_unknown", message, hint)
        for name, value in (DEFAULTS | settings | {"hidden": hidden}).items():
            setattr(self, name, value)

    declare(
        __init__,
        [*own_parameters(__init__), *(keyword(n, value) for n, value in DEFAULTS.items() if n != "hidden")],
    )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True  # treino imputes missing numbers
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.target_tags.multi_output = True
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = True
        return tags

    def _fit(self, x: Any, y: NDArray[Any], weight_N: Any) -> Self:
        """Train on checked rows. y: class numbers or values, ``[N]`` or ``[N, K]``. weight_N: their weights;
        None: all count alike."""
        seed = self.random_state
        if seed is None or not isinstance(seed, (int, np.integer)):
            seed = check_random_state(seed).randint(2**31 - 1)
        settings = {  # without parameters at their default: the data then decides
            name: value
            for name, value in self.get_params(deep=False).items()
            if name not in ("random_state", "net") and not _same(value, DEFAULTS[name])
        }
        settings |= {"seed": int(seed), "task": self._task, "test": 0.0}
        try:
            with tempfile.TemporaryDirectory(prefix="treino-") as parent:
                run = api.fit(self._source(x, y, weight_N), self.net, parent=parent, lean=True, **settings)
                files = (file for file in sorted(run.path.rglob("*")) if file.is_file())
                self._content = {str(file.relative_to(run.path)): file.read_bytes() for file in files}
        except TreinoError as error:
            raise ValueError(str(error)) from None
        self._open()
        reasons = ("identifier", "text", "row number")
        begins = tuple(_(LEFT_OUT[reason][0]).split("{")[0] for reason in reasons)
        for note in self._document["notes"]:
            if note.startswith(begins):
                warnings.warn(note, UserWarning, stacklevel=3)
        self.loss_curve_ = list(self._document["loss"]["train"])
        self.n_iter_ = len(self.loss_curve_)
        return self

    def _open(self) -> None:
        """Restore the run in a temporary folder, with its network and preparation in memory."""
        folder = tempfile.mkdtemp(prefix="treino-")
        self._folder = weakref.finalize(self, _remove, folder, os.getpid())
        path = Path(folder) / "run"
        for name, content in self._content.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
        net = None if isinstance(self.net, Net) or self.net in LAYERS else self.net
        if callable(net) and not isinstance(net, torch.nn.Module):
            with fork_rng():
                net = net()
        access = Access(net=net)
        self.run_ = Run.of(open_run(path, access))
        self._predicting = self.run_.refit or self.run_
        self.module_ = self._predicting.module
        self._document = self.run_.document

    def _outputs(self, x: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """``[N, C]``: the outputs for the rows, and these as they were prepared."""
        check_is_fitted(self, "run_")
        x = self._checked(x, reset=False)
        try:
            reading = reading_like(self.run_.spec.data)
            prepared = rows_for_prediction(x, self._predicting.preparation, reading)
        except TreinoError as error:
            raise ValueError(str(error)) from None
        if prepared.unseen:
            warnings.warn(prepared.unseen, UserWarning, stacklevel=3)
        net, x_ND = self.module_, prepared.x
        if self.run_.spec.net in LAYERS:  # in float32 a row's output depends on the batch size
            net, x_ND = copy.deepcopy(net).double(), x_ND.double()
        return outputs(net, x_ND, item_shape=self.run_.item_shape), prepared.x

    def _held(self, x_ND: Any, output_NC: torch.Tensor, coverage: float | None) -> list[NDArray[Any]]:
        """The intervals or sets of each target, at this coverage."""
        held: list[NDArray[Any]] = []
        for run, part in zip(self._predicting.by_target, self.run_.preparation.output_parts, strict=True):
            try:
                known = coverage_scores(run, self.coverage or LEVEL if coverage is None else coverage)
            except TreinoError as error:
                raise ValueError(str(error)) from None
            assert known is not None
            held.append(known.held(run, x_ND, output_NC[None, :, part]))
        return held

    def _checked(self, x: Any, y: Any = "no_validation", *, reset: bool) -> Any:
        """X as an array, or an unchanged frame; stores (reset) or checks its column names and count. A frame
        becomes an array, too, if an array was fitted."""
        if isinstance(x, Mapping) and not issparse(x):
            raise ValueError(
                _("X is a dict of arrays, and scikit-learn takes one array: give such rows to treino.fit.")
            )
        if reset:
            self._framed = hasattr(x, "columns") and hasattr(x, "dtypes")
            if issparse(y):
                raise ValueError(_("y is a sparse matrix, and an array is wanted: give y.toarray()."))
        if self._framed and hasattr(x, "columns") and hasattr(x, "dtypes"):
            checked = validate_data(self, x, y, reset=reset, skip_check_array=True)
            if x.shape[0] and x.shape[1]:
                return checked
        return validate_data(
            self,
            x,
            y,
            reset=reset,
            dtype=None if _holds_text(x) or (self._own and _whole(x)) else np.float64,
            allow_nd=self._own or isinstance(self.net, CNN) or self.net == "cnn",
            ensure_all_finite="allow-nan",
            ensure_min_samples=2 if reset else 1,
            **({"multi_output": True} if reset else {}),
        )

    @property
    def _own(self) -> bool:
        """Whether the network is the user's own, so that X may have any axes."""
        return self.net is not None and not isinstance(self.net, Net) and self.net not in LAYERS

    def _source(self, x: Any, y: NDArray[Any], weight_N: NDArray[np.float64] | None) -> Any:
        """Rows for ``fit``: pictures of a convolutional network, which keep their shape, as a Dataset."""
        axes = getattr(x, "ndim", 2)
        if axes > 2 and y.ndim > 1:
            raise ValueError(
                _("One target is learnt of pictures, and y has the shape {shape}.").format(shape=y.shape)
            )
        if axes > 2 and self._own and weight_N is not None:
            return x[weight_N > 0], y[weight_N > 0], weight_N[weight_N > 0]
        if axes == 2 or self._own:
            return (x, y) if weight_N is None else (x, y, weight_N)
        if weight_N is not None:
            raise ValueError(_("sample_weight is for rows of a table, and these are pictures: leave it out."))
        return TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))

    def _weights(self, x: Any, sample_weight: Any) -> NDArray[np.float64] | None:
        """``[N]``: the rows' weights, 0 or more; None if all rows count alike."""
        if sample_weight is None:
            return None
        weight_N: NDArray[np.float64] = _check_sample_weight(sample_weight, x, dtype=np.float64)
        if (weight_N < 0).any():
            message = _("sample_weight holds {value:g}: a weight is 0, or how many rows a row counts as.")
            raise ValueError(message.format(value=weight_N.min()))
        if not weight_N.any():
            raise ValueError(_("sample_weight: all weights are zero, so that no row counts."))
        return weight_N

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        for name in ("run_", "_predicting", "module_", "_folder", "_document"):
            state.pop(name, None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "_content" in state:
            self._open()


class Classifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    __doc__ = (_Estimator.__doc__ or "").replace(
        "The base of both estimators.", "A network that predicts classes, for scikit-learn's tools."
    )

    _task = "classification"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on X ``[N, D]`` (an array or a frame) and one class per row, or the classes of K targets
        ``[N, K]``; ``classes_`` is then a list.

        sample_weight: ``[N]``: how much each row counts; 2 as two equal rows, 0 as none.

        Raises:
            ValueError: rows, classes or settings unfit for training; the message says what to do.
        """
        x, y = self._checked(X, _with_labels(y), reset=True)
        y = _one_or_several(y)
        check_classification_targets(y)
        weight_N = self._weights(x, sample_weight)
        y_NK = y.reshape(len(y), -1)
        each = [np.unique(y_N if weight_N is None else y_N[weight_N > 0]) for y_N in y_NK.T]
        for classes in each:
            if len(classes) < 2:
                message = _("y holds one class, {name!r}: there is nothing to tell apart.")
                raise ValueError(message.format(name=classes[0]))
        self.classes_ = each[0] if y.ndim == 1 else each
        code_NK = np.stack(  # any code for rows with weight 0: they are left out
            [np.searchsorted(c, y_N).clip(max=len(c) - 1) for c, y_N in zip(each, y_NK.T, strict=True)], 1
        )
        return self._fit(x, code_NK.reshape(y.shape), weight_N)

    def predict_proba(self, X: Any) -> NDArray[np.float64] | list[NDArray[np.float64]]:
        """``[N, C]``: the probability of each of ``classes_``; for K targets, a list of K such arrays."""
        shares = self._shares(X)
        return shares if isinstance(self.classes_, list) else shares[0]

    def _shares(self, x: Any) -> list[NDArray[np.float64]]:
        """``[N, C]``: the probabilities of each target's classes."""
        outputs_NC, _x_ND = self._outputs(x)
        parts = self.run_.preparation.output_parts
        return [probabilities(outputs_NC[:, part]).double().numpy() for part in parts]

    def predict(self, X: Any) -> NDArray[Any]:
        """``[N]`` or ``[N, K]``: the class of each row, as in y: the most probable one, or the one chosen by
        ``threshold``.

        Raises:
            ValueError: the network's output is NaN or ∞ in some rows.
        """
        shares = self._shares(X)
        unknown_N = np.logical_or.reduce([np.isnan(share_NC).any(axis=1) for share_NC in shares])
        if unknown_N.any():
            message = _("The network's output is NaN or ∞ in {n} of {of} rows: they have no class.")
            raise ValueError(message.format(n=int(unknown_N.sum()), of=len(unknown_N)))
        if not isinstance(self.classes_, list):
            label_N: NDArray[Any] = self.classes_[winners(shares[0], self.run_.threshold)]
            return label_N
        each = zip(self.classes_, self.run_.by_target, shares, strict=True)
        return np.stack([classes[winners(share_NC, run.threshold)] for classes, run, share_NC in each], 1)

    def predict_set(self, X: Any, coverage: float | None = None) -> Any:
        """``[N, C]``: which of ``classes_`` can't be ruled out, by the validation rows; for several targets a
        list of these.

        coverage: the share of new rows whose class is among them; default: the parameter ``coverage``, else
        0.9.

        Raises:
            ValueError: there were too few validation rows.
        """
        output_NC, x_ND = self._outputs(X)
        sets = self._held(x_ND, output_NC, coverage)
        return sets if isinstance(self.classes_, list) else sets[0]


class Regressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    __doc__ = (_Estimator.__doc__ or "").replace(
        "The base of both estimators.", "A network that predicts a number, for scikit-learn's tools."
    )

    _task = "regression"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on X ``[N, D]`` (an array or a frame) and one number per row, or K numbers ``[N, K]``.

        sample_weight: ``[N]``: how much each row counts; 2 as two equal rows, 0 as none.

        Raises:
            ValueError: rows, values or settings unfit for training; the message says what to do.
        """
        x, y = self._checked(X, y, reset=True)
        y = np.asarray(_one_or_several(y), dtype=np.float64)
        return self._fit(x, y, self._weights(x, sample_weight))

    def predict(self, X: Any) -> NDArray[np.float64]:
        """``[N]`` or ``[N, K]``: the predicted numbers, in y's units."""
        output_NC, p = self._outputs(X)[0].double(), self._predicting.preparation
        each = zip(p.by_target, p.output_parts, strict=True)
        predicted = [one.predictions(output_NC[:, part])[:, 0].numpy() for one, part in each]
        return predicted[0] if len(predicted) == 1 else np.stack(predicted, 1)

    def predict_interval(self, X: Any, coverage: float | None = None) -> NDArray[np.float64]:
        """``[N, 2]`` or ``[N, K, 2]``: each number's interval, from the errors on validation rows.

        coverage: the share of new rows that lie in it; default: the parameter ``coverage``, else 0.9.

        Raises:
            ValueError: there were too few validation rows.
        """
        output_NC, x_ND = self._outputs(X)
        ends = self._held(x_ND, output_NC, coverage)
        return ends[0] if len(ends) == 1 else np.stack(ends, 1)


def _whole(x: Any) -> bool:
    """Whether X is an array of whole numbers, such as those of words."""
    return isinstance(x, np.ndarray) and x.dtype.kind in "iu"


def _holds_text(x: Any) -> bool:
    """Whether cells of an array or a frame are words that are not numbers."""
    if issparse(x):
        return False
    try:
        cells = np.asarray(x)
        if cells.dtype.kind in "OUS":
            cells.astype(np.float64)
    except ValueError:
        return cells.ndim == 2
    except TypeError:  # other objects, which scikit-learn refuses
        return False
    return False


def _with_labels(y: Any) -> Any:
    """y, unless a label is None, or pandas' NA."""
    label_N = np.asarray(y, dtype=object) if isinstance(y, list) or hasattr(y, "dtype") else np.empty(0)
    without = [] if issparse(y) else [n for n, label in enumerate(label_N.reshape(-1)) if label is None]
    if without:
        message = _("y holds no label in {n} of {of} rows, first in row {row}: leave these rows out.")
        each = label_N.size // len(label_N)
        raise ValueError(message.format(n=len(without), of=len(label_N), row=without[0] // each))
    return y


def _one_or_several(y: Any) -> NDArray[Any]:
    """y as ``[N]``, or as ``[N, K]`` for several targets."""
    y = np.asarray(y)
    several: NDArray[Any] = y if y.ndim == 2 and y.shape[1] > 1 else column_or_1d(y, warn=True)
    return several


def _same(value: Any, usual: Any) -> bool:
    return value is usual or (type(value) is type(usual) and bool(np.all(value == usual)))


def _remove(folder: str, process: int) -> None:
    if os.getpid() == process:  # a forked child has it too, but must not delete the parent's folder
        shutil.rmtree(folder, ignore_errors=True)
