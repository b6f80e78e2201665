"""Samplers of settings: grid, random, Sobol and Optuna.

``ask(count)`` returns at most ``count`` settings, never the same twice in a finite space; ``tell`` reports
the metric of each. Settings depend on the space, the seed and the reported values alone, not on the batches.

With a storage (``sqlite:///sweep.db``) Optuna stores the trials, so that its dashboard can show the sweep.
https://optuna.readthedocs.io/en/stable/tutorial/20_recipes/009_ask_and_tell.html
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import torch

from treino.base.errors import Refusal
from treino.data.rows import generator
from treino.training.search.space import Config, Dimension, Range, Space, plain

if TYPE_CHECKING:
    import optuna

OPTUNA_STORAGE = Refusal(
    "Optuna can't open {storage}: {why}", "Give a file that can be written, e.g. sqlite:///sweep.db", status=1
)
OPTUNA_MISSING = Refusal(
    "The sampler tpe is Optuna's, which isn't installed.",
    "Install it: pip install 'treino[optuna]'; or use [[sampler=sobol]].",
)


# ---- samplers

PATIENCE = 1000  # repeated points in a row, after which a sampler ends


class Sampler:
    """Settings from an iterator, in order; reported metrics have no effect."""

    def __init__(self, configs: Iterator[Config]) -> None:
        self._configs = configs

    def ask(self, count: int) -> list[Config]:
        """The next members' settings: ``count``, fewer if there are no more, [] at the end."""
        return list(islice(self._configs, count))

    def replay(self, configs: Sequence[Config]) -> list[Config]:
        """After a resume, repeat the earlier settings; the result equals ``configs`` unless something
        changed."""
        return self.ask(len(configs))

    def tell(self, member: int, value: float | None) -> None:
        """Report the metric (lower is better) of a member, numbered in the order of ``ask``. None: it
        diverged."""


def _random(space: Space, seed: int) -> Iterator[Config]:
    """Settings drawn independently; from a finite space without repetition, until it is exhausted."""
    if space.every is not None:
        order = torch.randperm(len(space.every), generator=generator(seed, "space", 0))
        yield from (space.every[i] for i in order.tolist())
        return
    for member in count():
        chance = generator(seed, "space", member)
        yield space.config(torch.rand(len(space.dimensions), generator=chance, dtype=torch.float64).tolist())


def _sobol(space: Space, seed: int) -> Iterator[Config]:
    """Points of a scrambled Sobol sequence, which fill the space evenly (Owen 1998; torch's SobolEngine)."""
    engine = torch.quasirandom.SobolEngine(
        len(space.dimensions), scramble=True, seed=generator(seed, "sobol", 0).initial_seed()
    )
    seen, repeated = set[str](), 0
    while repeated < PATIENCE:
        (point,) = engine.draw(1, dtype=torch.float64)
        config = space.config(point.clamp(max=1 - 2**-53).tolist())
        repeated = repeated + 1 if repr(config) in seen else 0
        if not repeated:
            yield config
        if space.every is not None:
            seen.add(repr(config))


SAMPLERS = {"grid": lambda space, _seed: iter(space.grid), "random": _random, "sobol": _sobol}


def sampler(name: str, space: Space, seed: int = 0) -> Sampler:
    """The sampler of that name; see ``tpe`` and ``OptunaSampler`` for Optuna's.

    Raises:
        TreinoError: a grid over a range without levels.
    """
    return Sampler(SAMPLERS[name](space, seed))


# ---- Optuna's samplers (the extra ``treino[optuna]``)


def tpe(space: Space, seed: int = 0, storage: str | None = None, name: str = "treino") -> Sampler:
    """The tree-structured Parzen estimator (Bergstra et al. 2011).

    Unfinished trials count as bad (``constant_liar``), so that the trials of a batch differ. storage: where
    Optuna stores the study ``name``; an existing study is continued.

    Raises:
        TreinoError: Optuna isn't installed, or it can't open the storage.
    """
    try:
        import optuna
    except ImportError:
        raise OPTUNA_MISSING() from None
    sampler = optuna.samplers.TPESampler(
        seed=generator(seed, "optuna", 0).initial_seed() % 2**32, constant_liar=True
    )
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(storage=storage, study_name=name, sampler=sampler, load_if_exists=True)
    except Exception as error:  # errors of SQLAlchemy, its drivers and Optuna share no base class
        if storage is None and not isinstance(error, (ValueError, OSError, ImportError)):
            raise
        raise OPTUNA_STORAGE(
            storage=storage, why=(str(error) or type(error).__name__).splitlines()[0]
        ) from None
    finally:
        optuna.logging.set_verbosity(verbosity)
    return OptunaSampler(space, study, persistent=storage is not None)


