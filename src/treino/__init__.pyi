# ruff: noqa: E501, F401  # a setting's sentence is one line, as editors show it; _fit says where fit is
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Never, Protocol, TypedDict, overload

import numpy as np
import torch
from torch import nn

from treino.api import Run as Run
from treino.api import Study as Study
from treino.api import Sweep as Sweep
from treino.api import open as open
from treino.api import runs as runs
from treino.api import study as _study
from treino.base import words as words
from treino.base.errors import TreinoError as TreinoError
from treino.data.dataset import Data
from treino.data.documents import PreparationDocument
from treino.data.links import IDENTITY, Link
from treino.data.loader import load as _load
from treino.data.readers import ReaderOptions
from treino.engine.bags import Bags
from treino.engine.kernels.selection import engines as engines
from treino.engine.nets import Net
from treino.engine.nets import cnn as cnn
from treino.engine.nets import mlp as mlp
from treino.engine.templates import NetSource
from treino.engine.training_loop import TrainingLoop
from treino.engine.training_loop import train as _train
from treino.notebook import fit as _fit
from treino.notebook import sweep as _sweep
from treino.sklearn import Classifier as _Classifier
from treino.sklearn import Regressor as _Regressor
from treino.training.loop import JobEvent
from treino_doctor.exam import doctor as doctor
from treino_xray.row_xray import NETWORKS, RowXray

_RowXray = RowXray  # what Run.rows returns

__version__: str

def __getattr__(name: str) -> Any: ...  # what apps bring: studio, button

# ---- written by tools/stubs.py from the table of settings: make docs

class _Rows(Protocol):
    """Rows in memory with axes: an array, or a DataFrame of pandas or polars."""

    @property
    def shape(self) -> tuple[int, ...]: ...

@overload
def fit(
    data: Any,
    net: nn.Module | Callable[..., nn.Module] | Net | str | None = None,
    *,
    parent: str | Path = "runs",
    lean: bool = False,
    seeds: None = None,
    folds: None = None,
    until: Any = None,
    watch: bool | Callable[[Any], None] = False,
    track: str | Sequence[str] | None = None,
    on: str | None = None,
    gpus_per_chunk: float | None = None,
    alerts: str | Sequence[str] | None = None,
    allow_network: bool = False,
    like: Run | str | Path | None = None,
    trust: bool = False,
    target: str | int | Sequence[str] | None = None,
    features: Sequence[str] | str | None = None,
    task: Literal["classification", "regression"] | None = None,
    normalise: bool = True,
    kinds: Sequence[str] | str | Mapping[str, str] = (),
    impute: Literal["median", "mean"] = "median",
    inputs: Literal["plain", "bins"] = "plain",
    bins: int = 16,
    clip_inputs: float | None = None,
    target_means: bool = False,
    trees: int = 0,
    log_target: bool | None = None,
    validation: float | str | PathLike[str] | tuple[Any, ...] | _Rows | None = 0.15,
    test: float | str | PathLike[str] | tuple[Any, ...] | _Rows | None = 0.15,
    split_group: str | int | Sequence[str] | None = None,
    split_time: str | int | Sequence[str] | None = None,
    split_column: str | int | Sequence[str] | None = None,
    fold: str | None = None,
    duplicates: Literal["apart", "ignore"] | None = None,
    row_weights: str | int | Sequence[str] | None = None,
    image_size: Sequence[int] | int | str | None = None,
    fit: Literal["crop", "pad", "stretch"] = "crop",
    skip_bad: int = 0,
    labels: str | PathLike[str] | None = None,
    class_pattern: str | None = None,
    max_memory: str | int | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: Literal["yes", "no"] | bool | None = None,
    skip: int | None = None,
    quote: str | None = None,
    dates: Literal[
        "day/month", "month/day", "day/month/year", "month/day/year", "year/month/day", "year/day/month"
    ]
    | None = None,
    missing: Sequence[str] | str | None = None,
    sheet: str | None = None,
    recipe: Literal["table", "plain"] | None = None,
    hidden: Sequence[int] | int | Literal["none"] | None = None,
    channels: Sequence[int] | int | None = None,
    kernel: Sequence[int] | int | None = None,
    stride: Sequence[int] | int | None = None,
    padding: Sequence[int] | int | Literal["same"] | None = None,
    pool: Literal["max", "average", "none"] | Sequence[Literal["max", "average", "none"]] | None = None,
    head: Literal["flatten", "average"] | None = None,
    blocks: int | None = None,
    group_norm: int | None = None,
    activation: Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "identity"]
    | str
    | None = None,
    dropout: float | None = None,
    dropout_spread: bool = False,
    batch_norm: bool = False,
    gates: float = 0.0,
    plain_members: int = 0,
    init: Literal["default", "kaiming", "xavier", "orthogonal", "zeros"] | None = None,
    ensemble: int = 1,
    clip_target: bool = False,
    loss: Literal[
        "cross_entropy", "bce", "mse", "l1", "huber", "poisson", "gamma", "tweedie", "quantile", "gaussian"
    ]
    | str
    | Callable[..., Any]
    | None = None,
    label_smoothing: float = 0.0,
    class_weights: Sequence[float] | Literal["balanced"] | None = None,
    quantiles: Sequence[float] | None = None,
    optimizer: Literal["sgd", "adam", "adamw"] | str | Callable[..., Any] = "adam",
    lr: float | Literal["auto"] | None = None,
    momentum: float = 0.0,
    nesterov: bool = False,
    betas: Sequence[float] | None = None,
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    schedule: Literal["constant", "cosine", "step", "one-cycle"] | str | Callable[..., Any] | None = None,
    warmup: int = 0,
    clip: float | None = None,
    ema: float = 0.0,
    batch_size: int | Literal["full"] | None = None,
    epochs: int | None = None,
    member_epochs: Sequence[int] | int | None = None,
    steps: int | None = None,
    patience: int | None = None,
    metric: Literal["loss", "accuracy", "f1_macro", "auc", "rmse", "mae", "r2"]
    | str
    | Callable[..., Any] = "loss",
    keep: Literal["best", "last"] | None = None,
    shuffle: Literal["each", "once", "off", "blocks"] = "each",
    augment: str | Sequence[str] | Mapping[str, float] | None = None,
    flip: bool | None = None,
    seed: int = 0,
    data_seed: int | None = None,
    as_taught: bool = False,
    fault: Literal["missing_zero_grad", "softmax_before_cross_entropy"]
    | Sequence[Literal["missing_zero_grad", "softmax_before_cross_entropy"]] = (),
    device: Literal["auto", "cpu", "cuda", "mps"] | str | torch.device = "auto",
    engine: Literal["module", "batched", "lanes"] | None = None,
    precision: Literal["float32", "bf16"] = "float32",
    threads: int | None = None,
    baselines: Literal["usual", "full"] = "usual",
    refit: bool = False,
    threshold: Literal["auto"] | str | None = None,
    time_limit: float | str | None = None,
    coverage: float | None = None,
    every: int | None = None,
    name: str | None = None,
    out: str | PathLike[str] | None = None,
    num_epochs: int | None = None,
    num_workers: int = 0,
    num_classes: int | None = None,
    **misspelt: Never,
) -> Run:
    r"""Train one network on ``data`` and return the Run, as ``treino train`` does.

    data: a built-in's name, a file, a pandas frame with ``target=``, a pair of arrays ``(X, y)``, where X may
        also be a dict or a tuple of arrays for ``forward``, your own Dataset or DataLoader, or the result of
        ``load``.
    net: ``mlp(64, 32)``, ``cnn(16, 32)`` for pictures, FILE.py:NAME, perhaps with arguments
        (``"mynet.py:Net(width=16)"``), or your own ``nn.Module``, its class or a function that makes it. It
        takes ``[B, *item_shape]`` float32, or the arrays of X, and returns ``[B, C]`` logits; see
        docs/arrays.md.
    lean: store no copy of rows in memory (such a run can't be resumed).
    seeds, folds: train with this many seeds, or on this many folds of a cross-validation, and return a Sweep
        whose ``figures`` are means and deviations; ``until``, e.g. ``("accuracy", 0.8)``, counts the steps to
        a target.
    watch: a function called with each event of the training. ``treino.fit`` also takes ``True``: a display
        updated in place in a notebook, a progress line in a terminal.
    track: one or several trackers to report to, such as ``"mlflow"``; see ``treino_trackers``.
    on, gpus_per_chunk: the cluster to train seeds or folds on, as in ``sweep``.
    alerts: actions on conditions, e.g. ``"validation loss rises for 5 epochs: lr*0.5"``; see docs/alerts.md.
        allow_network: whether they may send to an address.
    like: a run, or the name of one or of a sweep's network (``SWEEP:17``), with whose settings these other
        rows are trained on; those given here come first. trust: the copies of your own code that were sealed
        with it may run.
    settings: any of ``treino.settings.spec`` (``lr``, ``hidden``, ``epochs``, ...); ``validation`` and
        ``test`` may also be frames or pairs (X, y) of further rows. Names common in courses work too:
        ``num_epochs`` is ``epochs``; ``num_workers`` reads your own Dataset, and has no effect on rows in
        memory; ``num_classes`` is checked against the data. ``lr="auto"`` first tries many rates for a short
        time.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when the run is saved.

    The settings:
        target: column to predict (of a table), or several: a,b
        features: columns to learn from, comma-separated; default: all others
        task: classification or regression; default: from the target
        normalise: bring every column to mean 0 and deviation 1, as on training rows
        kinds: what columns are, where it is mistaken: 'month=category,size=small<large'; number, boolean, category, one-hot, hashed, date, identifier, text, out (left out)
        impute: what stands for a missing number: the training rows' median or mean
        inputs: what the network sees of a number: itself (plain), or also how far up it lies in each of bins bins between the training rows' quantiles (bins)
        bins: bins of each number, with inputs bins
        clip_inputs: normalised numbers go so many deviations from their mean at most, e.g. 5
        target_means: the network also sees the target's mean over the training rows with the same number, or with the same of very many classes, where such means tell more than bins do
        trees: the network also sees what boosted decision trees answer, so many of them at most; a training row gets the answer of trees of other training rows
        log_target: learn the logarithm of a target above 0, so that errors count by their ratio; default: no, except for one training by the recipe table on a skewed target, where a short trial decides
        validation: share of rows that choices look at, or a file of them
        test: share of rows held back for one final figure, or a file of them
        split_group: column whose groups are never parted (a person, a place); of photographs also a regular expression of their names: 'patient-(\d+)'
        split_time: column of times: the earliest rows, or groups, train, the latest test
        split_column: column that says of each row: train, validation or test
        fold: test on one fold of scikit-learn's (Stratified)KFold: 2/5 is the second of five
        duplicates: rows equal in all features: none on two sides of the split (apart), or not looked at (ignore); default: apart where the split is drawn, but for rows that return by nature, as of few values do; else counted and left as they are given
        row_weights: column that says how much each row counts, and is no feature: 2 counts as two equal rows, 0 leaves the row out; COLUMN=0: an empty cell is a 0
        image_size: pixels that photographs are brought to: 64 for squares, or width x height, 96x64; default: their own size where all have the same and it is at most 64, else a square of at most 64
        fit: how a photograph of other proportions is brought to them: its middle (crop), whole with black borders (pad), or stretched
        skip_bad: go on without so many photographs that can't be read, at most; each is named
        labels: table of photographs' names and labels, where it isn't the only one among them
        class_pattern: regular expression whose group is the class in a photograph's name: '(\w+)-\d+'; default: a usual form such as cat.12.jpg, where neither folders nor a table tell classes
        max_memory: memory that a file's rows may take, e.g. 2GB; more are prepared into a folder beside the runs and read from there; default: half of what is free
        delimiter: what separates the cells of the file; default: found out
        decimal: decimal sign of the file, point or comma; default: found out
        encoding: encoding of the file; default: found out
        header: whether the first line names the columns: yes or no; default: found out
        skip: number of lines, or rows of a sheet, above the header; default: found out
        quote: what encloses cells of the file; default: found out
        dates: order of dates: day/month, month/day, year/month/day or year/day/month; default: found out
        missing: words for no value, beside the usual ones: suppressed,-999
        sheet: sheet of a workbook, by its name or its number from 1; default: the first shown that has cells
        recipe: what is taken for settings that are left open: table, an ensemble that was measured on tables, or plain, one simple network; default: table for one training on a table of your own, plain for all else
        hidden: units of the hidden layers, e.g. 64,32; 'none' for a linear network; default: 64,32 for tables, 128,128 for images, after convolutions 64 where channels is left open too, else none. Alone, without net, it asks for an mlp, of images too
        channels: channels of each stage of convolutions (asks for net cnn); default: with pools, first kernel and stride by the size of the pictures, and with 4 groups of group norm and dropout 0.3
        kernel: size of the kernels: 1, 3, 5 or 7; one for all stages, or for each; default: 3
        stride: steps by which the kernels move; one for all stages, or for each; default: 1
        padding: zeros around the pictures: one number for all stages, or for each; default: same, half the kernel, so that a stride of 1 keeps the size
        pool: what each stage ends with, of squares of two by two: max (default), average or none; one for all stages, or for each
        head: what the linear layers get of the last stage: all numbers (flatten, default), or each channel's mean (average)
        blocks: residual blocks of two convolutions in each stage; default: 0
        group_norm: groups of channels that are normalised together after each convolution; default: none
        activation: activation between layers; default: relu
        dropout: share of units dropped while training
        dropout_spread: networks of an ensemble drop shares of their own, spread evenly up to dropout
        batch_norm: batch normalisation after every hidden layer, or after every convolution
        gates: learn a factor for each column of the table, which an update moves so many times as far as a weight, e.g. 6; 0: none
        plain_members: so many networks of an ensemble see no bins of the columns (needs gates)
        init: initialisation of the weights; default: torch's own
        ensemble: networks that are trained side by side, from seeds derived from the seed, and answer together: the mean of the best half by the validation metric
        clip_target: numbers that an ensemble answers stay within the range of the training rows'
        loss: what training makes small: cross_entropy, mse, ..., the class of a loss in torch.nn, or your own: FILE.py:NAME, a function of (output, target); default: from the task, with the reason
        label_smoothing: share taken from the right class; default: 0.05 for classes of pictures where the network is left open too
        class_weights: 'balanced', or one weight above 0 for each class, comma-separated
        quantiles: the shares of the targets that lie below what the loss quantile learns, e.g. .05,.5,.95; default: .1,.5,.9; the one nearest the median is the prediction
        optimizer: how weights follow from gradients: adam, adamw, sgd, the class of another in torch.optim, e.g. RMSprop, or your own: FILE.py:NAME
        lr: learning rate; default: 3e-3 for tables, 2e-3 for convolutional networks, 1e-3 for images by other ones; 'auto' tries many for a short while first (not in a sweep)
        momentum: momentum
        nesterov: Nesterov's momentum (needs momentum)
        betas: the two decay rates of the running means; default: 0.9,0.999
        eps: added to the root that an update is divided by
        weight_decay: L2 penalty; decay beside the gradient where the optimizer has that; 0.01 in the recipe table
        schedule: how the learning rate changes over the run: constant, cosine, ..., or your own: FILE.py:NAME, a function of (step, steps) or a class of torch.optim.lr_scheduler; default: constant, one-cycle for convolutional networks
        warmup: steps over which the learning rate rises to its value
        clip: largest norm of the gradient; larger ones are scaled down
        ema: evaluate and keep a running average of the weights, of which each update leaves this share, e.g. 0.98; 0: the weights themselves
        batch_size: rows per step, or 'full'; default: 32 for tables, 100 for images, 64 for convolutional networks
        epochs: passes over the training rows; default: at most 200 for tables, 10 for images, 5 for convolutional networks, for these at least 2,000 updates or 200 passes
        member_epochs: epochs of each network of an ensemble, e.g. 12,0,8, where they differ; of 0: it doesn't answer
        steps: updates, instead of epochs
        patience: stop after so many epochs without a better validation figure; 0: never; default: where neither epochs nor steps is given 20, for one cycle of convolutional networks 0; else 0
        metric: the validation figure that decides: loss, accuracy, ..., one of scikit-learn's, e.g. balanced_accuracy, or your own: FILE.py:NAME, a function of (truth, prediction)
        keep: weights to keep: best on validation rows (default), or last (default for one cycle of convolutional networks without patience or metric)
        shuffle: order of the training rows: new each epoch (each), shuffled once, as they stand (off), or in blocks of neighbours, for rows that a disk reads
        augment: how training pictures are changed anew in each epoch (with net cnn): none, or some of shift, crop, rotate, brightness, contrast, cutout and mixup, each with a strength if you like, e.g. shift=2,rotate; default: shift where a convolutional network learns classes of pictures of 15 pixels and more, else none
        flip: mirror every second training picture, left and right (with net cnn); default: no, except for one training on files of pictures, where a short trial decides
        seed: seed of initialisation and dropout
        data_seed: seed of the split and the order; default: the seed
        as_taught: the beginners' loop with both its faults, to see what they do
        fault: one fault on purpose: missing_zero_grad or softmax_before_cross_entropy
        device: auto, cpu, cuda or mps
        engine: kernel to train with; default: lanes where it can, else batched, else module
        precision: numbers that the layers compute with in training: float32, or bf16 by torch's autocast, with two or three digits (weights and figures stay float32; by the engine module)
        threads: threads to train with; only those of the engine module change bits; default: chosen
        baselines: figures to compare with: the best constant, a linear model, of pictures also one on whitened patches and, on tables of your own, boosted trees; full: trees on all data, however long they take
        refit: when the network is judged, train once more on all rows, held-back ones too, for as many epochs as the kept weights took: that network predicts and is exported; all figures stay the judged one's
        threshold: of two classes, from which probability on the second is predicted, found on validation rows: auto (shares of wrong rows of both count alike), or cost=FP:FN, what a wrong and a missed one cost, e.g. cost=1:5; default: 0.5
        time_limit: seconds that training may take, e.g. 60 or 1m30s: by the recipe table as many networks as fit into them are trained; what is measured and drawn afterwards comes on top
        coverage: the share of new rows whose truth lies in its interval of numbers, or in its set of classes, e.g. 0.8, found on validation rows; default: intervals of 0.9, no sets
        every: keep a keyframe each so many steps, to play films and branches from; 64 MB of them at most: beyond, every second one goes
        name: name of the run's folder in ./runs; default: wine-1, wine-2, ...
        out: the run's folder itself (must not exist, or be empty)
        num_epochs: the same as epochs
        num_workers: processes that read the items of your own Dataset
        num_classes: how many classes the data must have
    """

