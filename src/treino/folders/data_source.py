"""The data source of a run: where its rows came from, and how they are loaded again."""

import glob
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.files import damaged, relative, sha256
from treino.base.registry import registered
from treino.base.words import _
from treino.data import BUILTINS, load
from treino.data.dataset import SHARED, Data, splits_not_in_memory
from treino.data.documents import DataCopy, DataSource, LoadArguments, PreparationDocument, RowsFile
from treino.data.preparation.preparation import Preparation
from treino.data.prepared_cache import FOLDER
from treino.data.readers import ReaderOptions
from treino.data.readers.reader_options import as_reading
from treino.data.rows import IGNORED, Rows
from treino.data.source_kinds import AlbumTable, given_by_package, is_album
from treino.data.sources import BuiltinName
from treino.engine import KERNELS, LOSSES
from treino.engine.losses import link_for
from treino.engine.registries import REGISTRIES
from treino.folders.documents.reading import (
    read_document,
    read_preparation,
    read_run_spec,
    read_spec,
    read_tensors,
)
from treino.folders.documents.run_spec import RunSpec
from treino.folders.store import RunFolder
from treino.settings import recipes
from treino.settings.spec import OF_DATA, OF_FILES, Settings, read_settings

DATA_CHANGED = Refusal(
    "{path} is not the file that {run} was trained on: its SHA-256 differs.",
    "Give that file with [[data=FILE]], or train a new run on this one.",
)
PICTURES_CHANGED = Refusal(
    "The pictures in {path}, or their labels, are not those that {run} was trained on.",
    "Give those with [[data=FOLDER]], or train a new run on these.",
    rule=DATA_CHANGED.rule,
)
PREPARATION_DIFFERS = Refusal(
    "{name} is prepared differently now than when {run} was trained.",
    "Use the versions that are named in {path}.",
)
DATA_GONE = Refusal("{run} was trained on {path}, which is not there.", "Say where it is now: [[data=FILE]].")
DATA_NOT_KEPT = Refusal(
    "{run} keeps no copy of its rows: they were in memory only, and it was trained lean.",
    "Train without lean=True where the rows are wanted again.",
)
OUTPUTS_LOSS = Refusal(
    "The network has {outputs} outputs, not those of the loss {loss} for {classes} classes.",
    "The folder was changed. Take it again from where it came, or train again.",
)
ENTRY_ABSENT = Refusal(
    "The folder was made with the {what} '{name}', which is not installed here.",
    "Install {package}. {hint}",
)
DATA_IS_LOADED = Refusal(
    "The data is split and prepared already, so {name} comes too late.",
    "Give what the data is made from, or leave {name} out.",
)

# ---- the data source of a run

COPY = "data.safetensors"
ROWS = "x", "y", "index", "weight", "group"


def load_data(
    source: Any,
    settings: Settings,
    num_workers: int = 0,
    cache: Path | None = None,
    most_inputs: int | None = None,
    **held_back: Any,
) -> Data:
    """Call ``treino.data.load`` with the data settings; return a ``Data`` unchanged.

    most_inputs: with more inputs, numbers get no bins. held_back: ``validation`` and ``test``, if they are
    rows, not shares or files. cache: the folder in which a table larger than memory is prepared.
    """
    if isinstance(source, Data):
        added = recipes.TABLE if settings.recipe == "table" else {}
        late = sorted(
            name
            for name in settings.model_fields_set.intersection(OF_DATA)
            if name not in added or getattr(settings, name) != added[name]
        )
        if late:
            raise DATA_IS_LOADED(name=late[0])
        return source
    values = {name: getattr(settings, name) for name in OF_DATA} | held_back
    if settings.data_seed is None:
        values["data_seed"] = settings.seed
    link = link_for(settings, settings.loss)
    if link.kind != "identity":  # whole numbers are counts then, not classes
        values["task"] = settings.task or "regression"
    return load(
        source,
        **values,
        num_workers=num_workers,
        cache=cache,
        most_inputs=most_inputs,
        pictures=settings.net == "cnn",
        link=link,
    )


ALL_ROWS = "all/"  # where in a folder the rows of its refit are kept, if they were in memory only


def all_rows(
    source: Any, settings: Settings, load: LoadArguments, features: Sequence[str], cache: Path
) -> Data:
    """The rows of a refit: held-back rows train too, and the preparation is fitted on all. Rows in a file or
    an array of their own stay out.

    settings, load, features: those by which the judged run's rows were loaded, and its columns. cache: as for
    ``load_data``.
    """
    if isinstance(source, Data):
        raise DATA_IS_LOADED(name="refit")
    changes: dict[str, Any] = {"validation": 0.0, "test": 0.0, "fold": None, "split_column": None}
    changes |= {"inputs": load.inputs} | ({"features": tuple(features)} if load.split_column else {})
    return load_data(source, settings.model_copy(update=changes), load.num_workers, cache)