class OptunaSampler(Sampler):
    """A sampler on a study of Optuna. Earlier trials in the storage count as finished members."""

    def __init__(self, space: Space, study: "optuna.Study", persistent: bool = False) -> None:
        self.study, self._persistent = study, persistent
        self._space = space
        self._trials: list[optuna.Trial] = []

    def ask(self, count: int) -> list[Config]:
        """The next ``count`` settings; Optuna never runs out of them."""
        configs: list[Config] = [{} for _member in range(count)]
        for config in configs:
            self._trials.append(self.study.ask())
            for dimension in self._space.dimensions:
                if dimension.holds(config):
                    config[dimension.name] = suggest(self._trials[-1], dimension)
        return configs

    def replay(self, configs: Sequence[Config]) -> list[Config]:
        """Reload the trials made before an interruption from the storage; without a storage, ask for them
        again."""
        if not self._persistent:
            return self.ask(len(configs))
        from optuna.trial import Trial

        params = [{name: _written(value) for name, value in config.items()} for config in configs]
        known = {trial.number for trial in self._trials}
        trials = [t for t in self.study.get_trials(deepcopy=False) if t.number not in known]
        for first in range(len(trials) - len(params), -1, -1):
            match = trials[first : first + len(params)]
            if [t.params for t in match] == params:
                self._trials += [Trial(self.study, t._trial_id) for t in match]
                return list(configs)
        return []

    def tell(self, member: int, value: float | None) -> None:
        """Report a metric. None marks the trial as failed; Optuna learns nothing from it."""
        from optuna.trial import TrialState

        state = TrialState.FAIL if value is None else TrialState.COMPLETE
        self.study.tell(self._trials[member], value, state=state, skip_if_finished=True)


def suggest(trial: "optuna.Trial", dimension: Dimension) -> Any:
    """The trial's value in one dimension; Optuna gets choices of unsupported types as text."""
    domain = dimension.domain
    if isinstance(domain, Range):
        if domain.whole:
            return trial.suggest_int(dimension.name, int(domain.low), int(domain.high), log=domain.log)
        return trial.suggest_float(dimension.name, domain.low, domain.high, log=domain.log)
    written = {_written(value): value for value in domain.values}
    return written[trial.suggest_categorical(dimension.name, list(written))]


def _written(value: Any) -> Any:
    value = plain(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


# ---- successive halving and hyperband


@dataclass(frozen=True)
class Rung:
    """A rung. members: the number of members that train. epochs: each member's total epochs when they are
    compared."""

    members: int
    epochs: int


Bracket = tuple[Rung, ...]
"""The rungs of a group of competing members; the best ones of each rung continue to the next."""


def none(members: int, epochs: int, eta: int = 3, least: int = 1) -> tuple[Bracket, ...]:
    """One bracket that trains every member to the end. ``eta`` and ``least`` have no effect."""
    return ((Rung(members, epochs),),)


def halving(members: int, epochs: int, eta: int = 3, least: int = 1) -> tuple[Bracket, ...]:
    """One bracket in which each rung keeps one member in ``eta``, until about one trains all ``epochs``.

    It has as many rungs as members and epochs allow; the first has ``epochs / eta^k`` epochs, at least
    ``least``.
    """
    rungs = min(_log(members, eta), _log(epochs / least, eta))
    return (_bracket(members, epochs, eta, rungs),)


def hyperband(members: int, epochs: int, eta: int = 3, least: int = 1) -> tuple[Bracket, ...]:
    """Several brackets: the first has many members and halves them early, the last has few and never does.

    One round is the published algorithm for R = epochs / least; rounds repeat until all members are used, and
    the last round is cut short.
    """
    s_max = _log(epochs / least, eta)
    brackets: list[Bracket] = []
    left = members
    while left:
        for s in range(s_max, -1, -1):
            size = min(left, math.ceil((s_max + 1) / (s + 1) * eta**s))
            brackets.append(_bracket(size, epochs, eta, min(s, _log(size, eta))))
            left -= size
            if not left:
                break
    return tuple(brackets)


def _bracket(members: int, epochs: int, eta: int, cuts: int) -> Bracket:
    return tuple(
        Rung(max(1, members // eta**i), max(1, round(epochs / eta ** (cuts - i)))) for i in range(cuts + 1)
    )


def survivors(figures: Sequence[float | tuple[float, ...] | None], count: int) -> list[int]:
    """The indices, in ascending order, of the ``count`` lowest values; None (diverged) never survives.

    Tuples are compared element by element. Ties go to the earlier member, so that equal values give equal
    survivors.
    """
    alive: list[Any] = [(value, place) for place, value in enumerate(figures) if value is not None]
    return sorted(place for _value, place in sorted(alive)[:count])


def _log(x: float, eta: int) -> int:
    """The largest k with eta^k <= x, by integers, as math.log(243, 3) is just below 5."""
    k = 0
    while eta ** (k + 1) <= x + 1e-9:
        k += 1
    return k


STRATEGIES = {"none": none, "halving": halving, "hyperband": hyperband}
