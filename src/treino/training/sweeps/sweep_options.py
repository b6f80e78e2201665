"""The options of a sweep besides its members' settings, and its search space, as typed or in a file."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.words import N_, _
from treino.folders.store.output_files import refuse_run
from treino.settings.spec import LAYERS
from treino.training.goals import goal_of
from treino.training.search.halving import STRATEGIES
from treino.training.search.samplers import SAMPLERS
from treino.training.search.space import Choice, Config, Dimension, Space
from treino.training.sweeps.populations import settings_of

MAX_TIME_RANGE = Refusal(
    "max_time_range",
    N_("max_time is {value} seconds: nothing can be trained in that."),
    N_("Give the seconds that it may take, e.g. 60."),
)
STORAGE_SAMPLER = Refusal(
    "storage_sampler",
    N_("The storage is Optuna's, and the sampler is {name}."),
    N_("Add [[sampler=tpe]], or leave [[storage]] out."),
)
SPACE_FILE = Refusal(
    "space_file",
    N_("The space is in {file}, and {other} stands beside it."),
    N_("Put all of it into the file, or all on the command line."),
)
SPACE_FILE_2 = Refusal(
    "space_file", N_("{path} can't be read: {why}."), N_("Write the path from the working directory.")
)
SPACE_FILE_3 = Refusal(
    "space_file", N_("{path} is not TOML: {why}."), N_('Write e.g.: lr = "1e-4..1e-1:log"')
)

TPE = "tpe"
TPE_AT_ONCE = 32  # members sampled together, before their results are known
_SQLITE_FILE = re.compile(r"sqlite[^:]*:///(file:)?(?P<path>[^?]+).*")  # as in sqlite:///sweep.db


@dataclass(frozen=True)
class SweepOptions:
    """members: number of networks. strategy: none, halving or hyperband. eta: 1/eta of the members go on.

    sampler: grid, random, sobol or tpe, with its seed. max_time: seconds. until: (metric, value); the sweep
    ends when one member reaches it. top: number of networks kept. fresh: number of fresh seeds and splits for
    the judge (0: none). storage: the storage of Optuna's trials. spread: select no winner and report how
    metrics vary; ``until`` then ends nothing, but the steps to it are counted. ensemble: places of the
    ensemble, see ``greedy_ensemble``; 1: the winner predicts alone.
    """

    space: Space
    members: int = 256
    strategy: str = "halving"
    eta: int = 3
    sampler: str = "sobol"
    sampler_seed: int = 0
    max_time: float | None = None
    until: tuple[str, float] | None = None
    top: int = 10
    fresh: int = 16
    storage: str | None = None
    spread: bool = False
    ensemble: int = 1

    def to_json(self) -> dict[str, Any]:
        """All options, as stored to resume the sweep."""
        return asdict(self) | {"space": self.space.to_json()}


def sweep_options(space: Space, values: Mapping[str, Any]) -> SweepOptions:
    """Read and check the sweep's own options.

    Raises:
        TreinoError: an unknown name or strategy, a number out of range, no time at all.
    """
    named = {name: value for name, value in values.items() if value is not None}
    if "until" in named:
        named["until"] = goal_of(named["until"])
    for name, least in (("members", 1), ("eta", 2), ("top", 1), ("fresh", 0), ("sampler_seed", 0)):
        if name in named and (isinstance(named[name], bool) or not isinstance(named[name], int)):
            raise TreinoError(
                f"{name}_type",
                _("{name} is {value!r}, not a whole number.").format(name=name, value=named[name]),
                _("Give a whole number."),
            )
        if named.get(name, least) < least:
            raise TreinoError(
                f"{name}_range",
                _("{name} must be at least {least}; it is {value}.").format(
                    name=name, least=least, value=named[name]
                ),
                _("Give a larger number."),
            )
    if not named.get("max_time", 1) > 0:
        raise MAX_TIME_RANGE(value=named["max_time"])
    options = SweepOptions(space, **named)
    for name, known in (("strategy", STRATEGIES), ("sampler", {**SAMPLERS, TPE: None})):
        value = getattr(options, name)
        if value not in known:
            raise TreinoError(
                f"{name}_unknown",
                _("There is no {name} {value!r}.").format(name=name, value=value),
                nearest(str(value), known),
            )
    if options.storage is not None and options.sampler != TPE:
        raise STORAGE_SAMPLER(name=options.sampler)
    if file := _SQLITE_FILE.fullmatch(options.storage or ""):
        refuse_run(Path(file["path"]))
    return options


def space_of(words: Sequence[str]) -> Sequence[str] | dict[str, Any]:
    """The space's words unchanged; for a single file ``NAME.toml``, its names and values.

    Raises:
        TreinoError: the file is missing, can't be read, or isn't TOML (with the line).
    """
    files = [w for w in words if w.endswith(".toml") and "=" not in w]
    if not files:
        return list(words)
    if len(words) > 1:
        raise SPACE_FILE(file=files[0], other=next(w for w in words if w != files[0]))
    path = Path(files[0])
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SPACE_FILE_2(path=path, why=error.strerror) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SPACE_FILE_3(path=path, why=error) from None


def network_words(base: Mapping[str, Any], space: Space, configs: Iterable[Config] = ()) -> list[str | None]:
    """The user's network files in these settings, each as FILE.py:NAME, or None.

    base: settings shared by all members. configs: settings of single members.
    """
    choices = [d.domain.values or () for d in space.dimensions if d.name == "net"]
    values: list[Any] = [value for values in choices for value in values]
    words = [str(value) for value in values if value is not None and str(value) not in LAYERS]
    own = [settings_of(config, base, n).net_file for n, config in enumerate(configs) if "net" in config]
    return [settings_of({}, base, 0).net_file, *words, *own]


def renamed_space(space: Space, words: Mapping[str, str]) -> Space:
    """The space with each network's file renamed by ``words``, ``{old: new}``."""

    def other(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(words.get(str(value), value) for value in values)

    def renamed(d: Dimension) -> Dimension:
        if d.name == "net" and isinstance(d.domain, Choice):
            d = replace(d, domain=Choice(other(d.domain.values)))
        return replace(d, among=other(d.among)) if d.when == "net" else d

    return Space(tuple(renamed(d) for d in space.dimensions))