@overload
def fit(
    data: Any,
    net: nn.Module | Callable[..., nn.Module] | Net | str | None = None,
    *,
    parent: str | Path = "runs",
    lean: bool = False,
    seeds: int,
    folds: int | None = None,
    until: Any = None,
    watch: bool | Callable[[Any], None] = False,
    track: str | Sequence[str] | None = None,
    on: str | None = None,
    gpus_per_chunk: float | None = None,
    alerts: str | Sequence[str] | None = None,
    allow_network: bool = False,
    like: Run | str | Path | None = None,
    trust: bool = False,
    target: str | int | Sequence[str] | None = None,
    features: Sequence[str] | str | None = None,
    task: Literal["classification", "regression"] | None = None,
    normalise: bool = True,
    kinds: Sequence[str] | str | Mapping[str, str] = (),
    impute: Literal["median", "mean"] = "median",
    inputs: Literal["plain", "bins"] = "plain",
    bins: int = 16,
    clip_inputs: float | None = None,
    target_means: bool = False,
    trees: int = 0,
    log_target: bool | None = None,
    validation: float | str | PathLike[str] | tuple[Any, ...] | _Rows | None = 0.15,
    test: float | str | PathLike[str] | tuple[Any, ...] | _Rows | None = 0.15,
    split_group: str | int | Sequence[str] | None = None,
    split_time: str | int | Sequence[str] | None = None,
    split_column: str | int | Sequence[str] | None = None,
    fold: str | None = None,
    duplicates: Literal["apart", "ignore"] | None = None,
    row_weights: str | int | Sequence[str] | None = None,
    image_size: Sequence[int] | int | str | None = None,
    fit: Literal["crop", "pad", "stretch"] = "crop",
    skip_bad: int = 0,
    labels: str | PathLike[str] | None = None,
    class_pattern: str | None = None,
    max_memory: str | int | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: Literal["yes", "no"] | bool | None = None,
    skip: int | None = None,
    quote: str | None = None,
    dates: Literal[
        "day/month", "month/day", "day/month/year", "month/day/year", "year/month/day", "year/day/month"
    ]
    | None = None,
    missing: Sequence[str] | str | None = None,
    sheet: str | None = None,
    recipe: Literal["table", "plain"] | None = None,
    hidden: Sequence[int] | int | Literal["none"] | None = None,
    channels: Sequence[int] | int | None = None,
    kernel: Sequence[int] | int | None = None,
    stride: Sequence[int] | int | None = None,
    padding: Sequence[int] | int | Literal["same"] | None = None,
    pool: Literal["max", "average", "none"] | Sequence[Literal["max", "average", "none"]] | None = None,
    head: Literal["flatten", "average"] | None = None,
    blocks: int | None = None,
    group_norm: int | None = None,
    activation: Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "identity"]
    | str
    | None = None,
    dropout: float | None = None,
    dropout_spread: bool = False,
    batch_norm: bool = False,
    gates: float = 0.0,
    plain_members: int = 0,
    init: Literal["default", "kaiming", "xavier", "orthogonal", "zeros"] | None = None,
    ensemble: int = 1,
    clip_target: bool = False,
    loss: Literal[
        "cross_entropy", "bce", "mse", "l1", "huber", "poisson", "gamma", "tweedie", "quantile", "gaussian"
    ]
    | str
    | Callable[..., Any]
    | None = None,
    label_smoothing: float = 0.0,
    class_weights: Sequence[float] | Literal["balanced"] | None = None,
    quantiles: Sequence[float] | None = None,
    optimizer: Literal["sgd", "adam", "adamw"] | str | Callable[..., Any] = "adam",
    lr: float | Literal["auto"] | None = None,
    momentum: float = 0.0,
    nesterov: bool = False,
    betas: Sequence[float] | None = None,
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    schedule: Literal["constant", "cosine", "step", "one-cycle"] | str | Callable[..., Any] | None = None,
    warmup: int = 0,
    clip: float | None = None,
    ema: float = 0.0,
    batch_size: int | Literal["full"] | None = None,
    epochs: int | None = None,
    member_epochs: Sequence[int] | int | None = None,
    steps: int | None = None,
    patience: int | None = None,
    metric: Literal["loss", "accuracy", "f1_macro", "auc", "rmse", "mae", "r2"]
    | str
    | Callable[..., Any] = "loss",
    keep: Literal["best", "last"] | None = None,
    shuffle: Literal["each", "once", "off", "blocks"] = "each",
    augment: str | Sequence[str] | Mapping[str, float] | None = None,
    flip: bool | None = None,
    seed: int = 0,
    data_seed: int | None = None,
    as_taught: bool = False,
    fault: Literal["missing_zero_grad", "softmax_before_cross_entropy"]
    | Sequence[Literal["missing_zero_grad", "softmax_before_cross_entropy"]] = (),
    device: Literal["auto", "cpu", "cuda", "mps"] | str | torch.device = "auto",
    engine: Literal["module", "batched", "lanes"] | None = None,
    precision: Literal["float32", "bf16"] = "float32",
    threads: int | None = None,
    baselines: Literal["usual", "full"] = "usual",
    refit: bool = False,
    threshold: Literal["auto"] | str | None = None,
    time_limit: float | str | None = None,
    coverage: float | None = None,
    every: int | None = None,
    name: str | None = None,
    out: str | PathLike[str] | None = None,
    num_epochs: int | None = None,
    num_workers: int = 0,
    num_classes: int | None = None,
    **misspelt: Never,
) -> Sweep:
    r"""Train one network on ``data`` and return the Run, as ``treino train`` does.

    data: a built-in's name, a file, a pandas frame with ``target=``, a pair of arrays ``(X, y)``, where X may
        also be a dict or a tuple of arrays for ``forward``, your own Dataset or DataLoader, or the result of
        ``load``.
    net: ``mlp(64, 32)``, ``cnn(16, 32)`` for pictures, FILE.py:NAME, perhaps with arguments
        (``"mynet.py:Net(width=16)"``), or your own ``nn.Module``, its class or a function that makes it. It
        takes ``[B, *item_shape]`` float32, or the arrays of X, and returns ``[B, C]`` logits; see
        docs/arrays.md.
    lean: store no copy of rows in memory (such a run can't be resumed).
    seeds, folds: train with this many seeds, or on this many folds of a cross-validation, and return a Sweep
        whose ``figures`` are means and deviations; ``until``, e.g. ``("accuracy", 0.8)``, counts the steps to
        a target.
    watch: a function called with each event of the training. ``treino.fit`` also takes ``True``: a display
        updated in place in a notebook, a progress line in a terminal.
    track: one or several trackers to report to, such as ``"mlflow"``; see ``treino_trackers``.
    on, gpus_per_chunk: the cluster to train seeds or folds on, as in ``sweep``.
    alerts: actions on conditions, e.g. ``"validation loss rises for 5 epochs: lr*0.5"``; see docs/alerts.md.
        allow_network: whether they may send to an address.
    like: a run, or the name of one or of a sweep's network (``SWEEP:17``), with whose settings these other
        rows are trained on; those given here come first. trust: the copies of your own code that were sealed
        with it may run.
    settings: any of ``treino.settings.spec`` (``lr``, ``hidden``, ``epochs``, ...); ``validation`` and
        ``test`` may also be frames or pairs (X, y) of further rows. Names common in courses work too:
        ``num_epochs`` is ``epochs``; ``num_workers`` reads your own Dataset, and has no effect on rows in
        memory; ``num_classes`` is checked against the data. ``lr="auto"`` first tries many rates for a short
        time.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when the run is saved.

    The settings:
        target: column to predict (of a table), or several: a,b
        features: columns to learn from, comma-separated; default: all others
        task: classification or regression; default: from the target
        normalise: bring every column to mean 0 and deviation 1, as on training rows
        kinds: what columns are, where it is mistaken: 'month=category,size=small<large'; number, boolean, category, one-hot, hashed, date, identifier, text, out (left out)
        impute: what stands for a missing number: the training rows' median or mean
        inputs: what the network sees of a number: itself (plain), or also how far up it lies in each of bins bins between the training rows' quantiles (bins)
        bins: bins of each number, with inputs bins
        clip_inputs: normalised numbers go so many deviations from their mean at most, e.g. 5
        target_means: the network also sees the target's mean over the training rows with the same number, or with the same of very many classes, where such means tell more than bins do
        trees: the network also sees what boosted decision trees answer, so many of them at most; a training row gets the answer of trees of other training rows
        log_target: learn the logarithm of a target above 0, so that errors count by their ratio; default: no, except for one training by the recipe table on a skewed target, where a short trial decides
        validation: share of rows that choices look at, or a file of them
        test: share of rows held back for one final figure, or a file of them
        split_group: column whose groups are never parted (a person, a place); of photographs also a regular expression of their names: 'patient-(\d+)'
        split_time: column of times: the earliest rows, or groups, train, the latest test
        split_column: column that says of each row: train, validation or test
        fold: test on one fold of scikit-learn's (Stratified)KFold: 2/5 is the second of five
        duplicates: rows equal in all features: none on two sides of the split (apart), or not looked at (ignore); default: apart where the split is drawn, but for rows that return by nature, as of few values do; else counted and left as they are given
        row_weights: column that says how much each row counts, and is no feature: 2 counts as two equal rows, 0 leaves the row out; COLUMN=0: an empty cell is a 0
        image_size: pixels that photographs are brought to: 64 for squares, or width x height, 96x64; default: their own size where all have the same and it is at most 64, else a square of at most 64
        fit: how a photograph of other proportions is brought to them: its middle (crop), whole with black borders (pad), or stretched
        skip_bad: go on without so many photographs that can't be read, at most; each is named
        labels: table of photographs' names and labels, where it isn't the only one among them
        class_pattern: regular expression whose group is the class in a photograph's name: '(\w+)-\d+'; default: a usual form such as cat.12.jpg, where neither folders nor a table tell classes
        max_memory: memory that a file's rows may take, e.g. 2GB; more are prepared into a folder beside the runs and read from there; default: half of what is free
        delimiter: what separates the cells of the file; default: found out
        decimal: decimal sign of the file, point or comma; default: found out
        encoding: encoding of the file; default: found out
        header: whether the first line names the columns: yes or no; default: found out
        skip: number of lines, or rows of a sheet, above the header; default: found out
        quote: what encloses cells of the file; default: found out
        dates: order of dates: day/month, month/day, year/month/day or year/day/month; default: found out
        missing: words for no value, beside the usual ones: suppressed,-999
        sheet: sheet of a workbook, by its name or its number from 1; default: the first shown that has cells
        recipe: what is taken for settings that are left open: table, an ensemble that was measured on tables, or plain, one simple network; default: table for one training on a table of your own, plain for all else
        hidden: units of the hidden layers, e.g. 64,32; 'none' for a linear network; default: 64,32 for tables, 128,128 for images, after convolutions 64 where channels is left open too, else none. Alone, without net, it asks for an mlp, of images too
        channels: channels of each stage of convolutions (asks for net cnn); default: with pools, first kernel and stride by the size of the pictures, and with 4 groups of group norm and dropout 0.3
        kernel: size of the kernels: 1, 3, 5 or 7; one for all stages, or for each; default: 3
        stride: steps by which the kernels move; one for all stages, or for each; default: 1
        padding: zeros around the pictures: one number for all stages, or for each; default: same, half the kernel, so that a stride of 1 keeps the size
        pool: what each stage ends with, of squares of two by two: max (default), average or none; one for all stages, or for each
        head: what the linear layers get of the last stage: all numbers (flatten, default), or each channel's mean (average)
        blocks: residual blocks of two convolutions in each stage; default: 0
        group_norm: groups of channels that are normalised together after each convolution; default: none
        activation: activation between layers; default: relu
        dropout: share of units dropped while training
        dropout_spread: networks of an ensemble drop shares of their own, spread evenly up to dropout
        batch_norm: batch normalisation after every hidden layer, or after every convolution
        gates: learn a factor for each column of the table, which an update moves so many times as far as a weight, e.g. 6; 0: none
        plain_members: so many networks of an ensemble see no bins of the columns (needs gates)
        init: initialisation of the weights; default: torch's own
        ensemble: networks that are trained side by side, from seeds derived from the seed, and answer together: the mean of the best half by the validation metric
        clip_target: numbers that an ensemble answers stay within the range of the training rows'
        loss: what training makes small: cross_entropy, mse, ..., the class of a loss in torch.nn, or your own: FILE.py:NAME, a function of (output, target); default: from the task, with the reason
        label_smoothing: share taken from the right class; default: 0.05 for classes of pictures where the network is left open too
        class_weights: 'balanced', or one weight above 0 for each class, comma-separated
        quantiles: the shares of the targets that lie below what the loss quantile learns, e.g. .05,.5,.95; default: .1,.5,.9; the one nearest the median is the prediction
        optimizer: how weights follow from gradients: adam, adamw, sgd, the class of another in torch.optim, e.g. RMSprop, or your own: FILE.py:NAME
        lr: learning rate; default: 3e-3 for tables, 2e-3 for convolutional networks, 1e-3 for images by other ones; 'auto' tries many for a short while first (not in a sweep)
        momentum: momentum
        nesterov: Nesterov's momentum (needs momentum)
        betas: the two decay rates of the running means; default: 0.9,0.999
        eps: added to the root that an update is divided by
        weight_decay: L2 penalty; decay beside the gradient where the optimizer has that; 0.01 in the recipe table
        schedule: how the learning rate changes over the run: constant, cosine, ..., or your own: FILE.py:NAME, a function of (step, steps) or a class of torch.optim.lr_scheduler; default: constant, one-cycle for convolutional networks
        warmup: steps over which the learning rate rises to its value
        clip: largest norm of the gradient; larger ones are scaled down
        ema: evaluate and keep a running average of the weights, of which each update leaves this share, e.g. 0.98; 0: the weights themselves
        batch_size: rows per step, or 'full'; default: 32 for tables, 100 for images, 64 for convolutional networks
        epochs: passes over the training rows; default: at most 200 for tables, 10 for images, 5 for convolutional networks, for these at least 2,000 updates or 200 passes
        member_epochs: epochs of each network of an ensemble, e.g. 12,0,8, where they differ; of 0: it doesn't answer
        steps: updates, instead of epochs
        patience: stop after so many epochs without a better validation figure; 0: never; default: where neither epochs nor steps is given 20, for one cycle of convolutional networks 0; else 0
        metric: the validation figure that decides: loss, accuracy, ..., one of scikit-learn's, e.g. balanced_accuracy, or your own: FILE.py:NAME, a function of (truth, prediction)
        keep: weights to keep: best on validation rows (default), or last (default for one cycle of convolutional networks without patience or metric)
        shuffle: order of the training rows: new each epoch (each), shuffled once, as they stand (off), or in blocks of neighbours, for rows that a disk reads
        augment: how training pictures are changed anew in each epoch (with net cnn): none, or some of shift, crop, rotate, brightness, contrast, cutout and mixup, each with a strength if you like, e.g. shift=2,rotate; default: shift where a convolutional network learns classes of pictures of 15 pixels and more, else none
        flip: mirror every second training picture, left and right (with net cnn); default: no, except for one training on files of pictures, where a short trial decides
        seed: seed of initialisation and dropout
        data_seed: seed of the split and the order; default: the seed
        as_taught: the beginners' loop with both its faults, to see what they do
        fault: one fault on purpose: missing_zero_grad or softmax_before_cross_entropy
        device: auto, cpu, cuda or mps
        engine: kernel to train with; default: lanes where it can, else batched, else module
        precision: numbers that the layers compute with in training: float32, or bf16 by torch's autocast, with two or three digits (weights and figures stay float32; by the engine module)
        threads: threads to train with; only those of the engine module change bits; default: chosen
        baselines: figures to compare with: the best constant, a linear model, of pictures also one on whitened patches and, on tables of your own, boosted trees; full: trees on all data, however long they take
        refit: when the network is judged, train once more on all rows, held-back ones too, for as many epochs as the kept weights took: that network predicts and is exported; all figures stay the judged one's
        threshold: of two classes, from which probability on the second is predicted, found on validation rows: auto (shares of wrong rows of both count alike), or cost=FP:FN, what a wrong and a missed one cost, e.g. cost=1:5; default: 0.5
        time_limit: seconds that training may take, e.g. 60 or 1m30s: by the recipe table as many networks as fit into them are trained; what is measured and drawn afterwards comes on top
        coverage: the share of new rows whose truth lies in its interval of numbers, or in its set of classes, e.g. 0.8, found on validation rows; default: intervals of 0.9, no sets
        every: keep a keyframe each so many steps, to play films and branches from; 64 MB of them at most: beyond, every second one goes
        name: name of the run's folder in ./runs; default: wine-1, wine-2, ...
        out: the run's folder itself (must not exist, or be empty)
        num_epochs: the same as epochs
        num_workers: processes that read the items of your own Dataset
        num_classes: how many classes the data must have
    """

