"""What a network's outputs say of a number: the number, its mean's logarithm, quantiles, a distribution.

A loss has a link. Its targets are prepared for it, and whoever reads outputs as numbers applies it first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field

from treino.base.document_fields import Document, Many

if TYPE_CHECKING:  # commands that only list have neither torch nor numpy
    from torch import Tensor

LinkKind = Literal["identity", "exp", "quantiles", "normal"]
Level = Annotated[float, Field(gt=0, lt=1)]


def exponential(value: Any) -> Any:
    """e to the power of a tensor, an array or a number; infinite where it is too large."""
    if hasattr(value, "exp"):
        return value.exp()
    import numpy as np

    with np.errstate(over="ignore"):
        return np.exp(value)


def _logarithm(value: "Tensor") -> "Tensor":
    return value.log()


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class LinkForm:
    """numbers(outputs): what outputs say in prepared units. outputs: its inverse. centred: whether targets
    are prepared with mean 0 and deviation 1; else their mean is prepared as 1, and 0 stays 0. joint: whether
    several outputs are of one target. width: whether those beside the prediction say a width, which a mean is
    not added to."""

    numbers: Callable[[Any], Any] = _same
    outputs: Callable[[Any], Any] = _same
    centred: bool = True
    joint: bool = False
    width: bool = False


FORMS: dict[LinkKind, LinkForm] = {
    "identity": LinkForm(),
    "exp": LinkForm(exponential, _logarithm, centred=False),
    "quantiles": LinkForm(joint=True),
    "normal": LinkForm(joint=True, width=True),
}


class Units(NamedTuple):
    """The mean and the deviation by which each of K targets is prepared, ``[K]`` each."""

    mean_K: "Tensor"
    scale_K: "Tensor"


class Link(Document):
    """What outputs ``[..., C]`` say of a target. levels: of the quantiles that they are, in order. Of a
    normal distribution they are the mean and the logarithm of the variance."""

    kind: LinkKind = "identity"
    levels: Many[Level] = ()

    def agreeing(self) -> dict[str, bool]:
        ascending = all(low < high for low, high in pairwise(self.levels))
        return {"levels": ascending and bool(self.levels) == (self.kind == "quantiles")}

    @property
    def form(self) -> LinkForm:
        return FORMS[self.kind]

    @property
    def joint(self) -> bool:
        """Whether several outputs are of one target."""
        return self.form.joint

    @property
    def point(self) -> int:
        """The place of the output that is the prediction: the mean, or the quantile nearest the median."""
        return min(range(len(self.levels)), key=lambda k: abs(self.levels[k] - 0.5), default=0)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of ``further``."""
        quantiles = tuple(f"quantile_{level:g}" for level in self.levels)
        return ("deviation",) if self.form.width else quantiles

    def values(self, output: Any) -> Any:
        """The predicted numbers in prepared units: one for each target, ``[..., K]``."""
        numbers = self.form.numbers(output)
        return self._ordered(numbers)[..., self.point : self.point + 1] if self.joint else numbers

    def moved(self, output: "Tensor", own: Units, units: Units) -> "Tensor":
        """The outputs of a network that learnt targets in other units. own: those units."""
        factor_K = own.scale_K / units.scale_K
        if self.kind == "exp":
            return output + factor_K.log()
        number = (output * own.scale_K + own.mean_K - units.mean_K) / units.scale_K
        if not self.form.width:
            return number
        import torch

        return torch.cat([number[..., :1], output[..., 1:] + 2 * factor_K.log()], -1)

    def further(self, output: "Tensor") -> "dict[str, Tensor]":
        """The other numbers that outputs say of each row, in prepared units, by their names."""
        some = (output[..., 1:] / 2).exp() if self.form.width else self._ordered(output)
        return dict(zip(self.names, some.unbind(-1), strict=False))

    def _ordered(self, output: Any) -> Any:
        """Quantiles that don't cross: sorted ones are never farther from the true ones (Chernozhukov,
        Fernández-Val & Galichon 2010, https://doi.org/10.3982/ECTA7880)."""
        return output.sort(-1).values if self.kind == "quantiles" else output


@cache
def link_of(kind: LinkKind, levels: tuple[float, ...] = ()) -> Link:
    return Link(kind=kind, levels=levels)


IDENTITY = link_of("identity")
