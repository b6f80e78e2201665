"""The x-ray of rows: many small networks, each trained on a random half of the rows, judge each row.

The networks that did not see a row predict it as a new row. If they contradict its label, the label may
be wrong: confident learning (Northcutt, Jiang & Chuang 2021, https://arxiv.org/abs/1911.00068), here with
out-of-bag predictions (Breiman 1996). If the networks that did see it fail too, nothing learns it (Feldman &
Zhang 2020, https://arxiv.org/abs/2008.03703).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.errors import Refusal
from treino.base.words import _
from treino.data import Data, ImageReader, compare_images, first_equal, in_memory
from treino.engine import (
    Bags,
    Population,
    TrainingLoop,
    check_training_rows,
    generator,
    is_picture,
    member_seeds,
    mlp,
    picture_shape,
    train,
)
from treino.inspection import ALL, ROW_UNKNOWN, patch_features, refuse_axes

if TYPE_CHECKING:
    import pandas as pd

XRAY_TARGETS = Refusal(
    "An x-ray of rows is of one target, and {data} has {n}.", "Name one of them: [[target=COLUMN]]."
)
XRAY_ROWS = Refusal(
    "An x-ray needs {least} training rows, and {data} has {n}.",
    "Half of fewer teaches a network nothing; look at these rows yourself.",
)
XRAY_ONE_CLASS = Refusal(
    "All training rows of {data} have the same {target}.", "There is nothing that a network could contradict."
)
XRAY_NETWORKS = Refusal("{n} networks are too few for an x-ray.", "Use {least} at least; {usual} are usual.")

NETWORKS, FEWEST_NETWORKS = 256, 8
FEWEST_ROWS = 20
MOST_ROWS = 50_000  # maximum number of training rows; if there are more, a sample is x-rayed
HIDDEN, LR, WEIGHT_DECAY, BATCH = 32, 5e-3, 1e-2, 128
EVERY, STEPS, PATIENCE = 20, 1500, 10  # steps between error checks; maximum; checks without a better error
LOOKED_AT = 2000  # rows that decide when the training ends
AXES = 128  # principal axes of the features of pictures
AT_ONCE = 20_000_000  # outputs in memory
FAR = 4.0  # a number is suspected from this many robust deviations on

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Halves:
    """The networks, and the training rows that each learned.

    training, population: the networks. x_ND, y: the training rows as the networks see them, ``y`` in the
    loss's form. seen_PN: ``[P, N]``: whether network p learned row n. weight_N: each row's weight for the
    networks that learn it. steps: the number of training steps.
    """

    training: TrainingLoop
    population: Population
    x_ND: Tensor
    y: Tensor
    seen_PN: Tensor
    weight_N: Tensor
    steps: int = 0

    def outputs(self, x_ND: Tensor) -> Tensor:
        """``[P, N, C]``"""
        return self.training.answers(self.population, x_ND)


@dataclass(frozen=True, eq=False, repr=False)
class RowXray:
    """The networks' predictions for M rows: training rows, then validation and test rows, which none learned.

    index_M: row numbers in the source. split_M: indices in ``ALL``. label_M: class numbers, or values in the
    target's own units, as are answer_M and spread_M.
    unseen_M: how many networks did not see the row. answer_M: the joint prediction of these. sure_M: for
    classes its probability. own_M: the label's probability. spread_M: for numbers the deviation among these
    networks.
    disagreement_M: for classes the share of these networks that contradict the label; for numbers the signed
    distance from answer to label in usual deviations. seen_disagreement_M: the same for the
    networks that saw the row; NaN if there is none.
    suspect_M: whether the label is suspected to be wrong. hard_M: whether networks that saw the row fail too.
    twin_M: the number of another row that is equal (for pictures: almost equal), from another split if there
    is one; -1: none.
    input_MD: the prepared rows. x_MD: the rows as the networks see them. halves: the networks. notes:
    sentences on what was left out.
    """

    data: Data
    index_M: Ints
    split_M: Ints
    label_M: Floats
    unseen_M: Ints
    answer_M: Floats
    sure_M: Floats
    own_M: Floats
    spread_M: Floats
    disagreement_M: Floats
    seen_disagreement_M: Floats
    suspect_M: Flags
    hard_M: Flags
    twin_M: Ints
    input_MD: Tensor
    x_MD: Tensor
    halves: Halves
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.index_M)

    def __repr__(self) -> str:
        facts = {"rows": len(self), "networks": self.networks, "suspects": len(self.suspects)}
        counts = ", ".join(f"{name}={count}" for name, count in facts.items())
        return f"{type(self).__name__}({self.data.name!r}, {counts})"

    @property
    def networks(self) -> int:
        return len(self.halves.seen_PN)

    @cached_property
    def doubt_M(self) -> Floats:
        """The order of suspicion: for classes 1 - the label's probability, for numbers its distance."""
        return 1 - self.own_M if self.data.classes else np.abs(self.disagreement_M)

    @cached_property
    def suspects(self) -> Ints:
        """Places of the rows whose label is suspected to be wrong, the most suspected first."""
        place_K = np.flatnonzero(self.suspect_M)
        return place_K[np.argsort(-self.doubt_M[place_K], kind="stable")]

    @property
    def crossing(self) -> int:
        """The number of rows with an equal, or almost equal, row in another split."""
        return self._unlike_twins(self.split_M)

    @property
    def contradicting(self) -> int:
        """The number of rows with an equal, or almost equal, row that has another label."""
        return self._unlike_twins(self.label_M)

    def _unlike_twins(self, value_M: NDArray[Any]) -> int:
        of = dict(zip(self.index_M.tolist(), value_M.tolist(), strict=True))
        pairs = zip(self.twin_M.tolist(), value_M.tolist(), strict=True)
        return sum(twin >= 0 and of[twin] != value for twin, value in pairs)

    def __getitem__(self, name: str) -> Sequence[Any]:
        return self.columns[name]

    def to_pandas(self) -> "pd.DataFrame":
        """All figures as a frame."""
        import pandas as pd

        return pd.DataFrame(self.columns)

    def place(self, row: int) -> int:
        """The place of the row with this number.

        Raises:
            TreinoError: there is no such row.
        """
        place_K = np.flatnonzero(self.index_M == row)
        if not len(place_K):
            raise ROW_UNKNOWN(
                data=self.data.name, n=row, low=int(self.index_M.min()), high=int(self.index_M.max())
            )
        return int(place_K[0])

    def name(self, place: int) -> str:
        """The row's number; for photographs, the file's name."""
        row = int(self.index_M[place])
        return self.data.place(row) if self.data.file_names else str(row)

    def written(self, value_K: Floats) -> list[Any]:
        """Labels as class names, or as numbers."""
        return [self.data.classes[int(v)] if self.data.classes else float(v) for v in value_K]

    @cached_property
    def columns(self) -> Mapping[str, Sequence[Any]]:
        """All figures by name, a value for each row."""
        classes = bool(self.data.classes)
        sure = {"sure": self.sure_M, "label_probability": self.own_M}
        named: dict[str, Any] = {
            "row": self.index_M,
            "split": [ALL[s] for s in self.split_M],
            "label": self.written(self.label_M),
            "suggested": self.written(self.answer_M),
            "suspect": self.suspect_M,
            "hard": self.hard_M,
            "disagreement": self.disagreement_M,
            "seen_disagreement": self.seen_disagreement_M,
            **(sure if classes else {"spread": self.spread_M}),
            "networks": self.unseen_M,
            "equal_row": [None if t < 0 else t for t in self.twin_M.tolist()],
        }
        return {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in named.items()}