@overload
def fit(
    data: Any,
    net: nn.Module | Callable[..., nn.Module] | Net | str | None = None,
    *,
    parent: str | Path = "runs",
    lean: bool = False,
    seeds: None = None,
    folds: int,
    until: Any = None,
    watch: bool | Callable[[Any], None] = False,
    track: str | Sequence[str] | None = None,
    on: str | None = None,
    gpus_per_chunk: float | None = None,
    alerts: str | Sequence[str] | None = None,
    allow_network: bool = False,
    like: Run | str | Path | None = None,
    trust: bool = False,
    target: str | int | Sequence[str] | None = None,
    features: Sequence[str] | str | None = None,
    task: Literal["classification", "regression"] | None = None,
    normalise: bool = True,
    kinds: Sequence[str] | str | Mapping[str, str] = (),
    impute: Literal["median", "mean"] = "median",
    inputs: Literal["plain", "bins"] = "plain",
    bins: int = 16,
    clip_inputs: float | None = None,
    target_means: bool = False,
    trees: int = 0,
    log_target: bool | None = None,
    validation: float | str | PathLike[str] | tuple[Any, ...] | _Rows | None = 0.15,
    test: float | str | PathLike[str] | tuple[Any, ...] | _Rows | None = 0.15,
    split_group: str | int | Sequence[str] | None = None,
    split_time: str | int | Sequence[str] | None = None,
    split_column: str | int | Sequence[str] | None = None,
    fold: str | None = None,
    duplicates: Literal["apart", "ignore"] | None = None,
    row_weights: str | int | Sequence[str] | None = None,
    image_size: Sequence[int] | int | str | None = None,
    fit: Literal["crop", "pad", "stretch"] = "crop",
    skip_bad: int = 0,
    labels: str | PathLike[str] | None = None,
    class_pattern: str | None = None,
    max_memory: str | int | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: Literal["yes", "no"] | bool | None = None,
    skip: int | None = None,
    quote: str | None = None,
    dates: Literal[
        "day/month", "month/day", "day/month/year", "month/day/year", "year/month/day", "year/day/month"
    ]
    | None = None,
    missing: Sequence[str] | str | None = None,
    sheet: str | None = None,
    recipe: Literal["table", "plain"] | None = None,
    hidden: Sequence[int] | int | Literal["none"] | None = None,
    channels: Sequence[int] | int | None = None,
    kernel: Sequence[int] | int | None = None,
    stride: Sequence[int] | int | None = None,
    padding: Sequence[int] | int | Literal["same"] | None = None,
    pool: Literal["max", "average", "none"] | Sequence[Literal["max", "average", "none"]] | None = None,
    head: Literal["flatten", "average"] | None = None,
    blocks: int | None = None,
    group_norm: int | None = None,
    activation: Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "identity"]
    | str
    | None = None,
    dropout: float | None = None,
    dropout_spread: bool = False,
    batch_norm: bool = False,
    gates: float = 0.0,
    plain_members: int = 0,
    init: Literal["default", "kaiming", "xavier", "orthogonal", "zeros"] | None = None,
    ensemble: int = 1,
    clip_target: bool = False,
    loss: Literal[
        "cross_entropy", "bce", "mse", "l1", "huber", "poisson", "gamma", "tweedie", "quantile", "gaussian"
    ]
    | str
    | Callable[..., Any]
    | None = None,
    label_smoothing: float = 0.0,
    class_weights: Sequence[float] | Literal["balanced"] | None = None,
    quantiles: Sequence[float] | None = None,
    optimizer: Literal["sgd", "adam", "adamw"] | str | Callable[..., Any] = "adam",
    lr: float | Literal["auto"] | None = None,
    momentum: float = 0.0,
    nesterov: bool = False,
    betas: Sequence[float] | None = None,
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    schedule: Literal["constant", "cosine", "step", "one-cycle"] | str | Callable[..., Any] | None = None,
    warmup: int = 0,
    clip: float | None = None,
    ema: float = 0.0,
    batch_size: int | Literal["full"] | None = None,
    epochs: int | None = None,
    member_epochs: Sequence[int] | int | None = None,
    steps: int | None = None,
    patience: int | None = None,
    metric: Literal["loss", "accuracy", "f1_macro", "auc", "rmse", "mae", "r2"]
    | str
    | Callable[..., Any] = "loss",
    keep: Literal["best", "last"] | None = None,
    shuffle: Literal["each", "once", "off", "blocks"] = "each",
    augment: str | Sequence[str] | Mapping[str, float] | None = None,
    flip: bool | None = None,
    seed: int = 0,
    data_seed: int | None = None,
    as_taught: bool = False,
    fault: Literal["missing_zero_grad", "softmax_before_cross_entropy"]
    | Sequence[Literal["missing_zero_grad", "softmax_before_cross_entropy"]] = (),
    device: Literal["auto", "cpu", "cuda", "mps"] | str | torch.device = "auto",
    engine: Literal["module", "batched", "lanes"] | None = None,
    precision: Literal["float32", "bf16"] = "float32",
    threads: int | None = None,
    baselines: Literal["usual", "full"] = "usual",
    refit: bool = False,
    threshold: Literal["auto"] | str | None = None,
    time_limit: float | str | None = None,
    coverage: float | None = None,
    every: int | None = None,
    name: str | None = None,
    out: str | PathLike[str] | None = None,
    num_epochs: int | None = None,
    num_workers: int = 0,
    num_classes: int | None = None,
    **misspelt: Never,
) -> Sweep:
    r"""Train one network on ``data`` and return the Run, as ``treino train`` does.

    data: a built-in's name, a file, a pandas frame with ``target=``, a pair of arrays ``(X, y)``, where X may
        also be a dict or a tuple of arrays for ``forward``, your own Dataset or DataLoader, or the result of
        ``load``.
    net: ``mlp(64, 32)``, ``cnn(16, 32)`` for pictures, FILE.py:NAME, perhaps with arguments
        (``"mynet.py:Net(width=16)"``), or your own ``nn.Module``, its class or a function that makes it. It
        takes ``[B, *item_shape]`` float32, or the arrays of X, and returns ``[B, C]`` logits; see
        docs/arrays.md.
    lean: store no copy of rows in memory (such a run can't be resumed).
    seeds, folds: train with this many seeds, or on this many folds of a cross-validation, and return a Sweep
        whose ``figures`` are means and deviations; ``until``, e.g. ``("accuracy", 0.8)``, counts the steps to
        a target.
    watch: a function called with each event of the training. ``treino.fit`` also takes ``True``: a display
        updated in place in a notebook, a progress line in a terminal.
    track: one or several trackers to report to, such as ``"mlflow"``; see ``treino_trackers``.
    on, gpus_per_chunk: the cluster to train seeds or folds on, as in ``sweep``.
    alerts: actions on conditions, e.g. ``"validation loss rises for 5 epochs: lr*0.5"``; see docs/alerts.md.
        allow_network: whether they may send to an address.
    like: a run, or the name of one or of a sweep's network (``SWEEP:17``), with whose settings these other
        rows are trained on; those given here come first. trust: the copies of your own code that were sealed
        with it may run.
    settings: any of ``treino.settings.spec`` (``lr``, ``hidden``, ``epochs``, ...); ``validation`` and
        ``test`` may also be frames or pairs (X, y) of further rows. Names common in courses work too:
        ``num_epochs`` is ``epochs``; ``num_workers`` reads your own Dataset, and has no effect on rows in
        memory; ``num_classes`` is checked against the data. ``lr="auto"`` first tries many rates for a short
        time.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when the run is saved.

    The settings:
        target: column to predict (of a table), or several: a,b
        features: columns to learn from, comma-separated; default: all others
        task: classification or regression; default: from the target
        normalise: bring every column to mean 0 and deviation 1, as on training rows
        kinds: what columns are, where it is mistaken: 'month=category,size=small<large'; number, boolean, category, one-hot, hashed, date, identifier, text, out (left out)
        impute: what stands for a missing number: the training rows' median or mean
        inputs: what the network sees of a number: itself (plain), or also how far up it lies in each of bins bins between the training rows' quantiles (bins)
        bins: bins of each number, with inputs bins
        clip_inputs: normalised numbers go so many deviations from their mean at most, e.g. 5
        target_means: the network also sees the target's mean over the training rows with the same number, or with the same of very many classes, where such means tell more than bins do
        trees: the network also sees what boosted decision trees answer, so many of them at most; a training row gets the answer of trees of other training rows
        log_target: learn the logarithm of a target above 0, so that errors count by their ratio; default: no, except for one training by the recipe table on a skewed target, where a short trial decides
        validation: share of rows that choices look at, or a file of them
        test: share of rows held back for one final figure, or a file of them
        split_group: column whose groups are never parted (a person, a place); of photographs also a regular expression of their names: 'patient-(\d+)'
        split_time: column of times: the earliest rows, or groups, train, the latest test
        split_column: column that says of each row: train, validation or test
        fold: test on one fold of scikit-learn's (Stratified)KFold: 2/5 is the second of five
        duplicates: rows equal in all features: none on two sides of the split (apart), or not looked at (ignore); default: apart where the split is drawn, but for rows that return by nature, as of few values do; else counted and left as they are given
        row_weights: column that says how much each row counts, and is no feature: 2 counts as two equal rows, 0 leaves the row out; COLUMN=0: an empty cell is a 0
        image_size: pixels that photographs are brought to: 64 for squares, or width x height, 96x64; default: their own size where all have the same and it is at most 64, else a square of at most 64
        fit: how a photograph of other proportions is brought to them: its middle (crop), whole with black borders (pad), or stretched
        skip_bad: go on without so many photographs that can't be read, at most; each is named
        labels: table of photographs' names and labels, where it isn't the only one among them
        class_pattern: regular expression whose group is the class in a photograph's name: '(\w+)-\d+'; default: a usual form such as cat.12.jpg, where neither folders nor a table tell classes
        max_memory: memory that a file's rows may take, e.g. 2GB; more are prepared into a folder beside the runs and read from there; default: half of what is free
        delimiter: what separates the cells of the file; default: found out
        decimal: decimal sign of the file, point or comma; default: found out
        encoding: encoding of the file; default: found out
        header: whether the first line names the columns: yes or no; default: found out
        skip: number of lines, or rows of a sheet, above the header; default: found out
        quote: what encloses cells of the file; default: found out
        dates: order of dates: day/month, month/day, year/month/day or year/day/month; default: found out
        missing: words for no value, beside the usual ones: suppressed,-999
        sheet: sheet of a workbook, by its name or its number from 1; default: the first shown that has cells
        recipe: what is taken for settings that are left open: table, an ensemble that was measured on tables, or plain, one simple network; default: table for one training on a table of your own, plain for all else
        hidden: units of the hidden layers, e.g. 64,32; 'none' for a linear network; default: 64,32 for tables, 128,128 for images, after convolutions 64 where channels is left open too, else none. Alone, without net, it asks for an mlp, of images too
        channels: channels of each stage of convolutions (asks for net cnn); default: with pools, first kernel and stride by the size of the pictures, and with 4 groups of group norm and dropout 0.3
        kernel: size of the kernels: 1, 3, 5 or 7; one for all stages, or for each; default: 3
        stride: steps by which the kernels move; one for all stages, or for each; default: 1
        padding: zeros around the pictures: one number for all stages, or for each; default: same, half the kernel, so that a stride of 1 keeps the size
        pool: what each stage ends with, of squares of two by two: max (default), average or none; one for all stages, or for each
        head: what the linear layers get of the last stage: all numbers (flatten, default), or each channel's mean (average)
        blocks: residual blocks of two convolutions in each stage; default: 0
        group_norm: groups of channels that are normalised together after each convolution; default: none
        activation: activation between layers; default: relu
        dropout: share of units dropped while training
        dropout_spread: networks of an ensemble drop shares of their own, spread evenly up to dropout
        batch_norm: batch normalisation after every hidden layer, or after every convolution
        gates: learn a factor for each column of the table, which an update moves so many times as far as a weight, e.g. 6; 0: none
        plain_members: so many networks of an ensemble see no bins of the columns (needs gates)
        init: initialisation of the weights; default: torch's own
        ensemble: networks that are trained side by side, from seeds derived from the seed, and answer together: the mean of the best half by the validation metric
        clip_target: numbers that an ensemble answers stay within the range of the training rows'
        loss: what training makes small: cross_entropy, mse, ..., the class of a loss in torch.nn, or your own: FILE.py:NAME, a function of (output, target); default: from the task, with the reason
        label_smoothing: share taken from the right class; default: 0.05 for classes of pictures where the network is left open too
        class_weights: 'balanced', or one weight above 0 for each class, comma-separated
        quantiles: the shares of the targets that lie below what the loss quantile learns, e.g. .05,.5,.95; default: .1,.5,.9; the one nearest the median is the prediction
        optimizer: how weights follow from gradients: adam, adamw, sgd, the class of another in torch.optim, e.g. RMSprop, or your own: FILE.py:NAME
        lr: learning rate; default: 3e-3 for tables, 2e-3 for convolutional networks, 1e-3 for images by other ones; 'auto' tries many for a short while first (not in a sweep)
        momentum: momentum
        nesterov: Nesterov's momentum (needs momentum)
        betas: the two decay rates of the running means; default: 0.9,0.999
        eps: added to the root that an update is divided by
        weight_decay: L2 penalty; decay beside the gradient where the optimizer has that; 0.01 in the recipe table
        schedule: how the learning rate changes over the run: constant, cosine, ..., or your own: FILE.py:NAME, a function of (step, steps) or a class of torch.optim.lr_scheduler; default: constant, one-cycle for convolutional networks
        warmup: steps over which the learning rate rises to its value
        clip: largest norm of the gradient; larger ones are scaled down
        ema: evaluate and keep a running average of the weights, of which each update leaves this share, e.g. 0.98; 0: the weights themselves
        batch_size: rows per step, or 'full'; default: 32 for tables, 100 for images, 64 for convolutional networks
        epochs: passes over the training rows; default: at most 200 for tables, 10 for images, 5 for convolutional networks, for these at least 2,000 updates or 200 passes
        member_epochs: epochs of each network of an ensemble, e.g. 12,0,8, where they differ; of 0: it doesn't answer
        steps: updates, instead of epochs
        patience: stop after so many epochs without a better validation figure; 0: never; default: where neither epochs nor steps is given 20, for one cycle of convolutional networks 0; else 0
        metric: the validation figure that decides: loss, accuracy, ..., one of scikit-learn's, e.g. balanced_accuracy, or your own: FILE.py:NAME, a function of (truth, prediction)
        keep: weights to keep: best on validation rows (default), or last (default for one cycle of convolutional networks without patience or metric)
        shuffle: order of the training rows: new each epoch (each), shuffled once, as they stand (off), or in blocks of neighbours, for rows that a disk reads
        augment: how training pictures are changed anew in each epoch (with net cnn): none, or some of shift, crop, rotate, brightness, contrast, cutout and mixup, each with a strength if you like, e.g. shift=2,rotate; default: shift where a convolutional network learns classes of pictures of 15 pixels and more, else none
        flip: mirror every second training picture, left and right (with net cnn); default: no, except for one training on files of pictures, where a short trial decides
        seed: seed of initialisation and dropout
        data_seed: seed of the split and the order; default: the seed
        as_taught: the beginners' loop with both its faults, to see what they do
        fault: one fault on purpose: missing_zero_grad or softmax_before_cross_entropy
        device: auto, cpu, cuda or mps
        engine: kernel to train with; default: lanes where it can, else batched, else module
        precision: numbers that the layers compute with in training: float32, or bf16 by torch's autocast, with two or three digits (weights and figures stay float32; by the engine module)
        threads: threads to train with; only those of the engine module change bits; default: chosen
        baselines: figures to compare with: the best constant, a linear model, of pictures also one on whitened patches and, on tables of your own, boosted trees; full: trees on all data, however long they take
        refit: when the network is judged, train once more on all rows, held-back ones too, for as many epochs as the kept weights took: that network predicts and is exported; all figures stay the judged one's
        threshold: of two classes, from which probability on the second is predicted, found on validation rows: auto (shares of wrong rows of both count alike), or cost=FP:FN, what a wrong and a missed one cost, e.g. cost=1:5; default: 0.5
        time_limit: seconds that training may take, e.g. 60 or 1m30s: by the recipe table as many networks as fit into them are trained; what is measured and drawn afterwards comes on top
        coverage: the share of new rows whose truth lies in its interval of numbers, or in its set of classes, e.g. 0.8, found on validation rows; default: intervals of 0.9, no sets
        every: keep a keyframe each so many steps, to play films and branches from; 64 MB of them at most: beyond, every second one goes
        name: name of the run's folder in ./runs; default: wine-1, wine-2, ...
        out: the run's folder itself (must not exist, or be empty)
        num_epochs: the same as epochs
        num_workers: processes that read the items of your own Dataset
        num_classes: how many classes the data must have
    """

