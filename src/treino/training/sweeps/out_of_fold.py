"""Out-of-fold predictions: each row's prediction by the networks that weren't trained or chosen with it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from treino.base.document_fields import finite
from treino.base.errors import Refusal
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.preparation.preparation import Preparation
from treino.data.readers import ReaderOptions
from treino.data.rows import say
from treino.data.sources import read
from treino.data.splits import split_name
from treino.engine.ensemble import mean_output
from treino.engine.metrics import probabilities
from treino.folders.data_source import files_of
from treino.folders.documents.reading import read_document, read_preparation, read_sweep_spec, read_tensors
from treino.folders.documents.sweep import GoalSteps, Spread, SweepResult
from treino.folders.prediction import Prediction
from treino.folders.store import RunFolder
from treino.inspection.conformal import FoldScores, floor_of, true_class_scores
from treino.inspection.outputs import predicted_classes
from treino.training.sweeps.bracket import TrainingBracket, kept_answers
from treino.training.sweeps.sweep_members import SweepTraining

if TYPE_CHECKING:
    import pandas as pd

FOLDS_TARGETS = Refusal(
    "Out-of-fold predictions are of one target, and {sweep} has {n}.",
    "Train the folds of one of them: [[target={name}]].",
)
NO_FOLDS = Refusal(
    "{sweep} has no folds that were trained to their end.", "Train some: treino train DATA [[folds=10]]"
)

FILE = "folds/{}.safetensors"


def fold_answers(bracket: TrainingBracket) -> dict[str, Tensor]:
    """The kept networks' outputs for the test rows of their folds: ``member``, ``fold``, ``row``, ``group``
    and ``target`` ``[A]``, and ``output`` ``[A, C]`` (numbers in the target's unit); {} without folds.
    """
    fine = {m for m in bracket.figures() if "fold" in bracket.configs[m]}
    parts: dict[str, list[Tensor]] = {}
    for population, kept in kept_answers(bracket, fine, "test"):
        p, numbers = kept.data.preparation, not kept.data.classes
        y = p.values(kept.rows.y.double()) if numbers else kept.rows.y
        for place, output_NC in zip(kept.places, kept.output_RNC, strict=True):
            member = population.members[place]
            fold = int(str(bracket.configs[member]["fold"]).partition("/")[0])
            output = p.predictions(output_NC.double()) if numbers else output_NC.double()
            rows = {
                "member": torch.full((len(kept.rows),), member),
                "fold": torch.full((len(kept.rows),), fold),
                "row": kept.rows.index,
                "group": -1 - kept.rows.index if kept.rows.group is None else kept.rows.group,
                "output": output,
                "target": y,
            }
            for name, tensor in rows.items():
                parts.setdefault(name, []).append(tensor)
    return {name: torch.cat(some) for name, some in parts.items()}


def fold_notes(bracket: TrainingBracket) -> list[str]:
    """The memory that the folds' rows take, and which folds' training rows lack a class."""
    folds: dict[str, Data] = {}
    for population in bracket.populations:
        for member, data in zip(population.members, population.data_M, strict=True):
            if "fold" in bracket.configs[member]:
                folds.setdefault(str(bracket.configs[member]["fold"]), data)
    if not folds:
        return []
    size = sum(rows.x.nbytes + rows.y.nbytes for data in folds.values() for rows in data.splits.values())
    notes = [_("Each fold is prepared by its own training rows: {size} of rows.").format(size=say(size))]
    for fold, data in ((fold, one) for fold, every in folds.items() for one in every.by_target):
        there = set(data.train.y.unique().tolist()) if data.classes else set()
        if data.classes and len(there) < len(data.classes):
            names = ", ".join(name for code, name in enumerate(data.classes) if code not in there)
            notes.append(
                _(
                    "No training row of fold {fold} has them, so its network can't learn them: {names}."
                ).format(fold=fold, names=names)
            )
    return notes


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """N rows, in the order of the source, each predicted by the networks of the fold that tested on it.

    row, group: ``[N]`` int64, row numbers in the source, and equal for rows that no split parts. fold:
    ``[N]``, counted from 1. output: ``[N, C]`` float64, logits (for several seeds those of their mean
    probabilities), or numbers in the target's unit. target: ``[N]`` class numbers, or ``[N, 1]`` numbers in
    its unit. classes: the class names; () for numbers.
    preparation: that of one of the folds.
    """

    row: Tensor
    group: Tensor
    fold: Tensor
    output: Tensor
    target: Tensor
    classes: tuple[str, ...]
    preparation: Preparation

    def __len__(self) -> int:
        return len(self.row)

    def of_source(self, source: Any, reading: ReaderOptions) -> list[Prediction]:
        """A prediction for each row of the source, without a value for rows that were left out."""
        known, rows = {p.row: p for p in self.predictions}, int(self.row.max()) + 1
        if files_of(source):
            rows = len(read(source, reading, least_columns=1).columns[0])
        return [known.get(row, Prediction(row, None)) for row in range(rows)]

    def scores(self, fold_K: Sequence[int]) -> FoldScores:
        """The scores of the rows that these folds left out. fold_K: each predicting network's fold."""
        prep = self.preparation
        if self.classes:
            share_NC = probabilities(self.output).numpy()
            score_N = true_class_scores(share_NC, self.target.long().numpy())
        else:
            pair = (self.output, self.target)
            said, true = (value.log() if prep.target_log else value for value in pair)
            score_N = (said - true).abs()[:, 0].numpy()
        fold_N = self.fold.numpy()
        known_N = np.isin(fold_N, fold_K)
        score_M = np.where(np.isfinite(score_N), score_N, np.inf)[known_N]
        floor = None if self.classes else floor_of(float(self.target.min()), prep.target_scale)
        group = self.group[torch.from_numpy(known_N)]
        return FoldScores(score_M, fold_N[known_N], np.array(fold_K), floor, group)

    @property
    def predictions(self) -> list[Prediction]:
        """A prediction for each row."""
        places = zip(self.row.tolist(), self.fold.tolist(), strict=True)
        if not self.classes:
            return [
                Prediction(row, finite(value), fold=fold)
                for (row, fold), value in zip(places, self.output[:, 0].tolist(), strict=True)
            ]
        p_NC, winner_N = probabilities(self.output).tolist(), predicted_classes(self.output).tolist()
        return [
            Prediction(
                row,
                None if winner < 0 else self.classes[winner],
                dict(zip(self.classes, map(finite, p_C), strict=True)),
                fold=fold,
            )
            for (row, fold), winner, p_C in zip(places, winner_N, p_NC, strict=True)
        ]

    @property
    def frame(self) -> "pd.DataFrame":
        """A row for each: ``row``, ``fold``, ``prediction`` and, for classes, their probabilities."""
        import pandas as pd

        lines: list[dict[str, Any]] = []
        for p in self.predictions:
            shares = {f"probability_{name}": share for name, share in (p.probabilities or {}).items()}
            lines.append({"row": p.row, "fold": p.fold, "prediction": p.value} | shares)
        return pd.DataFrame(lines)


def out_of_fold(folder: RunFolder, brackets: int) -> OutOfFold:
    """The out-of-fold predictions in a folder. brackets: the number of brackets of the training.

    Raises:
        TreinoError: no folds were trained, or they haven't all ended.
    """
    spec = read_sweep_spec(folder)
    known = Preparation.from_document(read_preparation(folder))
    if targets := known.targets:
        raise FOLDS_TARGETS(sweep=folder.path.name, n=len(targets), name=targets[0].name)
    parts = [
        read_tensors(folder, FILE.format(number))[0]
        for number in range(brackets)
        if folder.has(FILE.format(number))
    ]
    parts = [tensors for tensors in parts if len(tensors)]
    if not parts:
        raise NO_FOLDS(sweep=folder.path.name)
    every = {name: torch.cat([tensors[name] for tensors in parts]) for name in parts[0]}
    return _by_row(every, tuple(spec.classes), known)


def _by_row(every: dict[str, Tensor], classes: Sequence[str], prep: Preparation) -> OutOfFold:
    """The predictions by row; several networks' predictions for a row become their mean."""
    rows, place_A = every["row"].unique(return_inverse=True)
    order_A = place_A.argsort(stable=True)
    count_N = torch.bincount(place_A, minlength=len(rows))
    first_N = order_A[count_N.cumsum(0) - count_N]
    output_NC = every["output"][first_N].clone()
    for count in count_N.unique().tolist():
        if count > 1:
            at = (count_N == count).nonzero().flatten()
            start = (count_N.cumsum(0) - count_N)[at]
            several = torch.stack([every["output"][order_A[start + k]] for k in range(count)])
            kind = "bce" if several.shape[-1] == 1 else "cross_entropy"  # with outputs of the same meaning
            output_NC[at] = mean_output(several, kind if classes else "mse")
    group_N, fold_N, target_N = (every[name][first_N] for name in ("group", "fold", "target"))
    return OutOfFold(rows, group_N, fold_N, output_NC, target_N, tuple(classes), prep)


# ---- the spread of every metric over seeds or folds

SPLITS = ("validation", "test")


def member_figures(bracket: TrainingBracket) -> dict[str, dict[str, dict[str, float]]]:
    """``{member: {split: {metric: value}}}`` of the kept weights of all members that didn't diverge; NaN if a
    metric is undefined on these rows."""
    fine = bracket.figures().keys()
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for split in SPLITS:
        for population, kept in kept_answers(bracket, fine, split):
            measured = kept.figures(population.training.loss_function)
            for at, place in enumerate(kept.places):
                of = figures.setdefault(str(population.members[place]), {})
                of[split] = {name: float(value[at]) for name, value in measured.items()}
    return figures


def with_spread(result: SweepResult, folder: RunFolder, sweep: SweepTraining) -> SweepResult:
    """The result of seeds or folds with the mean and standard deviation of every metric."""
    by_member: dict[str, dict[str, dict[str, float | None]]] = {}
    for number in range(sweep.done):
        by_member |= read_document(folder, f"figures/{number}.json")
    figures, notes = figure_spread(by_member), list(result.notes)
    count = sum(row["status"] != "diverged" for row in sweep.rows.last()) - len(by_member)
    if count and len(sweep.data.validation):  # their outputs aren't finite
        sentence = _("{n} of {of} networks have no validation {metric}, and are in no figure.")
        notes.append(sentence.format(n=count, of=len(sweep.configs), metric=sweep.metric))
    sentence = _(
        "{metric} is undefined on the {split} rows of {n} of {of} networks; its mean is of the others."
    )
    for split, spreads in figures.items():
        for metric, spread in spreads.items():
            if without := spread.values.count(None):  # such as AUC on rows of one class
                facts = {"metric": metric, "split": split_name(split), "n": without}
                notes.append(sentence.format(**facts, of=len(spread.values)))
    found: dict[str, Any] = {"kind": "spread", "figures": figures, "notes": tuple(notes)}
    return result.model_copy(
        update=found | ({} if sweep.options.until is None else {"reached": _reached(sweep)})
    )


def figure_spread(
    by_member: Mapping[str, Mapping[str, Mapping[str, float | None]]],
) -> dict[str, dict[str, Spread]]:
    """The spread of each metric by split. None, for a metric undefined on these rows, is ignored."""
    spread: dict[str, dict[str, Spread]] = {}
    order = sorted(by_member, key=int)
    for split in SPLITS:
        names = dict.fromkeys(n for m in order for n in by_member[m].get(split, {}))
        for name in names:
            values = [by_member[m][split][name] for m in order if split in by_member[m]]
            spread.setdefault(split, {})[name] = summary(values)
    return spread


def summary(values: Sequence[float | None]) -> Spread:
    """Statistics of the values that aren't None; all None if there are none."""
    v = torch.tensor([x for x in values if x is not None], dtype=torch.float64)
    return Spread(
        mean=float(v.mean()) if len(v) else None,
        std=float(v.std()) if len(v) > 1 else None,
        min=float(v.min()) if len(v) else None,
        max=float(v.max()) if len(v) else None,
        values=tuple(values),
    )


def _reached(sweep: SweepTraining) -> GoalSteps:
    """The number of steps that each network took to reach the requested metric value."""
    assert sweep.options.until is not None
    metric, value = sweep.options.until
    steps = [row.get("reached") for row in sweep.rows.last()]
    there = [s for s in steps if s is not None and not math.isnan(s)]
    return GoalSteps(
        metric=metric,
        value=value,
        steps=tuple(steps),
        min=min(there, default=None),
        median=median(there) if there else None,
        max=max(there, default=None),
        never=len(steps) - len(there),
    )
