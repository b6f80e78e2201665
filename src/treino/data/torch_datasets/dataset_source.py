"""Load the user's Dataset, IterableDataset or DataLoader: read it once, check it and split it."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.words import N_, _
from treino.data.dataset import Data, of_preparation
from treino.data.documents import InputArray, LoadArguments
from treino.data.links import Link
from treino.data.load_request import LoadRequest, drawn_shares
from treino.data.preparation.preparation import Preparation
from treino.data.rows import Rows, with_groups
from treino.data.source_kinds import is_dataset
from treino.data.split_requests import decide_parts, unnamed
from treino.data.splits import PARTS, EqualRows, first_equal
from treino.data.torch_datasets.first_pass import FirstPass, everything, look, name_of
from treino.data.torch_datasets.item import Labels, labels_again, labels_of

NUM_WORKERS_RANGE = Refusal(
    "num_workers is {n!r}, not a number of processes.", "Use 0 to read in the training's own process."
)
NUM_WORKERS_LOADER = Refusal(
    "num_workers is {n}, and the DataLoader has its own {own}.", "Leave it out, or change the loader."
)
ITEMS_OF_TABLE = Refusal(
    "The network was trained on a table, and items of a {kind} have no columns.",
    "Give a frame or a file with its columns.",
)
PARTS_TO_PREDICT = Refusal("Several parts can't be predicted at once.", "Give one of them.")
ITEMS_SIZE = Refusal(
    "Items hold {got} numbers, and those of the training {want}.", "Give items of the shape {shape}."
)
PART_SHAPE = Refusal(
    "Items of the {part} part have the shape {shape}, and those of training {first}.",
    "Give all parts the same transforms.",
    rule="item_shape",
)
PART_UNKNOWN = Refusal("A training has no part '{name}'.", "{hint}")
PART_TWICE = Refusal("The part {name} is given twice.", "{hint}", rule="part_unknown")
PART_TYPE = Refusal(
    "The part {name} is a {kind}, and no Dataset.",
    "Arrays become one by torch.utils.data.TensorDataset(x, y).",
)

EQUAL_ITEMS = (
    N_("Items that equal an earlier one: {n}; equal items are never parted."),
    N_("in all numbers"),
)
_FORM = '{"train": …, "validation": …, "test": …}'
_ALSO = {"training": "train", "val": "validation", "valid": "validation", "dev": "validation"}


def load_torch_dataset(request: LoadRequest, num_workers: int = 0) -> Data:
    """The Data of a Dataset or DataLoader, or of ``{"train": …, "validation": …, "test": …}`` of them.

    Items are (x, y), or dicts with an entry for each, which ``features=[x]`` and ``target=y`` name if their
    names are unusual. Items are used unchanged, except that image bytes are divided by 255 and a numeric
    target is standardised. All items are read once, to collect the classes and find faults. Items that never
    change, and validation and test rows, stay in memory, up to 1 GB; the rest is read again for every batch.

    request: it has shares of a Dataset's items, for splits that aren't given.
    num_workers: the number of processes that read a Dataset's items; a DataLoader has its own.

    Raises:
        TreinoError: arguments of tables; an item, with the line of the user's code that failed.
    """
    arguments = request.arguments
    parts = _parts_of(request.source)
    features, target, data_seed = arguments.features, arguments.target, arguments.data_seed
    _check_workers(num_workers, parts)
    seen = {
        part: look(of, features, target, data_seed, num_workers, keep=part != "train")
        for part, of in parts.items()
    }
    train = seen["train"]
    for part, first_pass in seen.items():
        if first_pass.item_shape != train.item_shape:
            raise PART_SHAPE(part=part, shape=list(first_pass.item_shape), first=list(train.item_shape))
    everything = [label for first_pass in seen.values() for label in first_pass.labels]
    kinds = labels_of(everything, arguments.task, train.class_names, _placed(seen))
    index = _split(train, kinds, seen, arguments)
    labels = [train.labels[i] for i in index["train"].tolist()]
    kinds = kinds.fitted(labels, train.place, arguments.link)
    rows, unit_of = {}, {part: _equal(each).units(arguments.duplicates) for part, each in seen.items()}
    for part, first_pass in seen.items():
        rows[part] = first_pass.rows(kinds, torch.arange(len(first_pass.labels)))
    for part, index_N in index.items():
        rows[part] = train.rows(kinds, index_N, keep=part != "train")
        unit_of[part] = unit_of["train"][index_N.numpy()] if part != "train" else unit_of[part]
    rows |= {part: with_groups(rows[part], unit_N) for part, unit_N in unit_of.items() if part != "train"}
    notes = [note for first_pass in seen.values() for note in first_pass.notes]
    if train.chance != "none" and any(p not in seen for p in index):
        text = _(
            "The random transforms of {name} were applied to validation and test items too, once. Give"
            " these as Datasets of their own without them: {form}."
        )
        notes.append(text.format(name=train.source.name, form=_FORM))
    no_x = torch.empty(0, train.item_shape.numel())
    none = Rows(no_x, kinds.encode([], train.place), torch.empty(0, dtype=torch.int64))
    read_here = ("target", "features", "task", "fold", "duplicates", "link", "validation", "test")
    used = {name: getattr(arguments, name) for name in read_here}
    return Data(
        name=name_of(parts["train"]),
        source=f"{name_of(parts['train'])}()",
        sha256=None,
        task_reason=kinds.reason,
        train=rows["train"],
        validation=rows.get("validation", none),
        test=rows.get("test", none),
        arguments=LoadArguments(**used, data_seed=data_seed, normalise=False, num_workers=num_workers),
        official_test="test" in parts,
        notes=tuple(dict.fromkeys(notes)),
        **of_preparation(_preparation(train, kinds, arguments.link)),
    )


def _preparation(train: FirstPass, kinds: Labels, link: Link) -> Preparation:
    """Of items that are used as they are."""
    shape, form = tuple(train.item_shape), train.source.form
    width, image = prod(shape), len(shape) > 1
    whole = InputArray(name="", shape=shape, dtype="int64")
    return Preparation(
        kind="image" if image else "table",
        features=tuple(f"{form.x or 'x'}{j + 1}" for j in range(width)),
        divisor=255.0 if train.pixels else 1.0,
        mean=(0.0,) * (1 if image else width),
        scale=(1.0,) * (1 if image else width),
        item_shape=shape,
        **kinds.fields(form.y or "target"),
        link=link,
        arrays=(whole,) if train.whole else (),
    )


def _parts_of(source: Any) -> dict[str, Any]:
    if not isinstance(source, Mapping):
        parts = source if isinstance(source, tuple | list) else (source,)
        names = [*PARTS, *map(str, range(len(PARTS) + 1, len(parts) + 1))]
        source = dict(zip(names, parts, strict=False))
    sources: dict[str, Any] = {}
    for name, part in source.items():
        if not is_dataset(part):
            raise PART_TYPE(name=name, kind=type(part).__name__)
        known = _ALSO.get(name, name)
        if known not in PARTS or known in sources:
            raise (PART_TWICE if known in PARTS else PART_UNKNOWN)(name=known, hint=nearest(name, PARTS))
        sources[known] = part
    if "train" not in sources:
        message = _("There is no part 'train' to learn from.")
        raise TreinoError("part_missing", message, _("Give {'train': dataset}."))
    return {name: sources[name] for name in PARTS if name in sources}


def _check_workers(workers: Any, parts: Mapping[str, object]) -> None:
    if isinstance(workers, bool) or not isinstance(workers, int) or not 0 <= workers <= 1024:
        raise NUM_WORKERS_RANGE(n=workers)
    loader = next((part for part in parts.values() if isinstance(part, DataLoader)), None)
    if loader is not None and workers and workers != loader.num_workers:
        raise NUM_WORKERS_LOADER(n=workers, own=loader.num_workers)


def _placed(seen: Mapping[str, FirstPass]) -> Callable[[int], str]:
    """A function that words the place of a label, given its index among the labels of all splits."""

    def place(row: int) -> str:
        for first_pass in seen.values():
            if row < len(first_pass.labels):
                return first_pass.place(row)
            row -= len(first_pass.labels)
        raise IndexError(row)

    return place


def _split(
    train: FirstPass, kinds: Labels, seen: Mapping[str, FirstPass], arguments: LoadArguments
) -> dict[str, Tensor]:
    """The item numbers of each split that is drawn from the training source. A stream can't be split.

    If the user gives a validation split but no test split, no test split is drawn.
    """
    every = torch.arange(len(train.labels))
    shares = drawn_shares(arguments, seen)
    if train.first_N is None or not (any(shares) or arguments.fold):
        if any(shares):
            lacking = _(" and ").join(p for p, s in zip(("validation", "test"), shares, strict=True) if s)
            text = _(
                "{name} comes as it comes and can't be parted: there are no rows for {parts}. Give {form}."
            )
            train.notes.append(text.format(name=train.source.name, parts=lacking, form=_FORM))
        return {"train": every}
    label_N = np.zeros(len(every), dtype=np.int64)
    if kinds.task == "classification":
        label_N = kinds.encode(train.labels, train.place).numpy()
    drawn = arguments.changed(validation=shares[0], test=shares[1])
    known = _equal(train), label_N, kinds.classes, train.notes, *EQUAL_ITEMS
    part_N = decide_parts([unnamed(len(every), train.source.name)], [], drawn, *known)
    return {
        name: torch.from_numpy(np.flatnonzero(part_N == number))
        for name, number in PARTS.items()
        if name == "train" or (part_N == number).any()
    }


def _equal(seen: FirstPass) -> EqualRows:
    """The equal items of a part; where these can't be seen, each is alone, and a note says so."""
    first_N = seen.first_N if seen.chance == "none" else None
    if first_N is None and seen.x is not None:
        first_N = first_equal(seen.x.double().numpy())
    if first_N is None:
        text = _("{name}: which items are equal can't be seen; each counts for itself.")
        text = text.format(name=seen.source.name)
        seen.notes += [] if text in seen.notes else [text]
        apart_N = np.arange(len(seen.labels))
        return EqualRows(apart_N, apart_N)
    codes: dict[str, int] = {}
    answer_N = np.array([codes.setdefault(repr(label), len(codes)) for label in seen.labels])
    return EqualRows.of(first_N, answer_N, None if seen.x is None else seen.x.T.numpy())


def to_predict(source: Any, preparation: Preparation) -> tuple[Tensor, Tensor | None]:
    """Return x ``[N, D]`` of all items to predict, and their y, or None if they have no targets."""
    if preparation.normalise or preparation.programs:
        raise ITEMS_OF_TABLE(kind=type(source).__name__)
    if isinstance(source, Mapping | tuple | list):
        raise PARTS_TO_PREDICT()
    x, labels = everything(source, preparation.features[0][:-1], preparation.target)
    if x.shape[1] != len(preparation.features):
        raise ITEMS_SIZE(got=x.shape[1], want=len(preparation.features), shape=list(preparation.item_shape))
    if labels is None:
        return x, None
    return x, labels_again(preparation).encode(labels, lambda row: _("item {i}").format(i=row))