def sweep(
    data: Any,
    space: Mapping[str, Any] | Sequence[str],
    *,
    members: int | None = None,
    strategy: str | None = None,
    eta: int | None = None,
    sampler: str | None = None,
    sampler_seed: int | None = None,
    max_time: float | None = None,
    until: tuple[str, float] | str | None = None,
    top: int | None = None,
    fresh: int | None = None,
    storage: str | None = None,
    parent: str | Path = "runs",
    watch: bool | Callable[[Any], None] = False,
    track: str | Sequence[str] | None = None,
    on: str | None = None,
    gpus_per_chunk: float | None = None,
    target: str | int | Sequence[str] | None = None,
    features: Sequence[str] | str | None = None,
    task: Literal["classification", "regression"] | None = None,
    normalise: bool = True,
    kinds: Sequence[str] | str | Mapping[str, str] = (),
    impute: Literal["median", "mean"] = "median",
    inputs: Literal["plain", "bins"] = "plain",
    bins: int = 16,
    clip_inputs: float | None = None,
    target_means: bool = False,
    trees: int = 0,
    log_target: bool | None = None,
    validation: float | str | PathLike[str] | None = 0.15,
    test: float | str | PathLike[str] | None = 0.15,
    split_group: str | int | Sequence[str] | None = None,
    split_time: str | int | Sequence[str] | None = None,
    split_column: str | int | Sequence[str] | None = None,
    fold: str | None = None,
    duplicates: Literal["apart", "ignore"] | None = None,
    row_weights: str | int | Sequence[str] | None = None,
    image_size: Sequence[int] | int | str | None = None,
    fit: Literal["crop", "pad", "stretch"] = "crop",
    skip_bad: int = 0,
    labels: str | PathLike[str] | None = None,
    class_pattern: str | None = None,
    max_memory: str | int | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: Literal["yes", "no"] | bool | None = None,
    skip: int | None = None,
    quote: str | None = None,
    dates: Literal[
        "day/month", "month/day", "day/month/year", "month/day/year", "year/month/day", "year/day/month"
    ]
    | None = None,
    missing: Sequence[str] | str | None = None,
    sheet: str | None = None,
    recipe: Literal["table", "plain"] | None = None,
    net: str | PathLike[str] | Net | Callable[..., nn.Module] | None = None,
    hidden: Sequence[int] | int | Literal["none"] | None = None,
    channels: Sequence[int] | int | None = None,
    kernel: Sequence[int] | int | None = None,
    stride: Sequence[int] | int | None = None,
    padding: Sequence[int] | int | Literal["same"] | None = None,
    pool: Literal["max", "average", "none"] | Sequence[Literal["max", "average", "none"]] | None = None,
    head: Literal["flatten", "average"] | None = None,
    blocks: int | None = None,
    group_norm: int | None = None,
    activation: Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "identity"]
    | str
    | None = None,
    dropout: float | None = None,
    dropout_spread: bool = False,
    batch_norm: bool = False,
    gates: float = 0.0,
    plain_members: int = 0,
    init: Literal["default", "kaiming", "xavier", "orthogonal", "zeros"] | None = None,
    ensemble: int = 1,
    clip_target: bool = False,
    loss: Literal[
        "cross_entropy", "bce", "mse", "l1", "huber", "poisson", "gamma", "tweedie", "quantile", "gaussian"
    ]
    | str
    | Callable[..., Any]
    | None = None,
    label_smoothing: float = 0.0,
    class_weights: Sequence[float] | Literal["balanced"] | None = None,
    quantiles: Sequence[float] | None = None,
    optimizer: Literal["sgd", "adam", "adamw"] | str | Callable[..., Any] = "adam",
    lr: float | None = None,
    momentum: float = 0.0,
    nesterov: bool = False,
    betas: Sequence[float] | None = None,
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    schedule: Literal["constant", "cosine", "step", "one-cycle"] | str | Callable[..., Any] | None = None,
    warmup: int = 0,
    clip: float | None = None,
    ema: float = 0.0,
    batch_size: int | Literal["full"] | None = None,
    epochs: int | None = None,
    member_epochs: Sequence[int] | int | None = None,
    steps: int | None = None,
    patience: int | None = None,
    metric: Literal["loss", "accuracy", "f1_macro", "auc", "rmse", "mae", "r2"]
    | str
    | Callable[..., Any] = "loss",
    keep: Literal["best", "last"] | None = None,
    shuffle: Literal["each", "once", "off", "blocks"] = "each",
    augment: str | Sequence[str] | Mapping[str, float] | None = None,
    flip: bool | None = None,
    seed: int = 0,
    data_seed: int | None = None,
    as_taught: bool = False,
    fault: Literal["missing_zero_grad", "softmax_before_cross_entropy"]
    | Sequence[Literal["missing_zero_grad", "softmax_before_cross_entropy"]] = (),
    device: Literal["auto", "cpu", "cuda", "mps"] | str | torch.device = "auto",
    engine: Literal["module", "batched", "lanes"] | None = None,
    precision: Literal["float32", "bf16"] = "float32",
    threads: int | None = None,
    baselines: Literal["usual", "full"] = "usual",
    refit: bool = False,
    threshold: Literal["auto"] | str | None = None,
    time_limit: float | str | None = None,
    coverage: float | None = None,
    every: int | None = None,
    name: str | None = None,
    out: str | PathLike[str] | None = None,
) -> Sweep:
    r"""Train many networks on ``data`` side by side, keep the best, and judge the winner.

    space: the settings to try, e.g. ``{"lr": "1e-4..1e-1:log", "hidden": [(16,), (64, 32)]}``, or as on the
    command line, one text or a list: ``"lr=1e-4..1e-1:log"``; ``net.width`` is the argument ``width`` of a
    network of your own, whose class or function ``net`` is. members: number of networks (256). strategy:
    none, halving (default) or hyperband. eta: one in ``eta`` members continues to the next rung. sampler:
    grid, random, sobol (default) or tpe (Optuna's, with its ``storage``). max_time: seconds. until: a target
    that ends the sweep, e.g. ``("accuracy", 0.95)``. top: number of networks to keep (10). fresh: fresh seeds
    for the judge (16; 0 for none). watch: a function called with each event; ``treino.sweep`` also takes
    ``True``: a table updated in place in a notebook, a progress line in a terminal. track: trackers to report
    to. on: the cluster to train on, ``"ray"`` or ``"ray://HOST:PORT"``, with bitwise equal results.
    gpus_per_chunk: GPUs of each cluster task. settings: shared by all members, as in ``fit``, with ``net=``.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when everything is saved.

    The settings:
        target: column to predict (of a table), or several: a,b
        features: columns to learn from, comma-separated; default: all others
        task: classification or regression; default: from the target
        normalise: bring every column to mean 0 and deviation 1, as on training rows
        kinds: what columns are, where it is mistaken: 'month=category,size=small<large'; number, boolean, category, one-hot, hashed, date, identifier, text, out (left out)
        impute: what stands for a missing number: the training rows' median or mean
        inputs: what the network sees of a number: itself (plain), or also how far up it lies in each of bins bins between the training rows' quantiles (bins)
        bins: bins of each number, with inputs bins
        clip_inputs: normalised numbers go so many deviations from their mean at most, e.g. 5
        target_means: the network also sees the target's mean over the training rows with the same number, or with the same of very many classes, where such means tell more than bins do
        trees: the network also sees what boosted decision trees answer, so many of them at most; a training row gets the answer of trees of other training rows
        log_target: learn the logarithm of a target above 0, so that errors count by their ratio; default: no, except for one training by the recipe table on a skewed target, where a short trial decides
        validation: share of rows that choices look at, or a file of them
        test: share of rows held back for one final figure, or a file of them
        split_group: column whose groups are never parted (a person, a place); of photographs also a regular expression of their names: 'patient-(\d+)'
        split_time: column of times: the earliest rows, or groups, train, the latest test
        split_column: column that says of each row: train, validation or test
        fold: test on one fold of scikit-learn's (Stratified)KFold: 2/5 is the second of five
        duplicates: rows equal in all features: none on two sides of the split (apart), or not looked at (ignore); default: apart where the split is drawn, but for rows that return by nature, as of few values do; else counted and left as they are given
        row_weights: column that says how much each row counts, and is no feature: 2 counts as two equal rows, 0 leaves the row out; COLUMN=0: an empty cell is a 0
        image_size: pixels that photographs are brought to: 64 for squares, or width x height, 96x64; default: their own size where all have the same and it is at most 64, else a square of at most 64
        fit: how a photograph of other proportions is brought to them: its middle (crop), whole with black borders (pad), or stretched
        skip_bad: go on without so many photographs that can't be read, at most; each is named
        labels: table of photographs' names and labels, where it isn't the only one among them
        class_pattern: regular expression whose group is the class in a photograph's name: '(\w+)-\d+'; default: a usual form such as cat.12.jpg, where neither folders nor a table tell classes
        max_memory: memory that a file's rows may take, e.g. 2GB; more are prepared into a folder beside the runs and read from there; default: half of what is free
        delimiter: what separates the cells of the file; default: found out
        decimal: decimal sign of the file, point or comma; default: found out
        encoding: encoding of the file; default: found out
        header: whether the first line names the columns: yes or no; default: found out
        skip: number of lines, or rows of a sheet, above the header; default: found out
        quote: what encloses cells of the file; default: found out
        dates: order of dates: day/month, month/day, year/month/day or year/day/month; default: found out
        missing: words for no value, beside the usual ones: suppressed,-999
        sheet: sheet of a workbook, by its name or its number from 1; default: the first shown that has cells
        recipe: what is taken for settings that are left open: table, an ensemble that was measured on tables, or plain, one simple network; default: table for one training on a table of your own, plain for all else
        net: mlp (layers of units), cnn (convolutions, for pictures), or your own network: FILE.py:NAME (an nn.Module, its class or a function that makes one), with arguments FILE.py:NAME(width=16); default: cnn for pictures of 8 pixels and more; mlp for all else, in studies, with faults, and where hidden is given alone
        hidden: units of the hidden layers, e.g. 64,32; 'none' for a linear network; default: 64,32 for tables, 128,128 for images, after convolutions 64 where channels is left open too, else none. Alone, without net, it asks for an mlp, of images too
        channels: channels of each stage of convolutions (asks for net cnn); default: with pools, first kernel and stride by the size of the pictures, and with 4 groups of group norm and dropout 0.3
        kernel: size of the kernels: 1, 3, 5 or 7; one for all stages, or for each; default: 3
        stride: steps by which the kernels move; one for all stages, or for each; default: 1
        padding: zeros around the pictures: one number for all stages, or for each; default: same, half the kernel, so that a stride of 1 keeps the size
        pool: what each stage ends with, of squares of two by two: max (default), average or none; one for all stages, or for each
        head: what the linear layers get of the last stage: all numbers (flatten, default), or each channel's mean (average)
        blocks: residual blocks of two convolutions in each stage; default: 0
        group_norm: groups of channels that are normalised together after each convolution; default: none
        activation: activation between layers; default: relu
        dropout: share of units dropped while training
        dropout_spread: networks of an ensemble drop shares of their own, spread evenly up to dropout
        batch_norm: batch normalisation after every hidden layer, or after every convolution
        gates: learn a factor for each column of the table, which an update moves so many times as far as a weight, e.g. 6; 0: none
        plain_members: so many networks of an ensemble see no bins of the columns (needs gates)
        init: initialisation of the weights; default: torch's own
        ensemble: networks that are trained side by side, from seeds derived from the seed, and answer together: the mean of the best half by the validation metric
        clip_target: numbers that an ensemble answers stay within the range of the training rows'
        loss: what training makes small: cross_entropy, mse, ..., the class of a loss in torch.nn, or your own: FILE.py:NAME, a function of (output, target); default: from the task, with the reason
        label_smoothing: share taken from the right class; default: 0.05 for classes of pictures where the network is left open too
        class_weights: 'balanced', or one weight above 0 for each class, comma-separated
        quantiles: the shares of the targets that lie below what the loss quantile learns, e.g. .05,.5,.95; default: .1,.5,.9; the one nearest the median is the prediction
        optimizer: how weights follow from gradients: adam, adamw, sgd, the class of another in torch.optim, e.g. RMSprop, or your own: FILE.py:NAME
        lr: learning rate; default: 3e-3 for tables, 2e-3 for convolutional networks, 1e-3 for images by other ones; 'auto' tries many for a short while first (not in a sweep)
        momentum: momentum
        nesterov: Nesterov's momentum (needs momentum)
        betas: the two decay rates of the running means; default: 0.9,0.999
        eps: added to the root that an update is divided by
        weight_decay: L2 penalty; decay beside the gradient where the optimizer has that; 0.01 in the recipe table
        schedule: how the learning rate changes over the run: constant, cosine, ..., or your own: FILE.py:NAME, a function of (step, steps) or a class of torch.optim.lr_scheduler; default: constant, one-cycle for convolutional networks
        warmup: steps over which the learning rate rises to its value
        clip: largest norm of the gradient; larger ones are scaled down
        ema: evaluate and keep a running average of the weights, of which each update leaves this share, e.g. 0.98; 0: the weights themselves
        batch_size: rows per step, or 'full'; default: 32 for tables, 100 for images, 64 for convolutional networks
        epochs: passes over the training rows; default: at most 200 for tables, 10 for images, 5 for convolutional networks, for these at least 2,000 updates or 200 passes
        member_epochs: epochs of each network of an ensemble, e.g. 12,0,8, where they differ; of 0: it doesn't answer
        steps: updates, instead of epochs
        patience: stop after so many epochs without a better validation figure; 0: never; default: where neither epochs nor steps is given 20, for one cycle of convolutional networks 0; else 0
        metric: the validation figure that decides: loss, accuracy, ..., one of scikit-learn's, e.g. balanced_accuracy, or your own: FILE.py:NAME, a function of (truth, prediction)
        keep: weights to keep: best on validation rows (default), or last (default for one cycle of convolutional networks without patience or metric)
        shuffle: order of the training rows: new each epoch (each), shuffled once, as they stand (off), or in blocks of neighbours, for rows that a disk reads
        augment: how training pictures are changed anew in each epoch (with net cnn): none, or some of shift, crop, rotate, brightness, contrast, cutout and mixup, each with a strength if you like, e.g. shift=2,rotate; default: shift where a convolutional network learns classes of pictures of 15 pixels and more, else none
        flip: mirror every second training picture, left and right (with net cnn); default: no, except for one training on files of pictures, where a short trial decides
        seed: seed of initialisation and dropout
        data_seed: seed of the split and the order; default: the seed
        as_taught: the beginners' loop with both its faults, to see what they do
        fault: one fault on purpose: missing_zero_grad or softmax_before_cross_entropy
        device: auto, cpu, cuda or mps
        engine: kernel to train with; default: lanes where it can, else batched, else module
        precision: numbers that the layers compute with in training: float32, or bf16 by torch's autocast, with two or three digits (weights and figures stay float32; by the engine module)
        threads: threads to train with; only those of the engine module change bits; default: chosen
        baselines: figures to compare with: the best constant, a linear model, of pictures also one on whitened patches and, on tables of your own, boosted trees; full: trees on all data, however long they take
        refit: when the network is judged, train once more on all rows, held-back ones too, for as many epochs as the kept weights took: that network predicts and is exported; all figures stay the judged one's
        threshold: of two classes, from which probability on the second is predicted, found on validation rows: auto (shares of wrong rows of both count alike), or cost=FP:FN, what a wrong and a missed one cost, e.g. cost=1:5; default: 0.5
        time_limit: seconds that training may take, e.g. 60 or 1m30s: by the recipe table as many networks as fit into them are trained; what is measured and drawn afterwards comes on top
        coverage: the share of new rows whose truth lies in its interval of numbers, or in its set of classes, e.g. 0.8, found on validation rows; default: intervals of 0.9, no sets
        every: keep a keyframe each so many steps, to play films and branches from; 64 MB of them at most: beyond, every second one goes
        name: name of the run's folder in ./runs; default: wine-1, wine-2, ...
        out: the run's folder itself (must not exist, or be empty)
    """

