"""X-ray the rows of a run or of data, and test whether training without the suspected rows is better."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from treino.base.errors import Refusal
from treino.base.words import setting
from treino.data import Data, Rows
from treino.engine import METRICS, NO_VALIDATION_ROWS, with_net
from treino.folders import Access, StoredRun, files_trained_on, known_folder, load_data, read_from
from treino.inspection import (
    SURE,
    PairedTest,
    groups_of,
    paired_classes,
    paired_errors,
    predicted_classes,
    row_of,
)
from treino.inspection.outputs import outputs
from treino.settings import Settings, read_settings
from treino.training import SweepNetwork, TrainingSource, choose_recipe, open_run, parse_member, resolve
from treino_xray.row_influence import Influence, influence
from treino_xray.row_xray import RowXray, xray

ROWS_OF_RUN_SETTINGS = Refusal(
    "{run} is a run, whose data and settings are known.", "Leave {name} out, or name data."
)
NO_SUSPECTS = Refusal("No training row of {data} is suspected.", "There is nothing to leave out.")
SUSPECTS_OWN_NETWORK = Refusal(
    "The network is your own, and here only treino's are trained again.",
    "Leave [[drop_suspects]] out, and train it on the rows that are left yourself.",
)

LEAST_ENSEMBLE = 8  # least number of networks, with the suspects and without; a single one depends on chance


@dataclass(frozen=True, eq=False)
class RowSource:
    """Rows to x-ray, and the settings with which a network is trained on them. files: those that they were
    read from."""

    data: Data
    settings: Settings
    files: Sequence[Path] = ()


def row_source(name: str, access: Access, settings: Mapping[str, Any], *, compared: bool) -> RowSource:
    """The rows of the run, in its splits, else those of the data, of this name. settings: for data. compared:
    as ``source_of_data``.

    Raises:
        TreinoError: settings given for a run, which has its own; else as ``open_run`` and ``load_data``.
    """
    folder = name if parse_member(name) is not None else known_folder(name)
    if folder is None:
        return source_of_data(name, settings, compared=compared)
    if settings:
        raise ROWS_OF_RUN_SETTINGS(run=name, name=setting(next(iter(settings))))
    run: StoredRun = open_run(folder, access)
    own = run.asked if isinstance(run, SweepNetwork) else read_settings(run.asked_settings)
    return RowSource(run.data, own, files_trained_on(run.folder, access.data_file))


def source_of_data(source: Any, settings: Mapping[str, Any], *, compared: bool) -> RowSource:
    """The rows of a source. compared: whether trainings are compared, which needs validation rows; else all
    rows of the source are training rows, unless a share is requested."""
    whole = {} if compared else {"validation": 0.0, "test": 0.0}
    of = TrainingSource(source, partial(load_data, source))
    chosen = choose_recipe(read_settings(whole | dict(settings)), of)
    return RowSource(of.data, chosen, read_from(source))


@dataclass(frozen=True)
class SuspectTrial:
    """Training with the suspected rows and without them. dropped: how many of ``rows`` rows. test: the paired
    comparison on the validation rows, a with them, b without them."""

    dropped: int
    rows: int
    test: PairedTest

    @property
    def better(self) -> bool | None:
        """Whether training is better without them; None: the difference may be chance."""
        gained = (self.test.b - self.test.a) * METRICS[self.test.metric].better
        return None if self.test.p >= SURE else gained > 0


@dataclass(frozen=True, eq=False)
class RowCheck:
    """The x-ray, its duration in seconds, and the results of other requests."""

    xray: RowXray
    seconds: float
    influence: Influence | None
    trial: SuspectTrial | None


def check_rows(
    source: RowSource, *, networks: int | None = None, of: int | None = None, drop_suspects: bool = False
) -> RowCheck:
    """X-ray the rows.

    networks: default: as ``xray``. of: the row whose prediction is explained. drop_suspects: whether to train
    without them.

    Raises:
        TreinoError: as ``xray``, ``influence`` and ``without_suspects``; before anything is trained.
    """
    if of is not None:
        row_of(source.data, of)
    if drop_suspects:
        check_trial(source)
    begun = time.perf_counter()
    x = xray(source.data, networks=networks)
    seconds = time.perf_counter() - begun
    found = None if of is None else influence(x, of)
    return RowCheck(x, seconds, found, without_suspects(source, x) if drop_suspects else None)


def without_suspects(source: RowSource, x: RowXray) -> SuspectTrial:
    """Train with and without the suspected training rows, and compare on all validation rows.

    Raises:
        TreinoError: no validation rows; no suspects; a network of the user's own.
    """
    check_trial(source)
    data, settings = x.data, source.settings
    doubted = set(x.index_M[x.suspect_M & (x.split_M == 0)].tolist())
    kept = torch.tensor([row not in doubted for row in data.train.index.tolist()])
    if bool(kept.all()):
        raise NO_SUSPECTS(data=data.name)
    output_2NC = [_validated(data, rows, settings) for rows in (data.train, data.train[kept])]
    y, p, group_N = data.validation.y, data.preparation, groups_of(data.validation.group)
    if data.classes:
        a_N, b_N = ((predicted_classes(out_NC) == y).numpy() for out_NC in output_2NC)
        test = paired_classes(a_N, b_N, group_N=group_N)
    else:
        true_N1, each = p.values(y.double()), (p.predictions(out_NC.double()) for out_NC in output_2NC)
        a_N, b_N = ((said_N1 - true_N1)[:, 0].numpy() for said_N1 in each)
        test = paired_errors(a_N, b_N, group_N=group_N)
    return SuspectTrial(int((~kept).sum()), len(kept), test)


def check_trial(source: RowSource) -> None:
    """Refuse rows or settings with which training without suspects can't be compared."""
    if not len(source.data.validation):
        raise NO_VALIDATION_ROWS(what="[[drop_suspects]]")
    if source.settings.net not in (None, "mlp", "cnn"):
        raise SUSPECTS_OWN_NETWORK()


def _validated(data: Data, rows: Rows, settings: Settings) -> torch.Tensor:
    """``[N, C]``: outputs on the validation rows after training on these rows."""
    if settings.ensemble < LEAST_ENSEMBLE:
        settings = settings.model_copy(update={"ensemble": LEAST_ENSEMBLE})
    part = replace(data, train=rows)
    training = resolve(with_net(settings, part), part).training
    for _tick in training:
        pass
    shape = None if settings.net != "cnn" else data.item_shape
    return outputs(training.answer(), data.validation.x, item_shape=shape)
