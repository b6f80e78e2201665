"""Bags: sets of row weights; each member of a population trains with one of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor

from treino.base.errors import Refusal, TreinoError
from treino.base.words import _, joined
from treino.data.preparation.preparation import Scale
from treino.data.rows import Rows
from treino.engine.inputs import tensor_of

WEIGHTS_SHAPE = Refusal(
    "The weights of rows have the shape {shape}.",
    "They are [bags, rows]: one number for each of {rows} rows.",
)
WEIGHTS_RANGE = Refusal(
    "The weight of row {row} is {value:g}.{of_bag}",
    "Weights are numbers from 0 on, where 0 means that the row isn't there.",
)
BAG_ROWS = Refusal(
    "The rows of {n} bags have the shapes {shapes}, and there are {bags} bags.",
    "Give each bag x and y of the data's own shapes, and the same classes.",
)

OwnRows = Sequence[tuple[Tensor, Tensor]]  # (x, y) of each bag


@dataclass(frozen=True, eq=False)
class Bags:
    """Sets of row weights (bags). A row of weight w counts like w equal rows; a row of weight 0 is left out.

    weight_GN: ``[G, N]``, for the training rows. validation_GM: for validation rows; None: each counts 1.
    bag_P: the bag of each member; None: member p has bag p, or all have the only one. train_G, validation_G:
    the rows (x, y) as each bag's preparation makes them, in the order and shapes of the data's; None: the
    data's rows. scale_G: what turns errors into the unit of each target in each bag's preparation; None:
    the data's.

    own: each bag has different rows, such as those of a fold, in train_G and validation_G. Their numbers may
    differ as long as all have the same steps per epoch and no weights (weight_GN is None);
    a member's row order is then drawn for the number of its bag's rows.
    """

    weight_GN: Tensor | None
    validation_GM: Tensor | None = None
    bag_P: Sequence[int] | None = None
    train_G: OwnRows | None = None
    validation_G: OwnRows | None = None
    scale_G: Sequence[Sequence[Scale]] | None = None
    own: bool = False

    def __len__(self) -> int:
        return len(self.train_G or ()) if self.weight_GN is None else len(self.weight_GN)

    @property
    def rows_G(self) -> list[int]:
        """The number of training rows of each bag, if bags have rows of their own; else []."""
        return [len(y) for _x, y in self.train_G or ()] if self.own else []

    @cached_property
    def digest_G(self) -> tuple[str, ...]:
        """A digest of each bag's weights, which a saved state compares; "" for a bag with rows of its own."""
        if self.weight_GN is None or self.own:
            return ("",) * len(self)
        held_out = self.weight_GN[:, :0] if self.validation_GM is None else self.validation_GM
        return tuple(
            sha256(train.numpy().tobytes() + validation.numpy().tobytes()).hexdigest()[:16]
            for train, validation in zip(self.weight_GN, held_out, strict=True)
        )


def own_rows(parts: Sequence[tuple[Rows, Rows, Sequence[Scale]]], bag_P: Sequence[int]) -> Bags:
    """Make a bag of each (training rows, validation rows, number). The number is the deviation of the
    regression target, or of each target. bag_P: the bag of each member."""
    train_G, validation_G, scale_G = zip(*parts, strict=True)
    return Bags(
        _weights_of(train_G),
        _weights_of(validation_G),
        list(bag_P),
        [(rows.x, rows.y) for rows in train_G],
        [(rows.x, rows.y) for rows in validation_G],
        scale_G,
        own=True,
    )


def _weights_of(rows_G: Sequence[Rows]) -> Tensor | None:
    """The rows' weights ``[G, N]``; None if each counts 1."""
    weights = [rows.weight for rows in rows_G if rows.weight is not None]
    return torch.stack(weights) if weights else None