def study(
    data: Any,
    net: Callable[..., nn.Module] | Net | str | None = None,
    *,
    batch_sizes: Sequence[int | str] | None = None,
    until: Any = None,
    cells: Sequence[Any] = (),
    compare: Sequence[str] | str = (),
    seeds: int | None = None,
    parent: str | Path = "runs",
    on: str | None = None,
    gpus_per_chunk: float | None = None,
    target: str | int | Sequence[str] | None = None,
    features: Sequence[str] | str | None = None,
    task: Literal["classification", "regression"] | None = None,
    normalise: bool = True,
    kinds: Sequence[str] | str | Mapping[str, str] = (),
    impute: Literal["median", "mean"] = "median",
    inputs: Literal["plain", "bins"] = "plain",
    bins: int = 16,
    clip_inputs: float | None = None,
    target_means: bool = False,
    trees: int = 0,
    log_target: bool | None = None,
    validation: float | str | PathLike[str] | None = 0.15,
    test: float | str | PathLike[str] | None = 0.15,
    split_group: str | int | Sequence[str] | None = None,
    split_time: str | int | Sequence[str] | None = None,
    split_column: str | int | Sequence[str] | None = None,
    fold: str | None = None,
    duplicates: Literal["apart", "ignore"] | None = None,
    row_weights: str | int | Sequence[str] | None = None,
    image_size: Sequence[int] | int | str | None = None,
    fit: Literal["crop", "pad", "stretch"] = "crop",
    skip_bad: int = 0,
    labels: str | PathLike[str] | None = None,
    class_pattern: str | None = None,
    max_memory: str | int | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: Literal["yes", "no"] | bool | None = None,
    skip: int | None = None,
    quote: str | None = None,
    dates: Literal[
        "day/month", "month/day", "day/month/year", "month/day/year", "year/month/day", "year/day/month"
    ]
    | None = None,
    missing: Sequence[str] | str | None = None,
    sheet: str | None = None,
    recipe: Literal["table", "plain"] | None = None,
    hidden: Sequence[int] | int | Literal["none"] | None = None,
    channels: Sequence[int] | int | None = None,
    kernel: Sequence[int] | int | None = None,
    stride: Sequence[int] | int | None = None,
    padding: Sequence[int] | int | Literal["same"] | None = None,
    pool: Literal["max", "average", "none"] | Sequence[Literal["max", "average", "none"]] | None = None,
    head: Literal["flatten", "average"] | None = None,
    blocks: int | None = None,
    group_norm: int | None = None,
    activation: Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "identity"]
    | str
    | None = None,
    dropout: float | None = None,
    dropout_spread: bool = False,
    batch_norm: bool = False,
    gates: float = 0.0,
    plain_members: int = 0,
    init: Literal["default", "kaiming", "xavier", "orthogonal", "zeros"] | None = None,
    ensemble: int = 1,
    clip_target: bool = False,
    loss: Literal[
        "cross_entropy", "bce", "mse", "l1", "huber", "poisson", "gamma", "tweedie", "quantile", "gaussian"
    ]
    | str
    | Callable[..., Any]
    | None = None,
    label_smoothing: float = 0.0,
    class_weights: Sequence[float] | Literal["balanced"] | None = None,
    quantiles: Sequence[float] | None = None,
    optimizer: Literal["sgd", "adam", "adamw"]
    | str
    | Callable[..., Any]
    | Sequence[Literal["sgd", "adam", "adamw"] | str | Callable[..., Any]] = "adam",
    lr: float | None = None,
    momentum: float = 0.0,
    nesterov: bool = False,
    betas: Sequence[float] | None = None,
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    schedule: Literal["constant", "cosine", "step", "one-cycle"] | str | Callable[..., Any] | None = None,
    warmup: int = 0,
    clip: float | None = None,
    ema: float = 0.0,
    batch_size: int | Literal["full"] | None = None,
    epochs: int | None = None,
    member_epochs: Sequence[int] | int | None = None,
    steps: int | None = None,
    patience: int | None = None,
    metric: Literal["loss", "accuracy", "f1_macro", "auc", "rmse", "mae", "r2"]
    | str
    | Callable[..., Any] = "loss",
    keep: Literal["best", "last"] | None = None,
    shuffle: Literal["each", "once", "off", "blocks"]
    | Sequence[Literal["each", "once", "off", "blocks"]] = "each",
    augment: str | Sequence[str] | Mapping[str, float] | None = None,
    flip: bool | None = None,
    seed: int = 0,
    data_seed: int | None = None,
    as_taught: bool = False,
    fault: Literal["missing_zero_grad", "softmax_before_cross_entropy"]
    | Sequence[Literal["missing_zero_grad", "softmax_before_cross_entropy"]] = (),
    device: Literal["auto", "cpu", "cuda", "mps"] | str | torch.device = "auto",
    engine: Literal["module", "batched", "lanes"] | None = None,
    precision: Literal["float32", "bf16"] = "float32",
    threads: int | None = None,
    baselines: Literal["usual", "full"] = "usual",
    refit: bool = False,
    threshold: Literal["auto"] | str | None = None,
    time_limit: float | str | None = None,
    coverage: float | None = None,
    every: int | None = None,
    name: str | None = None,
    out: str | PathLike[str] | None = None,
) -> Study:
    r"""Train several settings in turns, epoch by epoch, and compare their time and metrics.

    batch_sizes: e.g. ``[100, 20, 5]``. until: targets, e.g. ``"loss=1.6"`` (on training rows, as the loop
    prints it), ``"accuracy=0.9"`` (on validation rows) or ``{"loss": 1.6, "accuracy": 0.9}``; the study
    counts the epochs to a target and trains on. cells: single rows of settings, e.g. ``{"batch_size": 5,
    "lr": 1e-6}``. compare: settings to try with all their values, e.g. ``"normalise"``. ``optimizer`` and
    ``shuffle`` may have several values. seeds: networks per row, with seeds from ``seed`` on.
    ``as_taught=True``: every row once more with both faults of the beginners' loop; ``fault=``: with one
    fault. on, gpus_per_chunk: the cluster to train on, as in ``sweep``, several networks at a time. settings:
    shared by all rows, as in ``fit``.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when everything is saved.

    The settings:
        target: column to predict (of a table), or several: a,b
        features: columns to learn from, comma-separated; default: all others
        task: classification or regression; default: from the target
        normalise: bring every column to mean 0 and deviation 1, as on training rows
        kinds: what columns are, where it is mistaken: 'month=category,size=small<large'; number, boolean, category, one-hot, hashed, date, identifier, text, out (left out)
        impute: what stands for a missing number: the training rows' median or mean
        inputs: what the network sees of a number: itself (plain), or also how far up it lies in each of bins bins between the training rows' quantiles (bins)
        bins: bins of each number, with inputs bins
        clip_inputs: normalised numbers go so many deviations from their mean at most, e.g. 5
        target_means: the network also sees the target's mean over the training rows with the same number, or with the same of very many classes, where such means tell more than bins do
        trees: the network also sees what boosted decision trees answer, so many of them at most; a training row gets the answer of trees of other training rows
        log_target: learn the logarithm of a target above 0, so that errors count by their ratio; default: no, except for one training by the recipe table on a skewed target, where a short trial decides
        validation: share of rows that choices look at, or a file of them
        test: share of rows held back for one final figure, or a file of them
        split_group: column whose groups are never parted (a person, a place); of photographs also a regular expression of their names: 'patient-(\d+)'
        split_time: column of times: the earliest rows, or groups, train, the latest test
        split_column: column that says of each row: train, validation or test
        fold: test on one fold of scikit-learn's (Stratified)KFold: 2/5 is the second of five
        duplicates: rows equal in all features: none on two sides of the split (apart), or not looked at (ignore); default: apart where the split is drawn, but for rows that return by nature, as of few values do; else counted and left as they are given
        row_weights: column that says how much each row counts, and is no feature: 2 counts as two equal rows, 0 leaves the row out; COLUMN=0: an empty cell is a 0
        image_size: pixels that photographs are brought to: 64 for squares, or width x height, 96x64; default: their own size where all have the same and it is at most 64, else a square of at most 64
        fit: how a photograph of other proportions is brought to them: its middle (crop), whole with black borders (pad), or stretched
        skip_bad: go on without so many photographs that can't be read, at most; each is named
        labels: table of photographs' names and labels, where it isn't the only one among them
        class_pattern: regular expression whose group is the class in a photograph's name: '(\w+)-\d+'; default: a usual form such as cat.12.jpg, where neither folders nor a table tell classes
        max_memory: memory that a file's rows may take, e.g. 2GB; more are prepared into a folder beside the runs and read from there; default: half of what is free
        delimiter: what separates the cells of the file; default: found out
        decimal: decimal sign of the file, point or comma; default: found out
        encoding: encoding of the file; default: found out
        header: whether the first line names the columns: yes or no; default: found out
        skip: number of lines, or rows of a sheet, above the header; default: found out
        quote: what encloses cells of the file; default: found out
        dates: order of dates: day/month, month/day, year/month/day or year/day/month; default: found out
        missing: words for no value, beside the usual ones: suppressed,-999
        sheet: sheet of a workbook, by its name or its number from 1; default: the first shown that has cells
        recipe: what is taken for settings that are left open: table, an ensemble that was measured on tables, or plain, one simple network; default: table for one training on a table of your own, plain for all else
        hidden: units of the hidden layers, e.g. 64,32; 'none' for a linear network; default: 64,32 for tables, 128,128 for images, after convolutions 64 where channels is left open too, else none. Alone, without net, it asks for an mlp, of images too
        channels: channels of each stage of convolutions (asks for net cnn); default: with pools, first kernel and stride by the size of the pictures, and with 4 groups of group norm and dropout 0.3
        kernel: size of the kernels: 1, 3, 5 or 7; one for all stages, or for each; default: 3
        stride: steps by which the kernels move; one for all stages, or for each; default: 1
        padding: zeros around the pictures: one number for all stages, or for each; default: same, half the kernel, so that a stride of 1 keeps the size
        pool: what each stage ends with, of squares of two by two: max (default), average or none; one for all stages, or for each
        head: what the linear layers get of the last stage: all numbers (flatten, default), or each channel's mean (average)
        blocks: residual blocks of two convolutions in each stage; default: 0
        group_norm: groups of channels that are normalised together after each convolution; default: none
        activation: activation between layers; default: relu
        dropout: share of units dropped while training
        dropout_spread: networks of an ensemble drop shares of their own, spread evenly up to dropout
        batch_norm: batch normalisation after every hidden layer, or after every convolution
        gates: learn a factor for each column of the table, which an update moves so many times as far as a weight, e.g. 6; 0: none
        plain_members: so many networks of an ensemble see no bins of the columns (needs gates)
        init: initialisation of the weights; default: torch's own
        ensemble: networks that are trained side by side, from seeds derived from the seed, and answer together: the mean of the best half by the validation metric
        clip_target: numbers that an ensemble answers stay within the range of the training rows'
        loss: what training makes small: cross_entropy, mse, ..., the class of a loss in torch.nn, or your own: FILE.py:NAME, a function of (output, target); default: from the task, with the reason
        label_smoothing: share taken from the right class; default: 0.05 for classes of pictures where the network is left open too
        class_weights: 'balanced', or one weight above 0 for each class, comma-separated
        quantiles: the shares of the targets that lie below what the loss quantile learns, e.g. .05,.5,.95; default: .1,.5,.9; the one nearest the median is the prediction
        optimizer: how weights follow from gradients: adam, adamw, sgd, the class of another in torch.optim, e.g. RMSprop, or your own: FILE.py:NAME
        lr: learning rate; default: 3e-3 for tables, 2e-3 for convolutional networks, 1e-3 for images by other ones; 'auto' tries many for a short while first (not in a sweep)
        momentum: momentum
        nesterov: Nesterov's momentum (needs momentum)
        betas: the two decay rates of the running means; default: 0.9,0.999
        eps: added to the root that an update is divided by
        weight_decay: L2 penalty; decay beside the gradient where the optimizer has that; 0.01 in the recipe table
        schedule: how the learning rate changes over the run: constant, cosine, ..., or your own: FILE.py:NAME, a function of (step, steps) or a class of torch.optim.lr_scheduler; default: constant, one-cycle for convolutional networks
        warmup: steps over which the learning rate rises to its value
        clip: largest norm of the gradient; larger ones are scaled down
        ema: evaluate and keep a running average of the weights, of which each update leaves this share, e.g. 0.98; 0: the weights themselves
        batch_size: rows per step, or 'full'; default: 32 for tables, 100 for images, 64 for convolutional networks
        epochs: passes over the training rows; default: at most 200 for tables, 10 for images, 5 for convolutional networks, for these at least 2,000 updates or 200 passes
        member_epochs: epochs of each network of an ensemble, e.g. 12,0,8, where they differ; of 0: it doesn't answer
        steps: updates, instead of epochs
        patience: stop after so many epochs without a better validation figure; 0: never; default: where neither epochs nor steps is given 20, for one cycle of convolutional networks 0; else 0
        metric: the validation figure that decides: loss, accuracy, ..., one of scikit-learn's, e.g. balanced_accuracy, or your own: FILE.py:NAME, a function of (truth, prediction)
        keep: weights to keep: best on validation rows (default), or last (default for one cycle of convolutional networks without patience or metric)
        shuffle: order of the training rows: new each epoch (each), shuffled once, as they stand (off), or in blocks of neighbours, for rows that a disk reads
        augment: how training pictures are changed anew in each epoch (with net cnn): none, or some of shift, crop, rotate, brightness, contrast, cutout and mixup, each with a strength if you like, e.g. shift=2,rotate; default: shift where a convolutional network learns classes of pictures of 15 pixels and more, else none
        flip: mirror every second training picture, left and right (with net cnn); default: no, except for one training on files of pictures, where a short trial decides
        seed: seed of initialisation and dropout
        data_seed: seed of the split and the order; default: the seed
        as_taught: the beginners' loop with both its faults, to see what they do
        fault: one fault on purpose: missing_zero_grad or softmax_before_cross_entropy
        device: auto, cpu, cuda or mps
        engine: kernel to train with; default: lanes where it can, else batched, else module
        precision: numbers that the layers compute with in training: float32, or bf16 by torch's autocast, with two or three digits (weights and figures stay float32; by the engine module)
        threads: threads to train with; only those of the engine module change bits; default: chosen
        baselines: figures to compare with: the best constant, a linear model, of pictures also one on whitened patches and, on tables of your own, boosted trees; full: trees on all data, however long they take
        refit: when the network is judged, train once more on all rows, held-back ones too, for as many epochs as the kept weights took: that network predicts and is exported; all figures stay the judged one's
        threshold: of two classes, from which probability on the second is predicted, found on validation rows: auto (shares of wrong rows of both count alike), or cost=FP:FN, what a wrong and a missed one cost, e.g. cost=1:5; default: 0.5
        time_limit: seconds that training may take, e.g. 60 or 1m30s: by the recipe table as many networks as fit into them are trained; what is measured and drawn afterwards comes on top
        coverage: the share of new rows whose truth lies in its interval of numbers, or in its set of classes, e.g. 0.8, found on validation rows; default: intervals of 0.9, no sets
        every: keep a keyframe each so many steps, to play films and branches from; 64 MB of them at most: beyond, every second one goes
        name: name of the run's folder in ./runs; default: wine-1, wine-2, ...
        out: the run's folder itself (must not exist, or be empty)
    """