def all_rows_of(folder: RunFolder, source: Any, moved_to: str | Path | None = None) -> Data:
    """The rows of the refit of a run, from its folder, or the file or built-in that it names; from ``source``
    only if it is a Dataset, or if the folder keeps no copy of rows in memory.

    Raises:
        TreinoError: as ``data_of``.
    """
    spec = read_run_spec(folder)
    if folder.has(ALL_ROWS + COPY):
        return _copy_of(folder, read_preparation(folder, ALL_ROWS), ALL_ROWS)
    source = source_of(folder, source, moved_to)
    settings = read_settings(recorded_settings(folder, spec.asked, source))
    cache = prepared_beside(folder.path.resolve().parent)
    rows = all_rows(source, settings, spec.data.load, spec.facts.features, cache)
    if rows.sha256 != spec.data.sha256:
        raise _changed(folder, source)
    return rows


def prepared_beside(parent: str | Path, out: str | Path | None = None) -> Path:
    """The folder for tables larger than memory, beside the run's folder: all runs share it."""
    return Path(parent if out is None else os.path.dirname(os.path.realpath(out))) / FOLDER


def reference(data: Data, folder: Path) -> dict[str, Any]:
    """The ``data`` entry of ``spec.json``: a built-in's name, files relative to the run, or 'memory'."""

    def seen(path: str) -> str:
        return relative(Path(path).resolve(), folder.resolve())

    in_memory = [
        s for s in ("validation", "test") if getattr(data.arguments, s) is None and s not in data.files
    ]
    on_disk = data.sha256 is not None and not in_memory
    kind = "file" if on_disk else "builtin" if data.source in BUILTINS and not data.files else "memory"
    kind = "given" if kind == "memory" and splits_not_in_memory(data) else kind
    files = data.files.items() if kind == "file" else ()
    apart = {split: {"source": seen(path), "sha256": sha} for split, (path, sha) in files}
    return {
        "kind": kind,
        "name": data.name,
        "source": seen(data.source) if kind == "file" else data.source,
        "sha256": data.sha256 if kind == "file" else None,
        "load": data.arguments.to_json(),
        **({"written": dict(data.written)} if data.written else {}),
        **({"files": apart} if apart else {}),
    }


def files_of(source: Any) -> list[Path]:
    """The files that a source names or its pattern matches; none for a built-in or a frame."""
    from treino.data.readers.table_files import paths_of

    source = given_by_package(source)
    if not isinstance(source, str | os.PathLike) or source in BUILTINS:
        return []
    return [] if is_album(source) else paths_of(os.fspath(source))


def files_trained_on(folder: RunFolder, moved_to: str | Path | None = None) -> list[Path]:
    """The data files, and folders of photographs, that a run, a sweep or a study names, whether they exist or
    not."""
    files = read_from(moved_to)
    where = read_spec(folder).data if folder.has("spec.json") else None
    if where is not None and where.kind == "file":
        for source in (where.source, *(file.source for file in where.files.values())):
            files += read_from(folder.path / source)
    return files


def read_from(source: Any) -> list[Path]:
    """The files, or the folder or archive of photographs, that loading a source reads."""
    return [Path(source)] if is_album(source) else files_of(source)


def fold_place(fold: str) -> str:
    """Where in a folder the rows of this fold, such as 3/10, are kept, if they were in memory only."""
    return f"folds/{fold.partition('/')[0]}/"


def keep_copy(folder: RunFolder, data: Data, place: str = "") -> None:
    """Write prepared rows that exist only in memory to the run's folder. place: the sub-folder for a fold's
    rows and their preparation."""
    each = [(f"{s}.{a}", getattr(r, a)) for s, r in data.splits.items() for a in ROWS]
    tensors = {name: tensor for name, tensor in each if tensor is not None}
    folder.write_tensors(place + COPY, tensors, {})
    copy = DataCopy.model_validate({name: getattr(data, name) for name in DataCopy.model_fields})
    folder.write_json(f"{place}data.json", copy.to_json())
    if place:
        folder.write_json(f"{place}preparation.json", data.preparation.to_json())


