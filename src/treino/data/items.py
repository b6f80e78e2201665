"""Items of the user's own Dataset: read one by one when they are needed, and named where they fail."""

import random
import sysconfig
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from treino.data.elsewhere import Batch
from treino.errors import TreinoError, nearest
from treino.words import _

Label = int | float | str | bool
Key = tuple[int, list[int]]  # epoch, item numbers
Encode = Callable[[Sequence[Label], Callable[[int], str]], Tensor]
STILL = -1  # the epoch of readings that are no part of an epoch: validation, test, the first look
_INPUTS = ("x", "image", "images", "img", "pixel_values", "input", "inputs", "features", "data", "signal")
_TARGETS = ("y", "label", "labels", "target", "targets", "class", "classes", "alvo", "classe")
_LIBRARIES = tuple(
    {str(Path(sysconfig.get_path(kind)).resolve()) for kind in ("stdlib", "purelib", "platlib")}
    | {str(Path(__file__).resolve().parents[1])}
)


@dataclass(frozen=True)
class Form:
    """Which parts of an item are x and y: names of a dict's entries; None: the first and the second.

    alone: items are x, and there are no targets; each counts as 0.
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


def form_of(item: Any, features: Sequence[str] | None, target: str | None) -> Form:
    """The form of all items by the first of them; the names of a dict's entries where they are not usual."""
    if not isinstance(item, Mapping):
        Form().pair(item, _("An item"))
        return Form()
    names = [str(name) for name in item]
    if features is not None and len(features) != 1:
        raise TreinoError(
            "item_features",
            _("features names {n} entries of an item, and x is one of them.").format(n=len(features)),
            _("Join them in the Dataset, or name one: {names}.").format(names=", ".join(names)),
        )
    asked = {"x": None if features is None else features[0], "y": target}
    for name in asked.values():
        if name is not None and name not in item:
            raise TreinoError(
                "item_entry",
                _("An item has no entry '{name}'.").format(name=name),
                nearest(name, names),
            )
    y = asked["y"] or next((n for n in names if n.lower() in _TARGETS and n != asked["x"]), None)
    x = asked["x"] or next((n for n in names if n.lower() in _INPUTS and n != y), None)
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
    return Form(x, y)


def as_numbers(value: Any, where: str) -> Tensor:
    """x of an item: a tensor, an array, a number, a list of them, or a picture as PIL has it (bytes, CHW)."""
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
    found: Tensor = value.detach().cpu()
    found = found if found.layout is torch.strided else found.to_dense()
    return found if found.dim() else found.reshape(1)


def as_label(value: Any, where: str) -> Label:
    """y of an item: one number, truth value or word."""
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, Tensor | np.ndarray | np.generic):
        numbers = value.detach().cpu().reshape(-1) if isinstance(value, Tensor) else value.reshape(-1)
        if len(numbers) == 1 and isinstance(numbers[0].item(), str | bool | int | float):
            return numbers[0].item()
    if isinstance(value, tuple | list) and len(value) == 1:
        return as_label(value[0], where)
    raise TreinoError(
        "item_target",
        _("y of {where} is {what}, and not one number or word.").format(where=where, what=_described(value)),
        _("Return one value; of one-hot numbers y.argmax(). Items with no y can't be learned from."),
    )