def train(
    data: Any,
    net: NetSource | None = None,
    *,
    seeds: int | Sequence[int] | None = None,
    every: int | None = None,
    dtype: torch.dtype = torch.float32,
    bags: Bags | None = None,
    init: Literal["default", "kaiming", "xavier", "orthogonal", "zeros"] | None = None,
    ensemble: int = 1,
    clip_target: bool = False,
    loss: Literal[
        "cross_entropy", "bce", "mse", "l1", "huber", "poisson", "gamma", "tweedie", "quantile", "gaussian"
    ]
    | str
    | Callable[..., Any]
    | None = None,
    label_smoothing: float = 0.0,
    class_weights: Sequence[float] | Literal["balanced"] | None = None,
    quantiles: Sequence[float] | None = None,
    optimizer: Literal["sgd", "adam", "adamw"] | str | Callable[..., Any] = "adam",
    lr: float | Sequence[float | None] | None = None,
    momentum: float | Sequence[float] = 0.0,
    nesterov: bool = False,
    betas: Sequence[float] | Sequence[Sequence[float] | None] | None = None,
    eps: float | Sequence[float] = 1e-08,
    weight_decay: float | Sequence[float] = 0.0,
    schedule: Literal["constant", "cosine", "step", "one-cycle"]
    | str
    | Callable[..., Any]
    | Sequence[Literal["constant", "cosine", "step", "one-cycle"] | str | Callable[..., Any] | None]
    | None = None,
    warmup: int | Sequence[int] = 0,
    clip: float | Sequence[float | None] | None = None,
    ema: float | Sequence[float] = 0.0,
    batch_size: int | Literal["full"] | None = None,
    epochs: int | None = None,
    member_epochs: Sequence[int] | int | None = None,
    steps: int | None = None,
    patience: int | None = None,
    metric: Literal["loss", "accuracy", "f1_macro", "auc", "rmse", "mae", "r2"]
    | str
    | Callable[..., Any] = "loss",
    keep: Literal["best", "last"] | None = None,
    shuffle: Literal["each", "once", "off", "blocks"] = "each",
    augment: str | Sequence[str] | Mapping[str, float] | None = None,
    flip: bool | None = None,
    seed: int = 0,
    data_seed: int | None = None,
    as_taught: bool = False,
    fault: Literal["missing_zero_grad", "softmax_before_cross_entropy"]
    | Sequence[Literal["missing_zero_grad", "softmax_before_cross_entropy"]] = (),
    device: Literal["auto", "cpu", "cuda", "mps"] | str | torch.device = "cpu",
    engine: Literal["module", "batched", "lanes"] | None = None,
    precision: Literal["float32", "bf16"] = "float32",
    threads: int | None = None,
) -> TrainingLoop:
    """Train one network, or one per seed side by side; the training runs while you iterate over the result.

    data: what ``treino.load`` returns; or a pair of tensors, arrays or nested lists (x ``[N, ...]``, y
    ``[N]`` class numbers or ``[N, K]`` values), or two such pairs, for training and validation; or your own
    Dataset or DataLoader (its batches are then the steps).
    net: ``mlp(...)``, ``cnn(...)``, an ``nn.Module``, or a class or function that makes one; default
    ``mlp(64, 32)``, for images ``mlp(128, 128)``.

    settings: see docs/settings.md under "Loss and optimizer", "Training loop" and "Machine", with ``init``,
    ``ensemble`` and ``clip_target``. Here the default device is the CPU and the default patience 0.
    seeds: one per member, for initialisation and dropout. lr, momentum, betas, eps, weight_decay, clip, ema,
    schedule, warmup and the dropout of ``mlp`` and ``cnn`` may then be lists with one value per member.
    every: steps per tick; default an epoch, at least 10. dtype: torch.float32 or torch.float64. bags: weights
    of the rows, different for each member or the same for all; they multiply the data's own weights.

    Raises:
        TreinoError: an argument is unknown or out of range, or contradicts another or the data.

    The settings:
        init: initialisation of the weights; default: torch's own
        ensemble: networks that are trained side by side, from seeds derived from the seed, and answer together: the mean of the best half by the validation metric
        clip_target: numbers that an ensemble answers stay within the range of the training rows'
        loss: what training makes small: cross_entropy, mse, ..., the class of a loss in torch.nn, or your own: FILE.py:NAME, a function of (output, target); default: from the task, with the reason
        label_smoothing: share taken from the right class; default: 0.05 for classes of pictures where the network is left open too
        class_weights: 'balanced', or one weight above 0 for each class, comma-separated
        quantiles: the shares of the targets that lie below what the loss quantile learns, e.g. .05,.5,.95; default: .1,.5,.9; the one nearest the median is the prediction
        optimizer: how weights follow from gradients: adam, adamw, sgd, the class of another in torch.optim, e.g. RMSprop, or your own: FILE.py:NAME
        lr: learning rate; default: 3e-3 for tables, 2e-3 for convolutional networks, 1e-3 for images by other ones; 'auto' tries many for a short while first (not in a sweep)
        momentum: momentum
        nesterov: Nesterov's momentum (needs momentum)
        betas: the two decay rates of the running means; default: 0.9,0.999
        eps: added to the root that an update is divided by
        weight_decay: L2 penalty; decay beside the gradient where the optimizer has that; 0.01 in the recipe table
        schedule: how the learning rate changes over the run: constant, cosine, ..., or your own: FILE.py:NAME, a function of (step, steps) or a class of torch.optim.lr_scheduler; default: constant, one-cycle for convolutional networks
        warmup: steps over which the learning rate rises to its value
        clip: largest norm of the gradient; larger ones are scaled down
        ema: evaluate and keep a running average of the weights, of which each update leaves this share, e.g. 0.98; 0: the weights themselves
        batch_size: rows per step, or 'full'; default: 32 for tables, 100 for images, 64 for convolutional networks
        epochs: passes over the training rows; default: at most 200 for tables, 10 for images, 5 for convolutional networks, for these at least 2,000 updates or 200 passes
        member_epochs: epochs of each network of an ensemble, e.g. 12,0,8, where they differ; of 0: it doesn't answer
        steps: updates, instead of epochs
        patience: stop after so many epochs without a better validation figure; 0: never; default: where neither epochs nor steps is given 20, for one cycle of convolutional networks 0; else 0
        metric: the validation figure that decides: loss, accuracy, ..., one of scikit-learn's, e.g. balanced_accuracy, or your own: FILE.py:NAME, a function of (truth, prediction)
        keep: weights to keep: best on validation rows (default), or last (default for one cycle of convolutional networks without patience or metric)
        shuffle: order of the training rows: new each epoch (each), shuffled once, as they stand (off), or in blocks of neighbours, for rows that a disk reads
        augment: how training pictures are changed anew in each epoch (with net cnn): none, or some of shift, crop, rotate, brightness, contrast, cutout and mixup, each with a strength if you like, e.g. shift=2,rotate; default: shift where a convolutional network learns classes of pictures of 15 pixels and more, else none
        flip: mirror every second training picture, left and right (with net cnn); default: no, except for one training on files of pictures, where a short trial decides
        seed: seed of initialisation and dropout
        data_seed: seed of the split and the order; default: the seed
        as_taught: the beginners' loop with both its faults, to see what they do
        fault: one fault on purpose: missing_zero_grad or softmax_before_cross_entropy
        device: auto, cpu, cuda or mps
        engine: kernel to train with; default: lanes where it can, else batched, else module
        precision: numbers that the layers compute with in training: float32, or bf16 by torch's autocast, with two or three digits (weights and figures stay float32; by the engine module)
        threads: threads to train with; only those of the engine module change bits; default: chosen
    """

def load(
    source: Any,
    *,
    data_seed: int = 0,
    reading: ReaderOptions | Mapping[str, Any] | None = None,
    pictures: bool = False,
    link: Link = IDENTITY,
    most_inputs: int | None = None,
    num_workers: int = 0,
    cache: str | Path | None = None,
    fitted: PreparationDocument | None = None,
    target: str | int | Sequence[str] | None = None,
    features: Sequence[str] | str | None = None,
    task: Literal["classification", "regression"] | None = None,
    normalise: bool = True,
    kinds: Sequence[str] | str | Mapping[str, str] = (),
    impute: Literal["median", "mean"] = "median",
    inputs: Literal["plain", "bins"] = "plain",
    bins: int = 16,
    clip_inputs: float | None = None,
    target_means: bool = False,
    trees: int = 0,
    log_target: bool | None = None,
    validation: float | str | PathLike[str] | tuple[Any, ...] | _Rows | None = 0.15,
    test: float | str | PathLike[str] | tuple[Any, ...] | _Rows | None = 0.15,
    split_group: str | int | Sequence[str] | None = None,
    split_time: str | int | Sequence[str] | None = None,
    split_column: str | int | Sequence[str] | None = None,
    fold: str | None = None,
    duplicates: Literal["apart", "ignore"] | None = None,
    row_weights: str | int | Sequence[str] | None = None,
    image_size: Sequence[int] | int | str | None = None,
    fit: Literal["crop", "pad", "stretch"] = "crop",
    skip_bad: int = 0,
    labels: str | PathLike[str] | None = None,
    class_pattern: str | None = None,
    max_memory: str | int | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: Literal["yes", "no"] | bool | None = None,
    skip: int | None = None,
    quote: str | None = None,
    dates: Literal[
        "day/month", "month/day", "day/month/year", "month/day/year", "year/month/day", "year/day/month"
    ]
    | None = None,
    missing: Sequence[str] | str | None = None,
    sheet: str | None = None,
) -> Data:
    r"""Read a source, split its rows, and prepare them with statistics of the training rows alone.

    source: a built-in's name, a file's path, a folder or archive of photographs, a frame, or
    (X ``[N, D]``, y ``[N]``) or (X, y, the rows' weights ``[N]``); a Dataset or DataLoader, or
    ``{"train": …, "validation": …, "test": …}`` of them: their items are used unchanged, and ``features=[x]``
    and ``target`` name the entries of items that are dicts. Rows without a target are left out.
    data_seed: the seed of the split.
    reading: settings of the file's format as one mapping, as a run's documents hold them.
    pictures: a row of pixels, whose columns are pixel_0_0, pixel_0_1 and so on (row, column), is a picture
    ``[height, width]``.
    link: what outputs will say of a target of numbers, by which it is scaled (``treino.data.links``).
    most_inputs: numbers get no bins if there would be more inputs.
    num_workers: the number of processes that read a Dataset's items.
    cache: the folder for prepared tables; None: a temporary one, removed with the Data. A table larger than
    ``max_memory`` is prepared once into a folder and read from there, with the same rows bit for bit.
    fitted: the preparation of an earlier load of the same rows, whose decision trees and terms of texts are
    taken; None: fit them.
    settings: the settings of data, by which ``treino train`` loads too; ``validation`` and ``test`` may also
    be frames with the same columns, and ``kinds`` a mapping.

    Raises TreinoError naming the rule, the value, its place, and what to do next.

    The settings:
        target: column to predict (of a table), or several: a,b
        features: columns to learn from, comma-separated; default: all others
        task: classification or regression; default: from the target
        normalise: bring every column to mean 0 and deviation 1, as on training rows
        kinds: what columns are, where it is mistaken: 'month=category,size=small<large'; number, boolean, category, one-hot, hashed, date, identifier, text, out (left out)
        impute: what stands for a missing number: the training rows' median or mean
        inputs: what the network sees of a number: itself (plain), or also how far up it lies in each of bins bins between the training rows' quantiles (bins)
        bins: bins of each number, with inputs bins
        clip_inputs: normalised numbers go so many deviations from their mean at most, e.g. 5
        target_means: the network also sees the target's mean over the training rows with the same number, or with the same of very many classes, where such means tell more than bins do
        trees: the network also sees what boosted decision trees answer, so many of them at most; a training row gets the answer of trees of other training rows
        log_target: learn the logarithm of a target above 0, so that errors count by their ratio; default: no, except for one training by the recipe table on a skewed target, where a short trial decides
        validation: share of rows that choices look at, or a file of them
        test: share of rows held back for one final figure, or a file of them
        split_group: column whose groups are never parted (a person, a place); of photographs also a regular expression of their names: 'patient-(\d+)'
        split_time: column of times: the earliest rows, or groups, train, the latest test
        split_column: column that says of each row: train, validation or test
        fold: test on one fold of scikit-learn's (Stratified)KFold: 2/5 is the second of five
        duplicates: rows equal in all features: none on two sides of the split (apart), or not looked at (ignore); default: apart where the split is drawn, but for rows that return by nature, as of few values do; else counted and left as they are given
        row_weights: column that says how much each row counts, and is no feature: 2 counts as two equal rows, 0 leaves the row out; COLUMN=0: an empty cell is a 0
        image_size: pixels that photographs are brought to: 64 for squares, or width x height, 96x64; default: their own size where all have the same and it is at most 64, else a square of at most 64
        fit: how a photograph of other proportions is brought to them: its middle (crop), whole with black borders (pad), or stretched
        skip_bad: go on without so many photographs that can't be read, at most; each is named
        labels: table of photographs' names and labels, where it isn't the only one among them
        class_pattern: regular expression whose group is the class in a photograph's name: '(\w+)-\d+'; default: a usual form such as cat.12.jpg, where neither folders nor a table tell classes
        max_memory: memory that a file's rows may take, e.g. 2GB; more are prepared into a folder beside the runs and read from there; default: half of what is free
        delimiter: what separates the cells of the file; default: found out
        decimal: decimal sign of the file, point or comma; default: found out
        encoding: encoding of the file; default: found out
        header: whether the first line names the columns: yes or no; default: found out
        skip: number of lines, or rows of a sheet, above the header; default: found out
        quote: what encloses cells of the file; default: found out
        dates: order of dates: day/month, month/day, year/month/day or year/day/month; default: found out
        missing: words for no value, beside the usual ones: suppressed,-999
        sheet: sheet of a workbook, by its name or its number from 1; default: the first shown that has cells
    """

