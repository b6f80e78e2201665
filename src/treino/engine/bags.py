"""Bags: sets of row weights, of which each member of a population learns one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor

from treino.errors import TreinoError
from treino.words import _

OwnRows = Sequence[tuple[Tensor, Tensor]]  # (x, y) of each bag


@dataclass(frozen=True, eq=False)
class Bags:
    """Sets of row weights (bags). A row counts as often as its weight says; one of weight 0 isn't there.

    weight_GN: ``[G, N]``, of the training rows. validation_GM: of the validation rows; None: each counts 1.
    bag_P: the bag of each member; None: member p has bag p, or all have the only one. train_G, validation_G:
    the rows (x, y) as each bag's preparation makes them, in the order and shapes of the data's own; None: the
    data's own. scale_G: a regression target's standard deviation in each bag's preparation; None: the data's.
    """

    weight_GN: Tensor
    validation_GM: Tensor | None = None
    bag_P: Sequence[int] | None = None
    train_G: OwnRows | None = None
    validation_G: OwnRows | None = None
    scale_G: Sequence[float] | None = None

    def __len__(self) -> int:
        return len(self.weight_GN)

    @cached_property
    def digest_G(self) -> tuple[str, ...]:
        """A digest of each bag's weights, by which a saved state knows them."""
        held_out = self.weight_GN[:, :0] if self.validation_GM is None else self.validation_GM
        return tuple(
            sha256(train.numpy().tobytes() + validation.numpy().tobytes()).hexdigest()[:16]
            for train, validation in zip(self.weight_GN, held_out, strict=True)
        )


def checked_bags(
    bags: Bags, weights: Sequence[Tensor | None], rows: Sequence[tuple[Any, Tensor]], members: int
) -> Bags:
    """The bags as contiguous float32 on the CPU, times the data's own weights, with a bag for each member.

    weights: the data's own, of training and validation rows, None: 1. rows: the data's training and
    validation rows (x, y).

    Raises:
        TreinoError: weights of another shape, negative or not finite; a bag without any; a bag that isn't
            there; rows of a bag in another shape.
    """
    counts = [len(y) for _x, y in rows]
    own_N, own_M = (None if weight is None else _weights(weight[None], 1, len(weight)) for weight in weights)
    G = len(bags)
    weight_GN = _weights(bags.weight_GN, G, counts[0])
    held_out = len(bags.validation_G[0][1]) if bags.validation_G else counts[1]
    validation_GM = None if bags.validation_GM is None else _weights(bags.validation_GM, G, held_out)
    for own, (x, y) in zip((bags.train_G, bags.validation_G), rows, strict=True):
        _check_own(own, G, x, y, of_training=own is bags.train_G)
    if own_N is not None:
        weight_GN = weight_GN * own_N
    if own_M is not None:
        validation_GM = own_M.expand(G, -1) if validation_GM is None else validation_GM * own_M
    for which, each in ((_("training"), weight_GN), (_("validation"), validation_GM)):
        if each is None or not each.shape[1]:
            continue
        empty = (each.sum(1) <= 0).nonzero().flatten().tolist()
        if empty:
            raise TreinoError(
                "bag_empty",
                _("All {which} rows have the weight 0{bag}.").format(which=which, bag=_of_bag(empty[0], G)),
                _("Give at least one of them a weight above 0."),
            )
    usual = range(members) if G > 1 else [0] * members
    bag_P = list(usual if bags.bag_P is None else map(int, bags.bag_P))
    if len(bag_P) != members or any(not 0 <= bag < G for bag in bag_P):
        raise TreinoError(
            "bag_unknown",
            _("The bags of {members} networks are {bags}, and there are {n} bags.").format(
                members=members, bags=bag_P, n=G
            ),
            _("Give each network the number of one; they count from 0."),
        )
    return replace(
        bags,
        weight_GN=weight_GN.contiguous(),
        validation_GM=None if validation_GM is None else validation_GM.contiguous(),
        bag_P=bag_P,
    )


def _weights(values: Tensor, bags: int, rows: int) -> Tensor:
    """Weights ``[G, N]`` as float32 on the CPU."""
    given = torch.as_tensor(values).detach().cpu()
    weight_GN = given.float() if not given.is_complex() else given.abs().fill_(torch.nan).float()
    if weight_GN.shape != (bags, rows):
        raise TreinoError(
            "weights_shape",
            _("The weights of rows have the shape {shape}.").format(shape=list(weight_GN.shape)),
            _("They are [bags, rows]: one number for each of {rows} rows.").format(rows=rows),
        )
    wrong = (~((weight_GN >= 0) & weight_GN.isfinite())).nonzero()
    if len(wrong):
        bag, row = wrong[0].tolist()
        raise TreinoError(
            "weights_range",
            _("The weight of row {row} is {value:g}{bag}.").format(
                row=row, value=float(weight_GN[bag, row]), bag=_of_bag(bag, bags)
            ),
            _("Weights are numbers from 0 on, where 0 means that the row isn't there."),
        )
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
        raise TreinoError(
            "bag_rows",
            _("The rows of {n} bags have the shapes {shapes}, and there are {bags} bags.").format(
                n=len(own), shapes=[[list(s) for s in shape] for shape in dict.fromkeys(shapes)], bags=bags
            ),
            _("Give each bag x and y of the data's own shapes, and the same classes."),
        )


def _of_bag(bag: int, bags: int) -> str:
    return _(", in bag {bag}").format(bag=bag) if bags > 1 else ""
