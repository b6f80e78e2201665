"""MNIST against published figures: Keras's and scikit-learn's examples with their own settings."""

import time
from collections.abc import Sequence
from statistics import mean

import torch

import treino as tr
from benchmarks.mnist_files import there
from benchmarks.result import Result, Table
from benchmarks.timing import budget, threads
from treino.base.errors import TreinoError
from treino.engine import TrainingLoop

KERAS = "https://github.com/keras-team/keras/blob/2.3.0/examples/mnist_mlp.py (98.40 % after 20 epochs)"
SKLEARN = "https://scikit-learn.org/stable/auto_examples/neural_networks/plot_mnist_filters.html (0.953)"


def run(quick: bool) -> Result:
    if not there():
        raise TreinoError("mnist_missing", "No MNIST in $TREINO_DATA.", "Put its four IDX files there.")
    seeds = range(1) if quick else range(3)
    data = tr.load("mnist", validation=0)
    x_ND, y_N = data.train.x, data.train.y
    test_x_ND, test_y_N = data.test.x, data.test.y
    if quick:
        x_ND, y_N = x_ND[:2_000], y_N[:2_000]
    net = tr.mlp(512, 512, dropout=0.2)
    keras = tr.train(
        (x_ND, y_N), net, lr=1e-3, batch_size=128, epochs=1 if quick else 8, seeds=seeds, shuffle="each"
    )
    seconds = _drain(keras)
    keras_S = _accuracy(keras, test_x_ND, test_y_N)
    count = tr.train((x_ND[:10], y_N[:10]), tr.mlp(256)).parameters
    learned, theirs = _scikit_learn(seeds, quick)
    rows = (
        ("784-512-512-10, dropout 0.2, 8 epochs", *_cells(keras_S), "0.984", *_held(keras_S, 0.98)),
        ("784-40-10, scikit-learn's settings", *_cells(learned), "0.953", *_held(learned, 0.95)),
        ("the same by `MLPClassifier`, run here", *_cells(theirs), "0.953", "–", "–"),
    )
    columns = ("network", "mean test accuracy", "of each seed", "published", "budget", "kept")
    parameters = (("784-256-10", f"{count:,}", "203,530", "yes" if count == 203_530 else "no"),)
    return Result(
        (
            Table("Accuracy", columns, rows),
            Table("Parameters", ("network", "treino", "by hand", "equal"), parameters),
        ),
        "The larger one: all 60,000 training rows, pixels standardised by one mean and deviation, Adam lr "
        "1e-3, batch 128, the last weights (no row chooses anything), the official 10,000 test rows once. "
        f"{seconds / len(seeds):.0f} s a seed. The smaller one: `train_test_split(test_size=0.7, "
        "random_state=0)` of all 70,000 rows, pixels divided by 255, SGD lr 0.2 with Nesterov's momentum "
        "0.9, batch 200, 8 epochs, Xavier start, L2 1e-4 divided by the batch as scikit-learn does.",
        (
            "Keras's own optimizer (RMSprop) and its 20 epochs.",
            "Augmentation, convolutions: those reach more than 0.99.",
        ),
        (KERAS, SKLEARN),
        {
            "keras": round(mean(keras_S), 4),
            "sklearn": round(mean(learned), 4),
            "sklearn_here": round(mean(theirs), 4),
            "parameters": count,
        },
    )


def _scikit_learn(seeds: Sequence[int], quick: bool) -> tuple[list[float], list[float]]:
    import warnings

    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    raw = tr.load("mnist", validation=0, normalise=False)
    x_ND, y_N = torch.cat([raw.train.x, raw.test.x]), torch.cat([raw.train.y, raw.test.y])
    train_N, test_N = train_test_split(torch.arange(len(x_ND)).numpy(), random_state=0, test_size=0.7)
    if quick:
        train_N = train_N[:2_000]
    scale = 1 / float(x_ND.max())
    x_ND = x_ND * scale
    x, y, test_x, test_y = x_ND[train_N], y_N[train_N], x_ND[test_N], y_N[test_N]
    epochs = 1 if quick else 8
    training = tr.train(
        (x, y), tr.mlp(40), optimizer="sgd", lr=0.2, momentum=0.9, nesterov=True, weight_decay=1e-4 / 200,
        batch_size=200, epochs=epochs, init="xavier", seeds=seeds,
    )  # fmt: skip
    _drain(training)
    theirs = []
    for seed in seeds:
        peer = MLPClassifier(
            hidden_layer_sizes=(40,), max_iter=epochs, alpha=1e-4, solver="sgd", learning_rate_init=0.2,
            random_state=seed,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 8 iterations do not converge, and are not meant to
            peer.fit(x.numpy(), y.numpy())
        theirs.append(float(peer.score(test_x.numpy(), test_y.numpy())))
    return _accuracy(training, test_x, test_y), theirs


def _drain(training: TrainingLoop) -> float:
    begin = time.perf_counter()
    for _tick in training:
        pass
    return time.perf_counter() - begin


def _accuracy(training: TrainingLoop, x_ND: torch.Tensor, y_N: torch.Tensor) -> list[float]:
    with threads(1), torch.no_grad():
        outputs = [training.net(member)(x_ND) for member in range(len(training.status_P))]
    return [float((output_NC.argmax(1) == y_N).double().mean()) for output_NC in outputs]


def _cells(accuracy_S: Sequence[float]) -> tuple[str, str]:
    return f"{mean(accuracy_S):.4f}", ", ".join(f"{a:.4f}" for a in accuracy_S)


def _held(accuracy_S: Sequence[float], limit: float) -> tuple[str, str]:
    return budget(mean(accuracy_S), limit, at_most=False)