def rows(
    data: Any,
    *,
    networks: int = NETWORKS,
    target: str | int | Sequence[str] | None = None,
    features: Sequence[str] | str | None = None,
    task: Literal["classification", "regression"] | None = None,
    normalise: bool = True,
    kinds: Sequence[str] | str | Mapping[str, str] = (),
    impute: Literal["median", "mean"] = "median",
    inputs: Literal["plain", "bins"] = "plain",
    bins: int = 16,
    clip_inputs: float | None = None,
    target_means: bool = False,
    trees: int = 0,
    log_target: bool | None = None,
    validation: float | str | PathLike[str] | tuple[Any, ...] | _Rows | None = 0.0,
    test: float | str | PathLike[str] | tuple[Any, ...] | _Rows | None = 0.0,
    split_group: str | int | Sequence[str] | None = None,
    split_time: str | int | Sequence[str] | None = None,
    split_column: str | int | Sequence[str] | None = None,
    fold: str | None = None,
    duplicates: Literal["apart", "ignore"] | None = None,
    row_weights: str | int | Sequence[str] | None = None,
    image_size: Sequence[int] | int | str | None = None,
    fit: Literal["crop", "pad", "stretch"] = "crop",
    skip_bad: int = 0,
    labels: str | PathLike[str] | None = None,
    class_pattern: str | None = None,
    max_memory: str | int | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: Literal["yes", "no"] | bool | None = None,
    skip: int | None = None,
    quote: str | None = None,
    dates: Literal[
        "day/month", "month/day", "day/month/year", "month/day/year", "year/month/day", "year/day/month"
    ]
    | None = None,
    missing: Sequence[str] | str | None = None,
    sheet: str | None = None,
    data_seed: int | None = None,
    recipe: Literal["table", "plain"] | None = None,
) -> RowXray:
    r"""Check the rows of data as ``Run.rows`` does: all rows, unless settings hold back a share of them.

    data: as in ``fit``. settings: for reading the data, e.g. ``target="price"``.

    Raises:
        TreinoError: bad input.

    The settings:
        target: column to predict (of a table), or several: a,b
        features: columns to learn from, comma-separated; default: all others
        task: classification or regression; default: from the target
        normalise: bring every column to mean 0 and deviation 1, as on training rows
        kinds: what columns are, where it is mistaken: 'month=category,size=small<large'; number, boolean, category, one-hot, hashed, date, identifier, text, out (left out)
        impute: what stands for a missing number: the training rows' median or mean
        inputs: what the network sees of a number: itself (plain), or also how far up it lies in each of bins bins between the training rows' quantiles (bins)
        bins: bins of each number, with inputs bins
        clip_inputs: normalised numbers go so many deviations from their mean at most, e.g. 5
        target_means: the network also sees the target's mean over the training rows with the same number, or with the same of very many classes, where such means tell more than bins do
        trees: the network also sees what boosted decision trees answer, so many of them at most; a training row gets the answer of trees of other training rows
        log_target: learn the logarithm of a target above 0, so that errors count by their ratio; default: no, except for one training by the recipe table on a skewed target, where a short trial decides
        validation: share of rows that choices look at, or a file of them
        test: share of rows held back for one final figure, or a file of them
        split_group: column whose groups are never parted (a person, a place); of photographs also a regular expression of their names: 'patient-(\d+)'
        split_time: column of times: the earliest rows, or groups, train, the latest test
        split_column: column that says of each row: train, validation or test
        fold: test on one fold of scikit-learn's (Stratified)KFold: 2/5 is the second of five
        duplicates: rows equal in all features: none on two sides of the split (apart), or not looked at (ignore); default: apart where the split is drawn, but for rows that return by nature, as of few values do; else counted and left as they are given
        row_weights: column that says how much each row counts, and is no feature: 2 counts as two equal rows, 0 leaves the row out; COLUMN=0: an empty cell is a 0
        image_size: pixels that photographs are brought to: 64 for squares, or width x height, 96x64; default: their own size where all have the same and it is at most 64, else a square of at most 64
        fit: how a photograph of other proportions is brought to them: its middle (crop), whole with black borders (pad), or stretched
        skip_bad: go on without so many photographs that can't be read, at most; each is named
        labels: table of photographs' names and labels, where it isn't the only one among them
        class_pattern: regular expression whose group is the class in a photograph's name: '(\w+)-\d+'; default: a usual form such as cat.12.jpg, where neither folders nor a table tell classes
        max_memory: memory that a file's rows may take, e.g. 2GB; more are prepared into a folder beside the runs and read from there; default: half of what is free
        delimiter: what separates the cells of the file; default: found out
        decimal: decimal sign of the file, point or comma; default: found out
        encoding: encoding of the file; default: found out
        header: whether the first line names the columns: yes or no; default: found out
        skip: number of lines, or rows of a sheet, above the header; default: found out
        quote: what encloses cells of the file; default: found out
        dates: order of dates: day/month, month/day, year/month/day or year/day/month; default: found out
        missing: words for no value, beside the usual ones: suppressed,-999
        sheet: sheet of a workbook, by its name or its number from 1; default: the first shown that has cells
        data_seed: seed of the split and the order; default: the seed
        recipe: what is taken for settings that are left open: table, an ensemble that was measured on tables, or plain, one simple network; default: table for one training on a table of your own, plain for all else
    """

class Classifier(_Classifier):
    """A network that predicts classes, for scikit-learn's tools. Parameters are settings of ``settings.spec``; None: chosen by the data.

    net: ``mlp(64, 32)``, ``cnn(16, 32)`` for X ``[N, C, H, W]``, FILE.py:NAME, or an ``nn.Module`` of your
    own, for X of any axes, instead of ``hidden``.
    validation: the share of the rows held back for early stopping. split_group, split_time: columns of X
    (``x1`` … of an array) by which these are whole groups, or the latest rows. random_state: the seed; None:
    a new one at each fit.

    After ``fit``: ``run_`` (the Run, in a temporary folder), ``module_`` (the network that predicts),
    ``n_iter_`` (epochs), ``loss_curve_`` (mean training loss of each epoch), ``n_features_in_``, and
    ``feature_names_in_`` if X has names.
    """
    def __init__(
        self,
        hidden: Sequence[int] | None = None,
        *,
        normalise: bool = True,
        kinds: Sequence[str] | str | Mapping[str, str] | None = None,
        impute: Literal["median", "mean"] = "median",
        inputs: Literal["plain", "bins"] = "plain",
        bins: int = 16,
        clip_inputs: float | None = None,
        target_means: bool = False,
        trees: int = 0,
        log_target: bool | None = None,
        validation: float | str | PathLike[str] | None = 0.15,
        split_group: str | int | Sequence[str] | None = None,
        split_time: str | int | Sequence[str] | None = None,
        recipe: Literal["table", "plain"] | None = None,
        net: str
        | PathLike[str]
        | Net
        | Callable[..., nn.Module]
        | nn.Module
        | Callable[[], nn.Module]
        | None = None,
        channels: Sequence[int] | int | None = None,
        kernel: Sequence[int] | int | None = None,
        stride: Sequence[int] | int | None = None,
        padding: Sequence[int] | int | Literal["same"] | None = None,
        pool: Literal["max", "average", "none"] | Sequence[Literal["max", "average", "none"]] | None = None,
        head: Literal["flatten", "average"] | None = None,
        blocks: int | None = None,
        group_norm: int | None = None,
        activation: Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "identity"]
        | str
        | None = None,
        dropout: float | None = None,
        dropout_spread: bool = False,
        batch_norm: bool = False,
        gates: float = 0.0,
        plain_members: int = 0,
        init: Literal["default", "kaiming", "xavier", "orthogonal", "zeros"] | None = None,
        ensemble: int = 1,
        clip_target: bool = False,
        loss: Literal[
            "cross_entropy",
            "bce",
            "mse",
            "l1",
            "huber",
            "poisson",
            "gamma",
            "tweedie",
            "quantile",
            "gaussian",
        ]
        | str
        | Callable[..., Any]
        | None = None,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | Literal["balanced"] | None = None,
        quantiles: Sequence[float] | None = None,
        optimizer: Literal["sgd", "adam", "adamw"] | str | Callable[..., Any] = "adam",
        lr: float | Literal["auto"] | None = None,
        momentum: float = 0.0,
        nesterov: bool = False,
        betas: Sequence[float] | None = None,
        eps: float = 1e-08,
        weight_decay: float = 0.0,
        schedule: Literal["constant", "cosine", "step", "one-cycle"] | str | Callable[..., Any] | None = None,
        warmup: int = 0,
        clip: float | None = None,
        ema: float = 0.0,
        batch_size: int | Literal["full"] | None = None,
        epochs: int | None = None,
        member_epochs: Sequence[int] | int | None = None,
        steps: int | None = None,
        patience: int | None = None,
        metric: Literal["loss", "accuracy", "f1_macro", "auc", "rmse", "mae", "r2"]
        | str
        | Callable[..., Any] = "loss",
        keep: Literal["best", "last"] | None = None,
        shuffle: Literal["each", "once", "off", "blocks"] = "each",
        augment: str | Sequence[str] | Mapping[str, float] | None = None,
        flip: bool | None = None,
        device: Literal["auto", "cpu", "cuda", "mps"] | str | torch.device = "auto",
        engine: Literal["module", "batched", "lanes"] | None = None,
        precision: Literal["float32", "bf16"] = "float32",
        threads: int | None = None,
        refit: bool = False,
        threshold: Literal["auto"] | str | None = None,
        time_limit: float | str | None = None,
        coverage: float | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        r"""The settings:
        normalise: bring every column to mean 0 and deviation 1, as on training rows
        kinds: what columns are, where it is mistaken: 'month=category,size=small<large'; number, boolean, category, one-hot, hashed, date, identifier, text, out (left out)
        impute: what stands for a missing number: the training rows' median or mean
        inputs: what the network sees of a number: itself (plain), or also how far up it lies in each of bins bins between the training rows' quantiles (bins)
        bins: bins of each number, with inputs bins
        clip_inputs: normalised numbers go so many deviations from their mean at most, e.g. 5
        target_means: the network also sees the target's mean over the training rows with the same number, or with the same of very many classes, where such means tell more than bins do
        trees: the network also sees what boosted decision trees answer, so many of them at most; a training row gets the answer of trees of other training rows
        log_target: learn the logarithm of a target above 0, so that errors count by their ratio; default: no, except for one training by the recipe table on a skewed target, where a short trial decides
        validation: share of rows that choices look at, or a file of them
        split_group: column whose groups are never parted (a person, a place); of photographs also a regular expression of their names: 'patient-(\d+)'
        split_time: column of times: the earliest rows, or groups, train, the latest test
        recipe: what is taken for settings that are left open: table, an ensemble that was measured on tables, or plain, one simple network; default: table for one training on a table of your own, plain for all else
        net: mlp (layers of units), cnn (convolutions, for pictures), or your own network: FILE.py:NAME (an nn.Module, its class or a function that makes one), with arguments FILE.py:NAME(width=16); default: cnn for pictures of 8 pixels and more; mlp for all else, in studies, with faults, and where hidden is given alone
        channels: channels of each stage of convolutions (asks for net cnn); default: with pools, first kernel and stride by the size of the pictures, and with 4 groups of group norm and dropout 0.3
        kernel: size of the kernels: 1, 3, 5 or 7; one for all stages, or for each; default: 3
        stride: steps by which the kernels move; one for all stages, or for each; default: 1
        padding: zeros around the pictures: one number for all stages, or for each; default: same, half the kernel, so that a stride of 1 keeps the size
        pool: what each stage ends with, of squares of two by two: max (default), average or none; one for all stages, or for each
        head: what the linear layers get of the last stage: all numbers (flatten, default), or each channel's mean (average)
        blocks: residual blocks of two convolutions in each stage; default: 0
        group_norm: groups of channels that are normalised together after each convolution; default: none
        activation: activation between layers; default: relu
        dropout: share of units dropped while training
        dropout_spread: networks of an ensemble drop shares of their own, spread evenly up to dropout
        batch_norm: batch normalisation after every hidden layer, or after every convolution
        gates: learn a factor for each column of the table, which an update moves so many times as far as a weight, e.g. 6; 0: none
        plain_members: so many networks of an ensemble see no bins of the columns (needs gates)
        init: initialisation of the weights; default: torch's own
        ensemble: networks that are trained side by side, from seeds derived from the seed, and answer together: the mean of the best half by the validation metric
        clip_target: numbers that an ensemble answers stay within the range of the training rows'
        loss: what training makes small: cross_entropy, mse, ..., the class of a loss in torch.nn, or your own: FILE.py:NAME, a function of (output, target); default: from the task, with the reason
        label_smoothing: share taken from the right class; default: 0.05 for classes of pictures where the network is left open too
        class_weights: 'balanced', or one weight above 0 for each class, comma-separated
        quantiles: the shares of the targets that lie below what the loss quantile learns, e.g. .05,.5,.95; default: .1,.5,.9; the one nearest the median is the prediction
        optimizer: how weights follow from gradients: adam, adamw, sgd, the class of another in torch.optim, e.g. RMSprop, or your own: FILE.py:NAME
        lr: learning rate; default: 3e-3 for tables, 2e-3 for convolutional networks, 1e-3 for images by other ones; 'auto' tries many for a short while first (not in a sweep)
        momentum: momentum
        nesterov: Nesterov's momentum (needs momentum)
        betas: the two decay rates of the running means; default: 0.9,0.999
        eps: added to the root that an update is divided by
        weight_decay: L2 penalty; decay beside the gradient where the optimizer has that; 0.01 in the recipe table
        schedule: how the learning rate changes over the run: constant, cosine, ..., or your own: FILE.py:NAME, a function of (step, steps) or a class of torch.optim.lr_scheduler; default: constant, one-cycle for convolutional networks
        warmup: steps over which the learning rate rises to its value
        clip: largest norm of the gradient; larger ones are scaled down
        ema: evaluate and keep a running average of the weights, of which each update leaves this share, e.g. 0.98; 0: the weights themselves
        batch_size: rows per step, or 'full'; default: 32 for tables, 100 for images, 64 for convolutional networks
        epochs: passes over the training rows; default: at most 200 for tables, 10 for images, 5 for convolutional networks, for these at least 2,000 updates or 200 passes
        member_epochs: epochs of each network of an ensemble, e.g. 12,0,8, where they differ; of 0: it doesn't answer
        steps: updates, instead of epochs
        patience: stop after so many epochs without a better validation figure; 0: never; default: where neither epochs nor steps is given 20, for one cycle of convolutional networks 0; else 0
        metric: the validation figure that decides: loss, accuracy, ..., one of scikit-learn's, e.g. balanced_accuracy, or your own: FILE.py:NAME, a function of (truth, prediction)
        keep: weights to keep: best on validation rows (default), or last (default for one cycle of convolutional networks without patience or metric)
        shuffle: order of the training rows: new each epoch (each), shuffled once, as they stand (off), or in blocks of neighbours, for rows that a disk reads
        augment: how training pictures are changed anew in each epoch (with net cnn): none, or some of shift, crop, rotate, brightness, contrast, cutout and mixup, each with a strength if you like, e.g. shift=2,rotate; default: shift where a convolutional network learns classes of pictures of 15 pixels and more, else none
        flip: mirror every second training picture, left and right (with net cnn); default: no, except for one training on files of pictures, where a short trial decides
        device: auto, cpu, cuda or mps
        engine: kernel to train with; default: lanes where it can, else batched, else module
        precision: numbers that the layers compute with in training: float32, or bf16 by torch's autocast, with two or three digits (weights and figures stay float32; by the engine module)
        threads: threads to train with; only those of the engine module change bits; default: chosen
        refit: when the network is judged, train once more on all rows, held-back ones too, for as many epochs as the kept weights took: that network predicts and is exported; all figures stay the judged one's
        threshold: of two classes, from which probability on the second is predicted, found on validation rows: auto (shares of wrong rows of both count alike), or cost=FP:FN, what a wrong and a missed one cost, e.g. cost=1:5; default: 0.5
        time_limit: seconds that training may take, e.g. 60 or 1m30s: by the recipe table as many networks as fit into them are trained; what is measured and drawn afterwards comes on top
        coverage: the share of new rows whose truth lies in its interval of numbers, or in its set of classes, e.g. 0.8, found on validation rows; default: intervals of 0.9, no sets
        random_state: the seed; None: a new one at each fit
        """

