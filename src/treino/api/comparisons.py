"""``sweep`` and ``study``: many networks compared by one call."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from treino.api.results import Study, Sweep
from treino.engine import MLP
from treino.errors import TreinoError
from treino.loop.loop import JobEvent, drained_folder
from treino.records.network_source import UserFiles
from treino.tracking.delivery import Tracking
from treino.tuning.study import study_events
from treino.tuning.sweep import sweep_events
from treino.words import _


def sweep(
    data: Any,
    space: Mapping[str, Any] | Sequence[str],
    *,
    members: int | None = None,
    strategy: str | None = None,
    eta: int | None = None,
    sampler: str | None = None,
    sampler_seed: int | None = None,
    max_time: float | None = None,
    until: tuple[str, float] | str | None = None,
    top: int | None = None,
    fresh: int | None = None,
    storage: str | None = None,
    parent: str | Path = "runs",
    name: str | None = None,
    out: str | Path | None = None,
    watch: Callable[[JobEvent], None] | None = None,
    track: str | Sequence[str] | None = None,
    on: str | None = None,
    gpus_per_chunk: float | None = None,
    **settings: Any,
) -> Sweep:
    """Train many networks on ``data`` as one program, keep the best, and judge it.

    space: what is tried, as ``{"lr": "1e-4..1e-1:log", "hidden": [(16,), (64, 32)]}``, or in the command
    line's words, one or a list of them: ``"lr=1e-4..1e-1:log"``. members: how many (256). strategy: none,
    halving (default) or hyperband; ``eta``: one in so many goes on. sampler: grid, random, sobol (default) or
    tpe (Optuna's, with its ``storage``). max_time: seconds. until: enough, as ``("accuracy", 0.95)``. top:
    how many are kept (10). fresh: fresh seeds for the judge (16; 0 for none). watch: a function that is told
    each event; ``treino.sweep`` takes ``True`` too: a table that updates in place in a notebook, figures that
    move in a terminal. track: trackers that are told of it. on: the cluster that trains, ``"ray"`` or
    ``"ray://HOST:PORT"``, to the same bits; gpus_per_chunk: GPUs of each of its tasks. settings: what all
    members share, as for ``fit``.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when everything is saved.
    """
    tracking = Tracking(track)
    events = sweep_events(
        data,
        space,
        parent=parent,
        name=name,
        out=out,
        settings=settings,
        networks=UserFiles(),
        members=members,
        strategy=strategy,
        eta=eta,
        sampler=sampler,
        sampler_seed=sampler_seed,
        max_time=max_time,
        until=until,
        top=top,
        fresh=fresh,
        storage=storage,
        on=on,
        gpus_per_chunk=gpus_per_chunk,
    )
    result = Sweep(drained_folder(tracking.events(events), watch))
    tracking.warn()
    return result


def study(
    data: Any,
    net: MLP | str | None = None,
    *,
    batch_sizes: Sequence[int | str] | None = None,
    until: Any = None,
    cells: Sequence[Any] = (),
    compare: Sequence[str] | str = (),
    seeds: int | None = None,
    parent: str | Path = "runs",
    name: str | None = None,
    out: str | Path | None = None,
    on: str | None = None,
    gpus_per_chunk: float | None = None,
    **settings: Any,
) -> Study:
    """Train several settings in turns, epoch by epoch, and compare what they take and where they get.

    batch_sizes: as ``[100, 20, 5]``. until: figures to be reached, as ``"loss=1.6"`` (of the training rows,
    as the loop prints it), ``"accuracy=0.9"`` (of the validation rows) or ``{"loss": 1.6, "accuracy": 0.9}``;
    nothing ends there, the epochs to it are counted. cells: single rows, as
    ``{"batch_size": 5, "lr": 1e-6}``. compare: settings to set to all of their values, as ``"normalise"``.
    ``optimizer`` and ``shuffle`` may be several. seeds: networks of each row, with seeds from ``seed`` on.
    ``as_taught=True``: every row once more with both faults of the beginners' loop; ``fault=``: with one.
    on, gpus_per_chunk: the cluster that trains, as for ``sweep``, several at the same time.
    settings: what all rows share, as for ``fit``.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when everything is saved.
    """
    if isinstance(net, nn.Module):
        raise TreinoError(
            "study_module",
            _("A study makes its network anew for every row."),
            _("Give mlp(64, 32), or net='FILE.py:NAME'."),
        )
    if isinstance(net, MLP):
        settings |= {n: getattr(net, n) for n in ("hidden", "activation", "dropout", "batch_norm", "gates")}
    elif net is not None:
        settings["net"] = net
    events = study_events(
        data,
        settings=settings,
        networks=UserFiles(),
        parent=parent,
        name=name,
        out=out,
        on=on,
        gpus_per_chunk=gpus_per_chunk,
        batch_sizes=batch_sizes,
        until=until,
        cells=cells,
        compare=compare,
        seeds=seeds,
    )
    return Study(drained_folder(events))