def xray(
    data: Data,
    *,
    networks: int | None = None,
    steps: int = STEPS,
    seed: int = 0,
    threads: int | None = None,
    most_rows: int | None = None,
    holding: Sequence[int] = (),
) -> RowXray:
    """Train the networks on random halves of the training rows, for at most ``steps`` steps, and predict
    every row. networks: default: 256. most_rows: of more training rows, a sample is x-rayed, with those
    numbered in ``holding``.

    Raises:
        TreinoError: too few rows or networks, a single class, several targets.
    """
    data, notes, most_rows = in_memory(data), [], most_rows or MOST_ROWS
    networks = NETWORKS if networks is None else networks
    _check(data, networks)
    splits = {name: rows for name, rows in data.splits.items() if len(rows)}
    if len(data.train) > most_rows:
        order_N = torch.randperm(len(data.train), generator=generator(seed, "x-ray"))
        held_N = torch.isin(data.train.index, torch.tensor([*holding], dtype=torch.long))
        drawn = torch.cat([held_N.nonzero()[:, 0], order_N[~held_N[order_N]]])[:most_rows]
        splits["train"] = data.train[drawn.sort().values]
        sampled = _("{n:,} of {total:,} training rows are x-rayed.")
        notes.append(sampled.format(n=most_rows, total=len(data.train)))
    each = (rows.x for rows in splits.values())
    parts = [x if isinstance(x, Tensor) else x.index_select(0, torch.arange(len(x))) for x in each]
    first_M, twin_M = _twins(data, splits, parts)
    x_MD, N = torch.cat(_seen_inputs(data, parts)), len(splits["train"])
    y = torch.cat([rows.y for rows in splits.values()])
    seen_PN = random_halves(first_M[:N], networks, seed)
    weight_N = splits["train"].weight
    weight_N = torch.ones(N) if weight_N is None else weight_N
    halves = _trained(x_MD[:N], y[:N], seen_PN, weight_N, steps, seed, threads)
    seen_PM = torch.cat([seen_PN, seen_PN.new_zeros(networks, len(x_MD) - N)], 1)
    opinions = _of_classes if data.classes else _of_numbers
    split_M = np.repeat([ALL.index(name) for name in splits], [len(rows) for rows in splits.values()])
    return RowXray(
        data=data,
        index_M=torch.cat([rows.index for rows in splits.values()]).numpy(),
        split_M=split_M,
        unseen_M=(~seen_PM).sum(0).numpy(),
        twin_M=twin_M,
        input_MD=torch.cat(parts),
        x_MD=x_MD,
        halves=halves,
        notes=tuple(notes),
        **opinions(data, halves, x_MD, y, seen_PM),
    )