def checked_bags(
    bags: Bags, weights: Sequence[Tensor | None], rows: Sequence[tuple[Any, Tensor]], members: int
) -> Bags:
    """The bags as contiguous float32 on the CPU, times the data's own weights, with a bag for each member.

    weights: the data's own, for training and for validation rows; None: 1. rows: the data's training and
    validation rows (x, y).

    Raises:
        TreinoError: weights of another shape, negative or not finite; a bag without weights; a bag that isn't
            there; rows of a bag in another shape.
    """
    assert bags.weight_GN is not None
    counts = [len(y) for _x, y in rows]
    given = tensor_of("weight_GN", bags.weight_GN)
    G = len(given) if given.dim() == 2 else 1
    weight_GN = _weights(given, G, counts[0], weights[0])
    for own, (x, y) in zip((bags.train_G, bags.validation_G), rows, strict=True):
        _check_own(own, G, x, y, of_training=own is bags.train_G)
    validation_GM = bags.validation_GM
    held_out, own_M = counts[1], weights[1]
    if bags.validation_G:  # other rows than the data's
        held_out, own_M = len(bags.validation_G[0][1]), None
    if validation_GM is None and own_M is not None:
        validation_GM = torch.ones(G, held_out)
    if validation_GM is not None:
        validation_GM = _weights(tensor_of("validation_GM", validation_GM), G, held_out, own_M)
    for each, sentence in (
        (weight_GN, _("All training rows have the weight 0.{of_bag}")),
        (validation_GM, _("All validation rows have the weight 0.{of_bag}")),
    ):
        empty = [] if each is None else (each.sum(1) <= 0).nonzero().flatten().tolist()
        if empty and each is not None and each.shape[1]:
            raise TreinoError(
                "bag_empty",
                sentence.format(of_bag=_of_bag(empty[0], G)),
                _("Give at least one of them a weight above 0."),
            )
    usual = range(G) if G > 1 else [0] * members
    bag_P = list(usual if bags.bag_P is None else map(int, bags.bag_P))
    unknown = [bag for bag in bag_P if not 0 <= bag < G]
    if unknown or len(bag_P) != members:
        raise TreinoError(
            "bag_unknown",
            _("There is no bag {bag}; there are {n} bags.").format(bag=unknown[0], n=G)
            if unknown
            else _("{n} bags are given for {members} networks.").format(n=len(bag_P), members=members),
            _("Give each network the number of a bag; they count from 0."),
        )
    return replace(bags, weight_GN=weight_GN, validation_GM=validation_GM, bag_P=bag_P)


def _weights(given: Tensor, bags: int, rows: int, own_N: Tensor | None) -> Tensor:
    """Weights ``[G, N]`` as contiguous float32 on the CPU, multiplied by the rows' own weights."""
    weight_GN = given.cpu().float().contiguous()
    if weight_GN.shape != (bags, rows):
        raise WEIGHTS_SHAPE(shape=list(weight_GN.shape), rows=rows)
    weight_GN = weight_GN if own_N is None else weight_GN * own_N.cpu()
    wrong = (~((weight_GN >= 0) & weight_GN.isfinite())).nonzero()
    if len(wrong):
        bag, row = wrong[0].tolist()
        raise WEIGHTS_RANGE(row=row, value=float(weight_GN[bag, row]), of_bag=_of_bag(bag, bags))
    return weight_GN


def _check_own(own: OwnRows | None, bags: int, x: Any, y: Tensor, *, of_training: bool) -> None:
    """Refuse rows of each bag that don't fit the data's own x and y."""
    if own is None:
        return
    shapes = [(pair[0].shape, pair[1].shape) for pair in own]
    usual = (
        (x.shape, y.shape)
        if of_training
        else ((shapes[0][0][0], *x.shape[1:]), (shapes[0][1][0], *y.shape[1:]))
    )
    wrong = next((shape for shape in shapes if shape != usual), None)
    classes = not y.is_floating_point()
    if (
        len(own) != bags
        or wrong is not None
        or (of_training and classes and any(not y.equal(c) for _x, c in own))
    ):
        raise BAG_ROWS(
            n=len(own), shapes=[[list(s) for s in shape] for shape in dict.fromkeys(shapes)], bags=bags
        )


def _of_bag(bag: int, bags: int) -> str:
    return joined(["", _("That is bag {bag}.").format(bag=bag)], " ") if bags > 1 else ""
