"""The items of a Dataset: which of their parts are x and y, and their types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from treino.errors import TreinoError, nearest
from treino.words import _

Label = int | float | str | bool
_INPUTS = ("x", "image", "images", "img", "pixel_values", "input", "inputs", "features", "data", "signal")
_TARGETS = ("y", "label", "labels", "target", "targets", "class", "classes", "alvo", "classe")


@dataclass(frozen=True)
class ItemFormat:
    """The parts of an item that are x and y: names of a dict's entries, or None for the first and the second.

    alone: items are x without a target, which counts as 0.
    """

    x: str | None = None
    y: str | None = None
    alone: bool = False

    def pair(self, item: Any, where: str) -> tuple[Any, Any]:
        if self.alone:
            item = item[self.x] if isinstance(item, Mapping) else item
            return (item[0] if isinstance(item, tuple | list) and len(item) == 1 else item), 0
        if self.x is not None and isinstance(item, Mapping) and self.x in item and self.y in item:
            return item[self.x], item[self.y]
        if self.x is None and isinstance(item, tuple | list) and len(item) == 2:
            return item[0], item[1]
        raise TreinoError(
            "item_form",
            _("{where} is {what}, and not {wanted}.").format(
                where=where,
                what=_described(item),
                wanted=_("a pair (x, y)")
                if self.x is None
                else _("a dict with {x} and {y}").format(x=self.x, y=self.y),
            ),
            _(
                "Let the Dataset return a pair (x, y), or a dict; treino.load takes its names: {names}."
            ).format(names="features=['image'], target='label'"),
        )


def item_format(item: Any, features: Sequence[str] | None, target: str | None) -> ItemFormat:
    """Detect the format from the first item. features, target: names of a dict's entries, if they are
    unusual."""
    if not isinstance(item, Mapping):
        ItemFormat().pair(item, _("An item"))
        return ItemFormat()
    names = [str(name) for name in item]
    if features is not None and len(features) != 1:
        raise TreinoError(
            "item_features",
            _("features names {n} entries of an item, and x is one of them.").format(n=len(features)),
            _("Join them in the Dataset, or name one: {names}.").format(names=", ".join(names)),
        )
    names_xy = {"x": None if features is None else features[0], "y": target}
    for name in names_xy.values():
        if name is not None and name not in item:
            raise TreinoError(
                "item_entry",
                _("An item has no entry '{name}'.").format(name=name),
                nearest(name, names),
            )
    y = names_xy["y"] or next((n for n in names if n.lower() in _TARGETS and n != names_xy["x"]), None)
    x = names_xy["x"] or next((n for n in names if n.lower() in _INPUTS and n != y), None)
    if len(names) == 2 and (x is None) != (y is None):
        (other,) = (n for n in names if n not in (x, y))
        x, y = x or other, y or other
    if x is None or y is None:
        raise TreinoError(
            "item_entries",
            _("An item has the entries {names}; which of them are x and y?").format(names=", ".join(names)),
            _("Name them: treino.load(dataset, features=['{x}'], target='{y}').").format(
                x=x or names[0], y=y or names[-1]
            ),
        )
    return ItemFormat(x, y)


def as_numbers(value: Any, where: str) -> Tensor:
    """x of an item as a tensor. value: a tensor, array, number, list of them, or PIL image (becomes bytes,
    CHW)."""
    if not isinstance(value, Tensor):
        picture = hasattr(value, "mode") and hasattr(value, "getbands")
        try:
            array = np.asarray(value)
            if array.dtype.kind not in "biuf":
                raise TypeError(_("numbers are wanted"))
            if picture:
                array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
            value = torch.from_numpy(np.array(array))
        except (TypeError, ValueError) as error:
            raise TreinoError(
                "item_numbers",
                _("x of {where} is {what}: {error}.").format(
                    where=where, what=_described(value), error=str(error).rstrip(".")
                ),
                _("Return numbers: a tensor, an array or a picture."),
            ) from error
    if value.is_complex() or value.numel() == 0:
        raise TreinoError(
            "item_numbers",
            _("x of {where} is {what}.").format(where=where, what=_described(value)),
            _("Return real numbers, at least one."),
        )
    tensor: Tensor = value.detach().cpu()
    tensor = tensor if tensor.layout is torch.strided else tensor.to_dense()
    return tensor if tensor.dim() else tensor.reshape(1)


def as_label(value: Any, where: str) -> Label:
    """y of an item: a number, truth value or word."""
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    size = value.numel() if isinstance(value, Tensor) else getattr(value, "size", 0)
    if isinstance(value, Tensor | np.ndarray | np.generic) and size == 1:
        one = value.item()
        if isinstance(one, str | bool | int | float):
            return one
    if isinstance(value, tuple | list) and len(value) == 1:
        return as_label(value[0], where)
    raise TreinoError(
        "item_target",
        _("y of {where} is {what}, and not one number or word.").format(where=where, what=_described(value)),
        _("Return one value; of one-hot numbers y.argmax(). Items with no y can't be learned from."),
    )


def scaled(x_B: Tensor) -> Tensor:
    """x as float32. Bytes with two dimensions or more are pixels, and are divided by 255."""
    pixels = x_B.dtype == torch.uint8 and x_B.dim() > 2
    return x_B.float().div_(255) if pixels else x_B.float()


def _described(value: Any) -> str:
    if isinstance(value, Tensor | np.ndarray):
        return _("a {kind} of shape {shape}").format(kind=type(value).__name__, shape=list(value.shape))
    if isinstance(value, tuple | list):
        return _("a {kind} of {n}").format(kind=type(value).__name__, n=len(value))
    if isinstance(value, Mapping):
        return _("a dict with {names}").format(names=", ".join(map(str, value)))
    return _("a {kind}").format(kind=type(value).__name__)