def _check(data: Data, networks: int) -> None:
    refuse_axes(data)
    if data.train.y.dim() > 1 and data.train.y.shape[1] > 1:
        raise XRAY_TARGETS(data=data.name, n=data.train.y.shape[1])
    check_training_rows(data)
    if len(data.train) < FEWEST_ROWS:
        raise XRAY_ROWS(least=FEWEST_ROWS, data=data.name, n=len(data.train))
    if len(data.train.y.unique()) < 2:
        raise XRAY_ONE_CLASS(data=data.name, target=data.target)
    if networks < FEWEST_NETWORKS:
        raise XRAY_NETWORKS(n=networks, least=FEWEST_NETWORKS, usual=NETWORKS)


# ---- the rows as the networks see them


def _seen_inputs(data: Data, parts: Sequence[Tensor]) -> list[Tensor]:
    """Each split's inputs: for a table, those without bins; for pictures, features of their patches."""
    if not is_picture(data.item_shape):
        plain = ~torch.tensor(data.input_bins)
        return [x[:, plain] if len(plain) == x.shape[1] else x for x in parts]
    shape = picture_shape(data.item_shape)
    features = patch_features(parts[0].float().view(-1, *shape))
    made = [features(x.float().view(-1, *shape)) for x in parts]
    mean, deviation = made[0].mean(0), made[0].std(0).clamp(min=1e-6)
    scaled = [(x - mean) / deviation for x in made]
    axes = torch.linalg.eigh((scaled[0].T @ scaled[0]).double())[1][:, -AXES:].float()
    on_axes = [x @ axes for x in scaled]
    return [x / on_axes[0].std() for x in on_axes]


def _twins(data: Data, splits: Mapping[str, Any], parts: Sequence[Tensor]) -> tuple[Ints, Ints]:
    """For each row, the place of the first row equal to it, and the number of another such row; -1: none."""
    images = data.image_parts() if data.picture_files is None else {}
    index_M = torch.cat([rows.index for rows in splits.values()]).numpy()
    if images and all(len(images[name].index_N) == len(rows) for name, rows in splits.items()):
        first_M = compare_images(ImageReader(list(images.values()), data.item_shape)).near_N
    else:
        first_M = first_equal(torch.cat(list(parts)).double().numpy())
    split_M = np.repeat(np.arange(len(splits)), [len(rows) for rows in splits.values()])
    twin_M = np.full(len(first_M), -1)
    order_M = np.argsort(first_M, kind="stable")
    for group in np.split(order_M, np.flatnonzero(np.diff(first_M[order_M])) + 1):
        for member in group if len(group) > 1 else ():
            others = group[group != member]
            apart = others[split_M[others] != split_M[member]]
            twin_M[member] = index_M[apart[0] if len(apart) else others[0]]
    return first_M, twin_M