def fold_of(folder: RunFolder, fold: str) -> Data:
    """The rows of a fold that were in memory only, as ``keep_copy`` wrote them.

    Raises:
        TreinoError: they were not kept, or are damaged.
    """
    return _copy_of(folder, read_preparation(folder, fold_place(fold)), fold_place(fold))


def data_of(folder: RunFolder, moved_to: str | Path | None = None) -> Data:
    """Load the run's data again: the same rows in the same splits.

    Raises:
        TreinoError: the file is gone, or is not the one that was trained on (by SHA-256), or is
            prepared differently by this version.
    """
    spec = read_spec(folder)
    where, stored = spec.data, read_preparation(folder)
    if where.kind in ("memory", "given"):  # "given" (a Dataset or DataLoader): only some rows
        return _copy_of(folder, stored)
    if where.kind == "builtin" and where.source not in BUILTINS:
        raise damaged(folder.path / "spec.json", _("there is no built-in {name}").format(name=where.source))
    source: str | Path = BuiltinName(where.source)
    arguments = where.load.to_json()
    if where.kind == "file":
        source = _located(folder, where, moved_to, None)
        if arguments.get("labels") is not None:
            arguments["labels"] = AlbumTable(arguments["labels"])
        arguments |= _recorded_files(folder, source)
    data = load(
        source,
        **arguments,
        max_memory=spec.asked.get("max_memory"),
        cache=prepared_beside(folder.path.resolve().parent),
        fitted=stored,
    )
    read = {name: digest for name, (_path, digest) in data.files.items()}
    if data.sha256 != where.sha256 or read != {name: file.sha256 for name, file in where.files.items()}:
        raise _changed(folder, source)  # one of several files
    if not data.preparation.agrees(stored):
        raise PREPARATION_DIFFERS(name=data.name, run=folder.path.name, path=folder.path / "spec.json")
    return data


def _recorded_files(folder: RunFolder, source: Path) -> dict[str, Path]:
    """Where the files are that a folder names beside the data, which are in ``source``: rows of a split, and
    labels."""
    files = read_spec(folder).data.files.items()
    return {name: _located(folder, file, None, source.parent) for name, file in files}


def recorded_settings(folder: RunFolder, settings: Mapping[str, Any], source: Any) -> dict[str, Any]:
    """A folder's settings for another training on its data. Where they name a file as it was typed once, they
    get the one whose digest the folder holds, or none: a folder may have any name in them.

    source: as ``source_of``, after ``data_of`` has checked it.
    """
    typed = {name: value for name, value in settings.items() if name in OF_FILES and name in OF_DATA}
    named = read_settings(typed).files
    rest = {name: value for name, value in settings.items() if name not in named}
    if not named or not isinstance(source, Path):
        return rest
    among_them = read_spec(folder).data.load.labels  # a table among the pictures
    own = {} if among_them is None else {"labels": among_them}
    own |= {name: str(path) for name, path in _recorded_files(folder, source).items()}
    return rest | {name: value for name, value in own.items() if name in named}


def _located(folder: RunFolder, where: DataSource | RowsFile, moved_to: Any, beside: Path | None) -> Path:
    """The present path of a file or a pattern: as stored, or in ``beside``. Refuse a changed file."""
    source = Path(os.path.normpath(folder.path / where.source) if moved_to is None else moved_to)
    if is_album(source):
        return source
    if beside is not None and not source.is_file():
        source = beside / source.name
    of_pattern = [] if source.is_file() else glob.glob(str(source))
    if not source.is_file() and not (of_pattern and all(Path(path).is_file() for path in of_pattern)):
        raise DATA_GONE(run=folder.path.name, path=source)
    if source.is_file() and sha256(source) != where.sha256:
        raise _changed(folder, source)
    return source


def _changed(folder: RunFolder, source: str | Path) -> TreinoError:
    if is_album(source):
        return PICTURES_CHANGED(path=source, run=folder.path.name)
    return DATA_CHANGED(path=source, run=folder.path.name)


def _copy_of(folder: RunFolder, stored: PreparationDocument, place: str = "") -> Data:
    if not folder.has(place + COPY):
        raise DATA_NOT_KEPT(run=folder.path.name)
    tensors, _metadata = read_tensors(folder, place + COPY)
    plain = read_document(folder, f"{place}data.json")
    prepared = stored.model_dump(mode="json", include=set(SHARED))
    if any(plain[name] != prepared[name] for name in SHARED):
        raise damaged(folder.path / place / "data.json", _("it is not of the same data as preparation.json"))
    preparation = Preparation.from_document(stored)
    _check_rows(tensors, plain, preparation, folder.path / place / COPY)
    for name in ("features", "classes", "item_shape", "notes"):
        plain[name] = tuple(plain[name])
    plain["arguments"] = LoadArguments.model_validate(plain["arguments"])

    def rows(split: str) -> Rows:
        names = [name for name in ROWS if f"{split}.{name}" in tensors]
        return Rows(**{name: torch.clone(tensors[f"{split}.{name}"]) for name in names})

    return Data(
        train=rows("train"),
        validation=rows("validation"),
        test=rows("test"),
        preparation=preparation,
        **plain,
    )


