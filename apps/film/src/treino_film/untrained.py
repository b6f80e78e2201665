"""Pictures of networks before their first step, side by side."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from treino.base.errors import Refusal
from treino.base.words import _
from treino.data import Data, in_memory
from treino.folders import OutputFolder, StoredRun, load_data, run_network
from treino.plots import score_text, style
from treino.settings import LAYERS, Settings, read_settings
from treino.training import resolve
from treino_film.figures import sheet_figure
from treino_film.frames import film_sight, view

UNTRAINED_RANGE = Refusal(
    "[[untrained]] draws 1 to {most} networks, and {n} were asked for.", "E.g. [[untrained=9]]"
)
UNTRAINED_OWN = Refusal(
    "{run} trained a network that can't be made anew with another seed.",
    "Look at a run of treino's own layers, or of [[net=FILE.py:NAME]].",
)

FILE = "untrained.png"
MOST = 36
RESOLUTION = 96


def untrained(source: Any, count: int, to: OutputFolder | None = None, **settings: Any) -> Path:
    """Draw ``count`` untrained networks with seeds seed, seed + 1, ... and return the picture's path.

    source: a run, for its data, settings and view; or data as in ``fit``, with ``settings``.
    to: the folder; default the run's ``pictures/``, or the working directory.

    Raises:
        TreinoError: a count out of range; a network that can't be constructed anew.
    """
    if not 1 <= count <= MOST:
        raise UNTRAINED_RANGE(most=MOST, n=count)
    run = source if isinstance(source, StoredRun) else None
    if to is None and run is None:
        to = OutputFolder(Path())
    if to is not None:
        to.check([FILE])
    requested, data = _of_run(run) if run else (read_settings(settings), None)
    data = in_memory(load_data(source, requested)) if data is None else data
    nets = [
        (seed, _net(requested, data, run, seed)) for seed in range(requested.seed, requested.seed + count)
    ]
    shape = run.item_shape if run else None
    seen = film_sight(run.module if run and run.folder.manifest.sealed else nets[0][1], data, shape)
    shown, captions = [], []
    for seed, net in nets:
        one = view(net, data, seen, RESOLUTION, shape)
        figure = score_text(one.score) or _("its output is not finite")
        shown.append(one)
        captions.append(_("seed {seed} · {figure}").format(seed=seed, figure=figure))
    title = _("{n} untrained networks: {name}").format(n=count, name=style.label(data.name, 40))
    sentence = _("They differ in nothing but the seed of their first weights; none has seen a row.")
    content = style.png(sheet_figure(shown, captions, title, [sentence]))
    if to is not None:
        return to.write(FILE, content)
    assert run is not None  # without ``run``, ``to`` is given
    return run.folder.write_bytes(f"pictures/{FILE}", content)


def _of_run(run: StoredRun) -> tuple[Settings, Data]:
    if run.folder.kind != "run" or run.spec.net == "given":
        raise UNTRAINED_OWN(run=run.name)
    return read_settings(run.asked_settings), run.data


def _net(requested: Settings, data: Data, run: StoredRun | None, seed: int) -> nn.Module:
    own = None
    if run is not None and run.spec.net not in LAYERS:
        access = replace(run.access, net=run.access.net_file)
        own = run_network(run.folder, run.spec.net, requested.net, access, seed)
    changed = requested.explicit
    changed |= {"seed": seed, "ensemble": 1}
    if run is not None:
        changed |= {name: run.settings[name] for name in ("engine", "threads", "device")}
    return resolve(read_settings(changed), data, own).training.net(0, "last")