class Regressor(_Regressor):
    """A network that predicts a number, for scikit-learn's tools. Parameters are settings of ``settings.spec``; None: chosen by the data.

    net: ``mlp(64, 32)``, ``cnn(16, 32)`` for X ``[N, C, H, W]``, FILE.py:NAME, or an ``nn.Module`` of your
    own, for X of any axes, instead of ``hidden``.
    validation: the share of the rows held back for early stopping. split_group, split_time: columns of X
    (``x1`` … of an array) by which these are whole groups, or the latest rows. random_state: the seed; None:
    a new one at each fit.

    After ``fit``: ``run_`` (the Run, in a temporary folder), ``module_`` (the network that predicts),
    ``n_iter_`` (epochs), ``loss_curve_`` (mean training loss of each epoch), ``n_features_in_``, and
    ``feature_names_in_`` if X has names.
    """
    def __init__(
        self,
        hidden: Sequence[int] | None = None,
        *,
        normalise: bool = True,
        kinds: Sequence[str] | str | Mapping[str, str] | None = None,
        impute: Literal["median", "mean"] = "median",
        inputs: Literal["plain", "bins"] = "plain",
        bins: int = 16,
        clip_inputs: float | None = None,
        target_means: bool = False,
        trees: int = 0,
        log_target: bool | None = None,
        validation: float | str | PathLike[str] | None = 0.15,
        split_group: str | int | Sequence[str] | None = None,
        split_time: str | int | Sequence[str] | None = None,
        recipe: Literal["table", "plain"] | None = None,
        net: str
        | PathLike[str]
        | Net
        | Callable[..., nn.Module]
        | nn.Module
        | Callable[[], nn.Module]
        | None = None,
        channels: Sequence[int] | int | None = None,
        kernel: Sequence[int] | int | None = None,
        stride: Sequence[int] | int | None = None,
        padding: Sequence[int] | int | Literal["same"] | None = None,
        pool: Literal["max", "average", "none"] | Sequence[Literal["max", "average", "none"]] | None = None,
        head: Literal["flatten", "average"] | None = None,
        blocks: int | None = None,
        group_norm: int | None = None,
        activation: Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "identity"]
        | str
        | None = None,
        dropout: float | None = None,
        dropout_spread: bool = False,
        batch_norm: bool = False,
        gates: float = 0.0,
        plain_members: int = 0,
        init: Literal["default", "kaiming", "xavier", "orthogonal", "zeros"] | None = None,
        ensemble: int = 1,
        clip_target: bool = False,
        loss: Literal[
            "cross_entropy",
            "bce",
            "mse",
            "l1",
            "huber",
            "poisson",
            "gamma",
            "tweedie",
            "quantile",
            "gaussian",
        ]
        | str
        | Callable[..., Any]
        | None = None,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | Literal["balanced"] | None = None,
        quantiles: Sequence[float] | None = None,
        optimizer: Literal["sgd", "adam", "adamw"] | str | Callable[..., Any] = "adam",
        lr: float | Literal["auto"] | None = None,
        momentum: float = 0.0,
        nesterov: bool = False,
        betas: Sequence[float] | None = None,
        eps: float = 1e-08,
        weight_decay: float = 0.0,
        schedule: Literal["constant", "cosine", "step", "one-cycle"] | str | Callable[..., Any] | None = None,
        warmup: int = 0,
        clip: float | None = None,
        ema: float = 0.0,
        batch_size: int | Literal["full"] | None = None,
        epochs: int | None = None,
        member_epochs: Sequence[int] | int | None = None,
        steps: int | None = None,
        patience: int | None = None,
        metric: Literal["loss", "accuracy", "f1_macro", "auc", "rmse", "mae", "r2"]
        | str
        | Callable[..., Any] = "loss",
        keep: Literal["best", "last"] | None = None,
        shuffle: Literal["each", "once", "off", "blocks"] = "each",
        augment: str | Sequence[str] | Mapping[str, float] | None = None,
        flip: bool | None = None,
        device: Literal["auto", "cpu", "cuda", "mps"] | str | torch.device = "auto",
        engine: Literal["module", "batched", "lanes"] | None = None,
        precision: Literal["float32", "bf16"] = "float32",
        threads: int | None = None,
        refit: bool = False,
        threshold: Literal["auto"] | str | None = None,
        time_limit: float | str | None = None,
        coverage: float | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        r"""The settings:
        normalise: bring every column to mean 0 and deviation 1, as on training rows
        kinds: what columns are, where it is mistaken: 'month=category,size=small<large'; number, boolean, category, one-hot, hashed, date, identifier, text, out (left out)
        impute: what stands for a missing number: the training rows' median or mean
        inputs: what the network sees of a number: itself (plain), or also how far up it lies in each of bins bins between the training rows' quantiles (bins)
        bins: bins of each number, with inputs bins
        clip_inputs: normalised numbers go so many deviations from their mean at most, e.g. 5
        target_means: the network also sees the target's mean over the training rows with the same number, or with the same of very many classes, where such means tell more than bins do
        trees: the network also sees what boosted decision trees answer, so many of them at most; a training row gets the answer of trees of other training rows
        log_target: learn the logarithm of a target above 0, so that errors count by their ratio; default: no, except for one training by the recipe table on a skewed target, where a short trial decides
        validation: share of rows that choices look at, or a file of them
        split_group: column whose groups are never parted (a person, a place); of photographs also a regular expression of their names: 'patient-(\d+)'
        split_time: column of times: the earliest rows, or groups, train, the latest test
        recipe: what is taken for settings that are left open: table, an ensemble that was measured on tables, or plain, one simple network; default: table for one training on a table of your own, plain for all else
        net: mlp (layers of units), cnn (convolutions, for pictures), or your own network: FILE.py:NAME (an nn.Module, its class or a function that makes one), with arguments FILE.py:NAME(width=16); default: cnn for pictures of 8 pixels and more; mlp for all else, in studies, with faults, and where hidden is given alone
        channels: channels of each stage of convolutions (asks for net cnn); default: with pools, first kernel and stride by the size of the pictures, and with 4 groups of group norm and dropout 0.3
        kernel: size of the kernels: 1, 3, 5 or 7; one for all stages, or for each; default: 3
        stride: steps by which the kernels move; one for all stages, or for each; default: 1
        padding: zeros around the pictures: one number for all stages, or for each; default: same, half the kernel, so that a stride of 1 keeps the size
        pool: what each stage ends with, of squares of two by two: max (default), average or none; one for all stages, or for each
        head: what the linear layers get of the last stage: all numbers (flatten, default), or each channel's mean (average)
        blocks: residual blocks of two convolutions in each stage; default: 0
        group_norm: groups of channels that are normalised together after each convolution; default: none
        activation: activation between layers; default: relu
        dropout: share of units dropped while training
        dropout_spread: networks of an ensemble drop shares of their own, spread evenly up to dropout
        batch_norm: batch normalisation after every hidden layer, or after every convolution
        gates: learn a factor for each column of the table, which an update moves so many times as far as a weight, e.g. 6; 0: none
        plain_members: so many networks of an ensemble see no bins of the columns (needs gates)
        init: initialisation of the weights; default: torch's own
        ensemble: networks that are trained side by side, from seeds derived from the seed, and answer together: the mean of the best half by the validation metric
        clip_target: numbers that an ensemble answers stay within the range of the training rows'
        loss: what training makes small: cross_entropy, mse, ..., the class of a loss in torch.nn, or your own: FILE.py:NAME, a function of (output, target); default: from the task, with the reason
        label_smoothing: share taken from the right class; default: 0.05 for classes of pictures where the network is left open too
        class_weights: 'balanced', or one weight above 0 for each class, comma-separated
        quantiles: the shares of the targets that lie below what the loss quantile learns, e.g. .05,.5,.95; default: .1,.5,.9; the one nearest the median is the prediction
        optimizer: how weights follow from gradients: adam, adamw, sgd, the class of another in torch.optim, e.g. RMSprop, or your own: FILE.py:NAME
        lr: learning rate; default: 3e-3 for tables, 2e-3 for convolutional networks, 1e-3 for images by other ones; 'auto' tries many for a short while first (not in a sweep)
        momentum: momentum
        nesterov: Nesterov's momentum (needs momentum)
        betas: the two decay rates of the running means; default: 0.9,0.999
        eps: added to the root that an update is divided by
        weight_decay: L2 penalty; decay beside the gradient where the optimizer has that; 0.01 in the recipe table
        schedule: how the learning rate changes over the run: constant, cosine, ..., or your own: FILE.py:NAME, a function of (step, steps) or a class of torch.optim.lr_scheduler; default: constant, one-cycle for convolutional networks
        warmup: steps over which the learning rate rises to its value
        clip: largest norm of the gradient; larger ones are scaled down
        ema: evaluate and keep a running average of the weights, of which each update leaves this share, e.g. 0.98; 0: the weights themselves
        batch_size: rows per step, or 'full'; default: 32 for tables, 100 for images, 64 for convolutional networks
        epochs: passes over the training rows; default: at most 200 for tables, 10 for images, 5 for convolutional networks, for these at least 2,000 updates or 200 passes
        member_epochs: epochs of each network of an ensemble, e.g. 12,0,8, where they differ; of 0: it doesn't answer
        steps: updates, instead of epochs
        patience: stop after so many epochs without a better validation figure; 0: never; default: where neither epochs nor steps is given 20, for one cycle of convolutional networks 0; else 0
        metric: the validation figure that decides: loss, accuracy, ..., one of scikit-learn's, e.g. balanced_accuracy, or your own: FILE.py:NAME, a function of (truth, prediction)
        keep: weights to keep: best on validation rows (default), or last (default for one cycle of convolutional networks without patience or metric)
        shuffle: order of the training rows: new each epoch (each), shuffled once, as they stand (off), or in blocks of neighbours, for rows that a disk reads
        augment: how training pictures are changed anew in each epoch (with net cnn): none, or some of shift, crop, rotate, brightness, contrast, cutout and mixup, each with a strength if you like, e.g. shift=2,rotate; default: shift where a convolutional network learns classes of pictures of 15 pixels and more, else none
        flip: mirror every second training picture, left and right (with net cnn); default: no, except for one training on files of pictures, where a short trial decides
        device: auto, cpu, cuda or mps
        engine: kernel to train with; default: lanes where it can, else batched, else module
        precision: numbers that the layers compute with in training: float32, or bf16 by torch's autocast, with two or three digits (weights and figures stay float32; by the engine module)
        threads: threads to train with; only those of the engine module change bits; default: chosen
        refit: when the network is judged, train once more on all rows, held-back ones too, for as many epochs as the kept weights took: that network predicts and is exported; all figures stay the judged one's
        threshold: of two classes, from which probability on the second is predicted, found on validation rows: auto (shares of wrong rows of both count alike), or cost=FP:FN, what a wrong and a missed one cost, e.g. cost=1:5; default: 0.5
        time_limit: seconds that training may take, e.g. 60 or 1m30s: by the recipe table as many networks as fit into them are trained; what is measured and drawn afterwards comes on top
        coverage: the share of new rows whose truth lies in its interval of numbers, or in its set of classes, e.g. 0.8, found on validation rows; default: intervals of 0.9, no sets
        random_state: the seed; None: a new one at each fit
        """

class _Changes(TypedDict, total=False):
    hidden: Sequence[int] | int | Literal["none"]
    """units of the hidden layers, e.g. 64,32; 'none' for a linear network; default: 64,32 for tables, 128,128 for images, after convolutions 64 where channels is left open too, else none. Alone, without net, it asks for an mlp, of images too"""
    activation: Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "identity"] | str
    """activation between layers; default: relu"""
    dropout: float
    """share of units dropped while training"""
    loss: (
        Literal[
            "cross_entropy",
            "bce",
            "mse",
            "l1",
            "huber",
            "poisson",
            "gamma",
            "tweedie",
            "quantile",
            "gaussian",
        ]
        | str
        | Callable[..., Any]
    )
    """what training makes small: cross_entropy, mse, ..., the class of a loss in torch.nn, or your own: FILE.py:NAME, a function of (output, target); default: from the task, with the reason"""
    label_smoothing: float
    """share taken from the right class; default: 0.05 for classes of pictures where the network is left open too"""
    optimizer: Literal["sgd", "adam", "adamw"] | str | Callable[..., Any]
    """how weights follow from gradients: adam, adamw, sgd, the class of another in torch.optim, e.g. RMSprop, or your own: FILE.py:NAME"""
    lr: float
    """learning rate; default: 3e-3 for tables, 2e-3 for convolutional networks, 1e-3 for images by other ones; 'auto' tries many for a short while first (not in a sweep)"""
    momentum: float
    """momentum"""
    nesterov: bool
    """Nesterov's momentum (needs momentum)"""
    betas: Sequence[float]
    """the two decay rates of the running means; default: 0.9,0.999"""
    eps: float
    """added to the root that an update is divided by"""
    weight_decay: float
    """L2 penalty; decay beside the gradient where the optimizer has that; 0.01 in the recipe table"""
    schedule: Literal["constant", "cosine", "step", "one-cycle"] | str | Callable[..., Any]
    """how the learning rate changes over the run: constant, cosine, ..., or your own: FILE.py:NAME, a function of (step, steps) or a class of torch.optim.lr_scheduler; default: constant, one-cycle for convolutional networks"""
    warmup: int
    """steps over which the learning rate rises to its value"""
    clip: float | None
    """largest norm of the gradient; larger ones are scaled down"""
    ema: float
    """evaluate and keep a running average of the weights, of which each update leaves this share, e.g. 0.98; 0: the weights themselves"""
    batch_size: int | Literal["full"]
    """rows per step, or 'full'; default: 32 for tables, 100 for images, 64 for convolutional networks"""
    epochs: int
    """passes over the training rows; default: at most 200 for tables, 10 for images, 5 for convolutional networks, for these at least 2,000 updates or 200 passes"""
    steps: int
    """updates, instead of epochs"""
    patience: int
    """stop after so many epochs without a better validation figure; 0: never; default: where neither epochs nor steps is given 20, for one cycle of convolutional networks 0; else 0"""
    keep: Literal["best", "last"]
    """weights to keep: best on validation rows (default), or last (default for one cycle of convolutional networks without patience or metric)"""
    shuffle: Literal["each", "once", "off", "blocks"]
    """order of the training rows: new each epoch (each), shuffled once, as they stand (off), or in blocks of neighbours, for rows that a disk reads"""
    seed: int
    """seed of initialisation and dropout"""
    data_seed: int
    """seed of the split and the order; default: the seed"""
    as_taught: bool
    """the beginners' loop with both its faults, to see what they do"""
    fault: (
        Literal["missing_zero_grad", "softmax_before_cross_entropy"]
        | Sequence[Literal["missing_zero_grad", "softmax_before_cross_entropy"]]
    )
    """one fault on purpose: missing_zero_grad or softmax_before_cross_entropy"""

class _ChangesOfBranch(_Changes, total=False):
    name: str
    """name of the run's folder in ./runs; default: wine-1, wine-2, ..."""
    out: str | PathLike[str]
    """the run's folder itself (must not exist, or be empty)"""