def scaled(x_B: Tensor) -> Tensor:
    """float32; bytes with two dimensions or more are pixels, and divided by 255."""
    pixels = x_B.dtype == torch.uint8 and x_B.dim() > 2
    return x_B.float().div_(255) if pixels else x_B.float()


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads items, here or in a worker process.

    chance: ``none``: items are always the same; ``seeded``: the same from the same seeds; ``free``: never.
    """

    dataset: Any
    name: str
    form: Form
    item_shape: tuple[int, ...] | None
    seed: int | None

    def __getitem__(self, key: Key) -> tuple[Tensor, list[Label]] | TreinoError:
        """x ``[B, *item]``, labels; an error is returned, for to raise it would strip it in a worker."""
        epoch, index = key
        xs, labels = [], []
        with own_chance(self.seed is not None):
            for i in index:
                if self.seed is not None:
                    _reseed(self.seed, epoch, i)
                where = _("item {i} of {name}").format(i=i, name=self.name)
                try:
                    item = self.dataset[i]
                except (Exception, SystemExit) as error:
                    return fails(error, where, _("Try it alone: dataset[{i}].").format(i=i))
                try:
                    x, y = self.form.pair(item, where)
                    xs.append(as_numbers(x, where))
                    labels.append(as_label(y, where))
                    self._check(xs[-1], where)
                except TreinoError as error:
                    return error
        return torch.stack(xs), labels

    def _check(self, x: Tensor, where: str) -> None:
        if self.item_shape is not None and tuple(x.shape) != self.item_shape:
            raise TreinoError(
                "item_shape",
                _("x of {where} has the shape {shape}, and that of the first one {first}.").format(
                    where=where, shape=list(x.shape), first=list(self.item_shape)
                ),
                _("Resize or pad in __getitem__, or give a DataLoader whose collate_fn does."),
            )
        if x.is_floating_point() and not bool(x.isfinite().all()):
            raise TreinoError(
                "item_not_finite",
                _("x of {where} holds numbers that are not finite.").format(where=where),
                _("Leave the item out, or fill the gap in __getitem__."),
            )


def read(reader: Reader, keys: Iterable[Key], workers: int = 0) -> Iterator[tuple[Tensor, list[Label]]]:
    """What the reader gives for each key, in this order; in worker processes that run ahead where asked."""
    answers: Iterable[Any]
    if workers:
        answers = torch.utils.data.DataLoader(
            reader,  # type: ignore[arg-type]
            batch_size=None,
            sampler=keys,
            num_workers=workers,
            collate_fn=_as_it_is,
            generator=torch.Generator(),  # its own, so that the global one is left alone
        )
    else:
        answers = map(reader.__getitem__, keys)
    for answer in answers:
        if isinstance(answer, TreinoError):
            raise answer
        yield answer


def _as_it_is(answer: Any) -> Any:
    return answer


class Items:
    """Rows of a Dataset that are read when they are needed; in place of ``Rows.x``.

    index_N: their item numbers. encode: labels -> y. chance: ``none``, ``seeded`` (an item is drawn anew
    in each epoch, from numbers that data seed, epoch and item number give) or ``free``.
    """

    steps = None  # batches are ours to make
    dtype = torch.float32

    def __init__(
        self,
        reader: Reader,
        index_N: Tensor,
        encode: Encode,
        workers: int,
        chance: Literal["none", "seeded", "free"],
        two: tuple[int, int],
    ) -> None:
        assert reader.item_shape is not None
        self._reader, self._index_N, self._encode = reader, index_N, encode
        self._workers, self._two, self.chance = workers, two, chance
        self.shape = torch.Size((len(index_N), int(np.prod(reader.item_shape))))

    @property
    def reproducible(self) -> bool:
        return self.chance != "free"

    @property
    def why(self) -> str:
        """What is to be said where it is not reproducible."""
        if self.reproducible:
            return ""
        return _(
            "two readings of an item of {name} differ, also from the same seeds of torch, NumPy and random"
        ).format(name=self._reader.name)

    def __len__(self) -> int:
        return len(self._index_N)

    def batches(self, visits: Iterable[tuple[int, Tensor]]) -> Generator[Batch, None, None]:
        """The batch of each (epoch, rows)."""
        keys = ((epoch, self._index_N[rows].tolist()) for epoch, rows in visits)
        for x, labels in read(self._reader, keys, self._workers):
            yield scaled(x).flatten(1), self._encode(labels, self._place)

    def parts(self, y: Tensor, rows: int) -> Iterator[Batch]:
        return self.batches((STILL, part) for part in torch.arange(len(self)).split(rows))

    def in_batches(self, y: Tensor, order_N: Tensor, batch_size: int) -> Iterator[Batch]:
        return self.batches((STILL, part) for part in order_N.split(batch_size))

    def split(self, rows: int) -> Iterator[Tensor]:
        return (x for x, _y in self.parts(torch.empty(0), rows))

    def two(self, y: Tensor) -> Batch:
        place = torch.tensor([(self._index_N == i).nonzero()[0, 0] for i in self._two])
        return self[place], y[place]

    def __getitem__(self, index: Any) -> Tensor:
        """A copy of these rows: a number, a slice, or a tensor of numbers or truth values."""
        rows = torch.arange(len(self))[index]
        if rows.dim() == 0:
            return self[rows.unsqueeze(0)][0]
        return torch.cat([x for x, _y in self.batches((STILL, part) for part in rows.split(64))])

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        assert dim == 0
        return self[index]

    def _place(self, row: int) -> str:
        return _("an item of {name}").format(name=self._reader.name)


def fails(error: BaseException, where: str, hint: str) -> TreinoError:
    """What the user's code raised, with the line of theirs that raised it; the error itself is its cause."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not str(Path(f.filename).resolve()).startswith(_LIBRARIES)]
    told = TreinoError(
        "item_fails",
        _("{where} raises {kind}: {error}{line}.").format(
            where=where[:1].upper() + where[1:],
            kind=type(error).__name__,
            error=str(error).strip().rstrip("."),
            line=_(" ({file}, line {line}, in {function}: {text})").format(
                file=Path(own[-1].filename).name,
                line=own[-1].lineno,
                function=own[-1].name,
                text=own[-1].line or "",
            )
            if own
            else "",
        ),
        hint,
    )
    told.__cause__ = error
    return told


@contextmanager
def own_chance(wanted: bool) -> Iterator[None]:
    """The global random numbers of torch, NumPy and random are put back afterwards."""
    if not wanted:
        yield
        return
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])
        random.setstate(before[2])


def _reseed(seed: int, epoch: int, item: int) -> None:
    number = int.from_bytes(sha256(f"{seed}/item/{epoch}/{item}".encode()).digest()[:8], "big") >> 1
    torch.default_generator.manual_seed(number)
    np.random.seed(number % 2**32)
    random.seed(number)


def _described(value: Any) -> str:
    if isinstance(value, Tensor | np.ndarray):
        return _("a {kind} of shape {shape}").format(kind=type(value).__name__, shape=list(value.shape))
    if isinstance(value, tuple | list):
        return _("a {kind} of {n}").format(kind=type(value).__name__, n=len(value))
    if isinstance(value, Mapping):
        return _("a dict with {names}").format(names=", ".join(map(str, value)))
    return _("a {kind}").format(kind=type(value).__name__)
