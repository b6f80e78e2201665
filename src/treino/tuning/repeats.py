"""The same settings with several seeds or folds: how much figures vary; no best is chosen."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from treino.data.dataset import Data
from treino.engine.training_setup import no_validation_rows
from treino.errors import TreinoError
from treino.records.network_source import NetworkSource
from treino.search.space import Choice, Dimension, Space
from treino.spec import read_settings
from treino.tuning.sweep import sweep_events
from treino.words import _, setting


def repeat_space(seeds: int | None, folds: int | None, first_seed: int) -> tuple[Space, str]:
    """The seeds from ``first_seed`` on, the folds, or all of one on each of the other; and a word for them.

    Raises:
        TreinoError: fewer than two.
    """
    for name, count in (("seeds", seeds), ("folds", folds)):
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 2):
            raise TreinoError(
                f"{name}_range",
                _("{name} is {n}, and figures of a single network don't vary.").format(name=name, n=count),
                _("Give at least 2, e.g. 5."),
            )
    dimensions = []
    if folds is not None:
        dimensions.append(Dimension("fold", Choice(tuple(f"{i + 1}/{folds}" for i in range(folds)))))
    if seeds is not None:
        dimensions.append(Dimension("seed", Choice(tuple(range(first_seed, first_seed + seeds)))))
    return Space(tuple(dimensions)), "folds" if folds is not None else "seeds"


def repeat_events(
    source: Any,
    *,
    seeds: int | None = None,
    folds: int | None = None,
    until: Any = None,
    parent: str | Path = "runs",
    settings: Mapping[str, Any],
    networks: NetworkSource | None = None,
    data: Data | None = None,
    on: str | None = None,
    gpus_per_chunk: float | None = None,
) -> Iterator[Any]:
    """Train the same settings with ``seeds`` seeds, on ``folds`` folds, or both, as one sweep.

    until: a validation figure, such as ``accuracy=0.8``: the steps to it are counted. networks: where the
    file comes from that settings name as a network of the user's own. data: what ``load_data`` made of the
    source with these settings, where that was wanted before; folds split anew. on, gpus_per_chunk: the
    cluster that trains, see ``open_cluster``.

    Raises:
        TreinoError: bad input (status 2) or a failing machine (status 1).
    """
    shared = read_settings(settings)
    if until is not None and shared.validation == 0:
        raise no_validation_rows(setting("until", until))
    space, word = repeat_space(seeds, folds, shared.seed)
    base = {k: v for k, v in settings.items() if k not in ("name", "out")}
    if folds is not None:
        if "fold" in base or "test" in base:
            raise TreinoError(
                "folds_and_test",
                _("[[folds]] tests on one fold after the other, and {name} says which rows test.").format(
                    name=setting("fold" if "fold" in base else "test")
                ),
                _("Leave one of them out."),
            )
        base["fold"] = f"1/{folds}"
    count = len(space.grid)
    yield from sweep_events(
        source, space, parent=parent, name=shared.name, out=shared.out, settings=base,
        networks=networks, stem=word, members=count, strategy="none", sampler="grid",
        top=count, fresh=0, until=until, spread=True, data=data if folds is None else None,
        on=on, gpus_per_chunk=gpus_per_chunk,
    )  # fmt: skip
