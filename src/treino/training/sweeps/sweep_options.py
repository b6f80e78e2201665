"""The options of a sweep besides its members' settings, and its search space, as typed or in a file."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from treino.base.errors import Refusal
from treino.base.words import N_
from treino.folders.store.output_files import refuse_run
from treino.settings.options import SweepPlan, read_options
from treino.settings.spec import LAYERS
from treino.training.goals import goal_of
from treino.training.search.space import Choice, Config, Dimension, Space
from treino.training.sweeps.populations import settings_of

STORAGE_SAMPLER = Refusal(
    "storage_sampler",
    N_("The storage is Optuna's, and the sampler is {name}."),
    N_("Add [[sampler=tpe]], or leave [[storage]] out."),
)
SPACE_FILE_AND_WORDS = Refusal(
    "space_file",
    N_("The space is in {file}, and {other} stands beside it."),
    N_("Put all of it into the file, or all on the command line."),
)
SPACE_FILE_UNREADABLE = Refusal(
    "space_file", N_("{path} can't be read: {why}."), N_("Write the path from the working directory.")
)
SPACE_FILE_NO_TOML = Refusal(
    "space_file", N_("{path} is not TOML: {why}."), N_('Write e.g.: lr = "1e-4..1e-1:log"')
)

TPE = "tpe"
TPE_AT_ONCE = 32  # members sampled together, before their results are known
_SQLITE_FILE = re.compile(r"sqlite[^:]*:///(file:)?(?P<path>[^?]+).*")  # as in sqlite:///sweep.db


def sweep_plan(values: Mapping[str, Any]) -> SweepPlan:
    """Read and check the sweep's own options.

    Raises:
        TreinoError: an unknown strategy or sampler, a number out of range, no time at all.
    """
    until = goal_of(values.get("until"))
    plan = read_options(SweepPlan, {**values, "until": until})
    if plan.storage is not None and plan.sampler != TPE:
        raise STORAGE_SAMPLER(name=plan.sampler)
    if file := _SQLITE_FILE.fullmatch(plan.storage or ""):
        refuse_run(Path(file["path"]))
    return plan


def space_of(words: Sequence[str]) -> Sequence[str] | dict[str, Any]:
    """The space's words unchanged; for a single file ``NAME.toml``, its names and values.

    Raises:
        TreinoError: the file is missing, can't be read, or isn't TOML (with the line).
    """
    files = [w for w in words if w.endswith(".toml") and "=" not in w]
    if not files:
        return list(words)
    if len(words) > 1:
        raise SPACE_FILE_AND_WORDS(file=files[0], other=next(w for w in words if w != files[0]))
    path = Path(files[0])
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SPACE_FILE_UNREADABLE(path=path, why=error.strerror) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SPACE_FILE_NO_TOML(path=path, why=error) from None


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