def _check_rows(
    tensors: Mapping[str, torch.Tensor], plain: Mapping[str, Any], preparation: Preparation, path: Path
) -> None:
    """Refuse rows whose sizes and types don't fit together, or with a class that doesn't exist."""
    wide, classes = math.prod(plain["item_shape"]), [len(one.classes) for one in preparation.by_target]
    several, axes = len(classes) > 1, preparation.target_shape
    for split in ("train", "validation", "test"):
        x, y, index = (tensors.get(f"{split}.{a}", torch.empty(())) for a in ("x", "y", "index"))
        fits = x.shape[1:] == (wide,) and len(x) == len(y) == len(index) if x.dim() * y.dim() else False
        fits = fits and x.dtype == torch.float32 and (index.dim(), index.dtype) == (1, torch.int64)
        columns = math.prod(axes) if axes else len(classes)
        fits = fits and (y.shape[1:] == (columns,) if y.dim() == 2 else not (several or axes))
        if fits and classes[0]:
            highest = torch.tensor(classes if several else classes[0])
            fits = (y.dim(), y.dtype) == (1 + (several or bool(axes)), torch.int64)
            known = y[y != IGNORED] if axes else y
            fits = fits and not bool(((known < 0) | (known >= highest)).any())
        elif fits:
            fits = (y.dim(), y.dtype) == (2, torch.float32)
        weight, group = tensors.get(f"{split}.weight"), tensors.get(f"{split}.group")
        fits = fits and (group is None or (group.shape, group.dtype) == ((len(y),), torch.int64))
        if fits and weight is not None:
            fits = (weight.shape, weight.dtype) == ((len(y),), torch.float32) and bool((weight > 0).all())
            fits = fits and bool(weight.isfinite().all())
        if not fits:
            raise damaged(path, _("its {split} rows don't fit together").format(split=_(split)))


def source_of(folder: RunFolder, data: Data | None = None, data_file: str | Path | None = None) -> Any:
    """The source of a sweep's or study's data; the loaded ``data`` if it was in memory only."""
    where = read_spec(folder).data
    if where.kind == "file":
        return Path(data_file) if data_file else Path(os.path.normpath(folder.path / where.source))
    return BuiltinName(where.source) if where.kind == "builtin" else data


# ---- checks of a folder's settings


def check_names(settings: Mapping[str, Any], packages: str = "") -> None:
    """Refuse a setting whose value isn't in its registry. packages: those that brought entries, in words.

    Raises:
        TreinoError: an unknown name; the hint has the nearest one.
    """
    if settings.get("engine") is not None:
        registered("engine", settings["engine"], KERNELS)
    for what, registry in REGISTRIES.items():
        name = settings.get(what)
        if name is not None and registry.find(name) is None:
            package = packages or _("the package that registers {entry}").format(entry=f"{what}.{name}")
            raise ENTRY_ABSENT(what=what, name=name, package=package, hint=nearest(str(name), registry))


def check_outputs(spec: RunSpec) -> None:
    """Refuse a run whose number of network outputs doesn't fit its loss.

    Raises:
        TreinoError: the folder was changed.
    """
    outputs, classes, loss = spec.outputs, len(spec.classes), spec.resolved.loss
    if classes and outputs != (LOSSES[loss].outputs or classes):
        raise OUTPUTS_LOSS(outputs=outputs, loss=loss, classes=classes)


def reading_like(data: DataSource) -> ReaderOptions:
    """The file format of new rows: options set in training stay; other options are detected again and, if the
    new rows are ambiguous, are those detected in the training rows. Missing-value words are always the
    training rows' words. A number in groups of thousands is refused where no training row has such groups.
    A row without any cell is a row as well."""
    stated, written = (
        None if reading is None else as_reading(reading.model_dump())
        for reading in (data.load.reading, data.written)
    )
    nothing = written.missing if written and written.missing else ()
    return replace(stated or ReaderOptions(), like=written, missing=nothing, keep_empty=True)