# ---- training on halves


def random_halves(first_N: Ints, networks: int, seed: int) -> Tensor:
    """``[P, N]`` bool: the rows that each network learns. Every second network learns the rows that the one
    before it doesn't; equal rows, which have the same number in ``first_N``, stay together."""
    _groups, group_N = np.unique(first_N, return_inverse=True)
    group, chance = torch.from_numpy(group_N), generator(seed, "halves")
    halves = []
    for _pair in range(-(-networks // 2)):
        order_G = torch.randperm(int(group.max()) + 1, generator=chance)
        first = (order_G < len(order_G) // 2)[group]
        halves += [first, ~first]
    return torch.stack(halves[:networks])


def _trained(
    x_ND: Tensor, y: Tensor, seen_PN: Tensor, weight_N: Tensor, steps: int, seed: int, threads: int | None
) -> Halves:
    """Train until the error of the networks on rows that they did not see is smallest."""
    P, N = seen_PN.shape
    weights, seeds = seen_PN * weight_N, member_seeds(seed, P)
    training = small_networks(x_ND, y, weights, range(P), seeds, data_seed=seed, threads=threads, steps=steps)
    some_K = torch.randperm(N, generator=generator(seed, "looked at"))[: min(N, LOOKED_AT, AT_ONCE // P)]
    kept = Halves(training, training.kept_population(range(P)), x_ND, y, seen_PN, weight_N)
    best, left = np.inf, PATIENCE
    for tick in training:
        now = replace(kept, population=training.kept_population(range(P)), steps=tick.step)
        error = _error(now.outputs(x_ND[some_K]), y[some_K], ~seen_PN[:, some_K])
        if error < best:
            kept, best, left = now, error, PATIENCE
        elif (left := left - 1) == 0:
            break
    return kept


def small_networks(
    x_ND: Tensor,
    y: Tensor,
    weight_GN: Tensor,
    bag_P: Sequence[int],
    seeds: Sequence[int],
    *,
    data_seed: int = 0,
    threads: int | None = None,
    steps: int = STEPS,
) -> TrainingLoop:
    """A training of a network for each entry of ``bag_P``, with the row weights of its bag."""
    return train(
        (x_ND, y),
        mlp(HIDDEN),
        seeds=list(seeds),
        bags=Bags(weight_GN, bag_P=bag_P),
        every=EVERY,
        steps=steps,
        lr=LR,
        optimizer="adamw",
        weight_decay=WEIGHT_DECAY,
        batch_size=min(BATCH, max(16, len(x_ND) // 8)),
        data_seed=data_seed,
        threads=threads,
    )


def _error(output_PKC: Tensor, y_K: Tensor, unseen_PK: Tensor) -> float:
    """The error (log-loss or squared) of the mean prediction of the networks that did not see a row."""
    answer_PKC = output_PKC if y_K.is_floating_point() else output_PKC.softmax(2)
    mean_KC = _mean(answer_PKC, unseen_PK)
    known_K = unseen_PK.any(0)
    if y_K.is_floating_point():
        return float((mean_KC - y_K)[known_K].square().mean())
    return float(-mean_KC[known_K].gather(1, y_K[known_K, None]).clamp(min=1e-12).log().mean())


def _mean(value_PKC: Tensor, of_PK: Tensor) -> Tensor:
    """``[K, C]``: the mean over the networks marked for each row; NaN if none is marked."""
    share_PK = of_PK.to(value_PKC.dtype)
    return torch.einsum("pkc,pk->kc", value_PKC, share_PK) / share_PK.sum(0)[:, None]


# ---- the networks' predictions


def _asked(halves: Halves, x_MD: Tensor, of: Callable[[Tensor, slice], Tensor]) -> Floats:
    """``[M, …]``: the results of a function of the outputs ``[P, K, C]``, computed for some rows at once."""
    size = max(1, AT_ONCE // (len(halves.seen_PN) * halves.training.outputs))
    parts = [slice(first, first + size) for first in range(0, len(x_MD), size)]
    made: Floats = torch.cat([of(halves.outputs(x_MD[part]), part) for part in parts]).double().numpy()
    return made


def _of_classes(data: Data, halves: Halves, x_MD: Tensor, y_M: Tensor, seen_PM: Tensor) -> dict[str, Any]:
    def opinion(output_PKC: Tensor, part: slice) -> Tensor:
        share_PKC, seen_PK = output_PKC.softmax(2), seen_PM[:, part]
        wrong_PK1 = (share_PKC.argmax(2) != y_M[part]).float()[:, :, None]
        means = (_mean(share_PKC, ~seen_PK), _mean(wrong_PK1, ~seen_PK), _mean(wrong_PK1, seen_PK))
        return torch.cat(means, 1)

    told_MC = _asked(halves, x_MD, opinion)
    mean_MC = np.nan_to_num(told_MC[:, :-2], nan=1 / len(data.classes))
    wrong_M, seen_wrong_M = told_MC[:, -2:].T
    label_M, answer_M = y_M.numpy(), mean_MC.argmax(1)
    confident_M = confident_classes(mean_MC, label_M, len(halves.x_ND))
    return {
        "label_M": label_M.astype(float),
        "answer_M": answer_M.astype(float),
        "sure_M": mean_MC.max(1),
        "own_M": mean_MC[np.arange(len(label_M)), label_M],
        "spread_M": np.full(len(label_M), np.nan),
        "disagreement_M": wrong_M,
        "seen_disagreement_M": seen_wrong_M,
        "suspect_M": (confident_M >= 0) & (confident_M != label_M) & (answer_M != label_M),
        "hard_M": seen_wrong_M > 0.5,
    }


def confident_classes(mean_MC: Floats, label_M: Ints, learned: int) -> Ints:
    """``[M]``: the most probable of the classes whose probability is at least its mean over rows with that
    label; -1: none. learned: the number of first rows that the means are taken over."""
    count_C = np.bincount(label_M[:learned], minlength=mean_MC.shape[1])
    sum_C = np.bincount(
        label_M[:learned], mean_MC[np.arange(learned), label_M[:learned]], minlength=mean_MC.shape[1]
    )
    least_C = np.where(count_C > 0, sum_C / np.maximum(count_C, 1), np.inf)
    sure_MC = np.where(mean_MC >= least_C, mean_MC, -1.0)
    return np.where(sure_MC.max(1) >= 0, sure_MC.argmax(1), -1)


def _of_numbers(data: Data, halves: Halves, x_MD: Tensor, y_M: Tensor, seen_PM: Tensor) -> dict[str, Any]:
    def opinion(output_PK1: Tensor, part: slice) -> Tensor:
        value_PK1, seen_PK = output_PK1.double(), seen_PM[:, part]
        mean_K1 = _mean(value_PK1, ~seen_PK)
        spread_K1 = _mean((value_PK1 - mean_K1).square(), ~seen_PK).sqrt()
        return torch.cat([mean_K1, spread_K1, _mean(value_PK1, seen_PK)], 1)

    mean_M, spread_M, seen_M = _asked(halves, x_MD, opinion).T
    label_M, learned = y_M[:, 0].double().numpy(), len(halves.x_ND)
    usual = spread_M + np.nanmean(spread_M[:learned])  # scaled as an ensemble's prediction intervals are
    off_M, seen_off_M = (label_M - mean_M) / usual, (label_M - seen_M) / usual
    middle = 1.4826 * np.nanmedian(np.abs(off_M[:learned])) or 1.0
    prep, none_M = data.preparation, np.full(len(label_M), np.nan)
    return {
        "label_M": prep.values(label_M),
        "answer_M": prep.values(mean_M),
        "sure_M": none_M,
        "own_M": none_M,
        "spread_M": spread_M * prep.slope(prep.values(mean_M)),
        "disagreement_M": off_M / middle,
        "seen_disagreement_M": seen_off_M / middle,
        "suspect_M": np.abs(off_M / middle) > FAR,
        "hard_M": np.abs(seen_off_M / middle) > FAR,
    }
