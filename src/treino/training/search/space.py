"""The settings that a sweep tries: ranges and choices by name, some only under a condition.

``lr=1e-4..1e-1:log``, ``hidden=16|64|64,32``, ``dropout=0..0.5:4`` (four levels for a grid),
``momentum=0..0.95 if optimizer=sgd``, ``net.width=16|32`` for an argument of the user's own network; a dict
of such texts, lists and single values in Python; or a TOML file of them.
"""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.own_objects import is_own
from treino.base.text import whole_number
from treino.base.toml import read_toml
from treino.base.words import _, joined
from treino.folders.documents.sweep import SweepSpec
from treino.settings.network_call import ARGUMENT, argument_text, is_argument, read_argument
from treino.settings.setting_types import own, types_in
from treino.settings.several import VARIED
from treino.settings.spec import OFF, Settings, is_none, names_file, read_settings

SPACE_LEVELS = Refusal("{name}: a range has at least 2 levels, not {n}.", "{hint}")
SPACE_EMPTY = Refusal("The space has nothing to try.", "Say what to try: lr=1e-4..1e-1:log")
SPACE_SYNTAX = Refusal(
    "{text!r} doesn't say what to try.", "Write name=values: lr=1e-4..1e-1:log or hidden=16|64|64,32"
)
SPACE_SEVERAL = Refusal(
    "{text!r} holds more than the values of {name}.",
    "Give {other} by itself: a [[space]] for each, or a dict of them in Python.",
    rule="space_syntax",
)
SPACE_COMMA = Refusal("A value of {name} holds no comma, and {text!r} does.", "{hint}")
SPACE_MANY = Refusal(
    "A grid of these values has {n:,} networks; {most:,} can be laid out.",
    "Give fewer levels, or use another sampler.",
)
SPACE_LARGE = Refusal(
    "The space has {n:,} settings; {most:,} at most can be tried together.", "Leave some of them out."
)
SPACE_NO_VALUE = Refusal(
    "{name} has no value, or an empty one.", "Separate values by a single |", rule="space_empty"
)
SPACE_VALUE_TWICE = Refusal("{name} has {value!r} twice.", "Say it once.", rule="space_twice")
SPACE_CONDITION_UNVARIED = Refusal(
    "{name} depends on {other}, which the space doesn't vary.",
    "Leave the condition out, or put {other} into the space.",
    rule="space_condition",
)
SPACE_NEVER = Refusal(
    "{name} is for {other}={value}, and {other} is never that.",
    "Give {other} that value too, or correct the condition.",
    rule="space_condition",
)
SPACE_CIRCLE = Refusal(
    "{names} depend on each other.", "Leave one of the conditions out.", rule="space_condition"
)
SPACE_DATA_SEED = Refusal(
    "Every data_seed parts the rows anew, and figures on different rows can't be compared.",
    "Use [[folds]] to see how much the split matters; seed can be in a space.",
)
SPACE_SHARED = Refusal(
    "{name} is the same for all networks of a sweep.",
    "Leave it out of the space. What can be in one: {names}.",
)
SPACE_UNKNOWN = Refusal("There is no setting {name!r}.", "{hint}")
SPACE_SETTING_TWICE = Refusal(
    "{name} is twice in the space.", "Say all its values at once: {name}=a|b", rule="space_twice"
)
SPACE_CONDITION_UNKNOWN = Refusal(
    "{name} asks about {other!r}, and there is no such setting.", "{hint}", rule="space_condition"
)
SPACE_NO_NUMBER = Refusal(
    "{name}: {text!r} is no number.",
    "A range is written low..high; several values are separated by |",
    rule="space_syntax",
)
SPACE_GRID_LEVELS = Refusal(
    "A grid needs to know how many values of {name} it should try.",
    "Write e.g. {name}={low}..{high}{log}:5, or use another sampler.",
    rule="space_levels",
)
SPACE_OPTION = Refusal(
    "{name}: there is no {option!r}.",
    "A range may end in :log and in a number of levels, e.g. 1e-4..1e-1:log:7",
    rule="space_syntax",
)

SPACE_FILE_AND_WORDS = Refusal(
    "The space is in {file}, and {other} stands beside it.",
    "Put all of it into the file, or all on the command line.",
    rule="space_file",
)
SPACE_FILE_UNREADABLE = Refusal(
    "{path} can't be read: {why}.", "Write the path from the working directory.", rule="space_file"
)
SPACE_FILE_NO_TOML = Refusal(
    "{path} is not TOML: {why}.", 'Write e.g.: lr = "1e-4..1e-1:log"', rule="space_file"
)

# ---- the settings that a sweep tries

Config = dict[str, Any]
"""A member's settings by name, in the form that ``treino.settings.spec.read_settings`` takes."""

MOST = 1_000_000  # largest number of combinations to enumerate
MOST_SETTINGS = 1000


@dataclass(frozen=True)
class Choice:
    """One of several values, all equally likely."""

    values: tuple[Any, ...]

    @property
    def count(self) -> int:
        return len(self.values)

    def has(self, value: Any) -> bool:
        return value in self.values

    def at(self, u: float) -> Any:
        return self.values[int(u * len(self.values))]


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included.

    log: uniform on a logarithmic scale. whole: integers. levels: the number of evenly spaced values in a
    grid.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False
    levels: int | None = None

    def at(self, u: float) -> float | int:
        """The value at the share ``u`` in [0, 1) of the range."""
        if self.whole:  # integers have equal shares, or on the log scale those of their intervals
            if self.log:
                low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
                return int(min(max(round(math.exp(low + u * (high - low))), self.low), self.high))
            return int(self.low + math.floor(u * (self.high - self.low + 1)))
        if self.log:
            value = math.exp(math.log(self.low) + u * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + u * (self.high - self.low)
        return min(max(value, self.low), self.high)

    @property
    def count(self) -> int | None:
        """The number of values; None if the range isn't one of integers."""
        return int(self.high) - int(self.low) + 1 if self.whole else None

    def has(self, value: Any) -> bool:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high and (not self.whole or float(value).is_integer())

    @property
    def integers(self) -> Choice:
        return Choice(tuple(range(int(self.low), int(self.high) + 1)))

    @property
    def values(self) -> tuple[float | int, ...] | None:
        """The levels for a grid; None if ``levels`` is not set and the values can't be listed."""
        if self.levels is None:
            listed = self.whole and not self.log and (self.count or 0) <= MOST
            return self.integers.values if listed else None
        ends = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        step = (ends[1] - ends[0]) / max(self.levels - 1, 1)
        middle = [ends[0] + i * step for i in range(1, self.levels - 1)]
        levels = [self.low, *(math.exp(m) if self.log else m for m in middle), self.high][: self.levels]
        return tuple(dict.fromkeys(round(v) for v in levels)) if self.whole else tuple(levels)


@dataclass(frozen=True)
class Dimension:
    """A setting and its domain. It applies only if the setting ``when`` has one of the values ``among``."""

    name: str
    domain: Range | Choice
    when: str | None = None
    among: tuple[Any, ...] = ()

    def holds(self, config: Config) -> bool:
        return self.when is None or (self.when in config and config[self.when] in self.among)

    @property
    def grid_values(self) -> tuple[Any, ...]:
        """The values for a grid.

        Raises:
            TreinoError: a range without a number of levels.
        """
        if self.domain.values is None:
            low, high = f"{self.domain.low:g}", f"{self.domain.high:g}"
            log = ":log" if self.domain.log else ""
            raise SPACE_GRID_LEVELS(name=self.name, low=low, high=high, log=log)
        return self.domain.values

    @property
    def text(self) -> str:
        """The domain and its condition in the form of the command line."""

        def several(name: str, values: Sequence[Any]) -> str:
            return "|".join(argument_text(v) if is_argument(name) else str(plain(v)) for v in values)

        d = self.domain
        if isinstance(d, Choice):
            text = several(self.name, d.values)
        else:
            # an end of an argument's range shows by a point that it isn't whole
            form = (lambda v: str(int(v))) if d.whole else repr if is_argument(self.name) else "{:g}".format
            low, high = (form(float(end)) for end in (d.low, d.high))
            text = f"{low}..{high}" + (":log" if d.log else "") + (f":{d.levels}" if d.levels else "")
        return text if self.when is None else f"{text} if {self.when}={several(self.when, self.among)}"


@dataclass(frozen=True)
class Space:
    """Dimensions; each conditional one comes after the setting that it depends on."""

    dimensions: tuple[Dimension, ...]

    def config(self, point: Sequence[float]) -> Config:
        """The settings at a point of [0, 1)ᴰ, without dimensions whose condition doesn't hold."""
        config: Config = {}
        for dimension, u in zip(self.dimensions, point, strict=True):
            if dimension.holds(config):
                config[dimension.name] = dimension.domain.at(u)
        return config

    @cached_property
    def grid(self) -> tuple[Config, ...]:
        """Every combination once, the last dimension changing fastest.

        Raises:
            TreinoError: a range without a number of levels; more combinations than MOST.
        """
        finite = self._with([Choice(dimension.grid_values) for dimension in self.dimensions])
        if (count := finite.count or 0) > MOST:
            raise SPACE_MANY(n=count, most=MOST)
        return tuple(finite._combinations(0, {}))

    def _with(self, domains: Sequence[Range | Choice]) -> "Space":
        pairs = zip(self.dimensions, domains, strict=True)
        return Space(tuple(replace(dimension, domain=domain) for dimension, domain in pairs))

    @cached_property
    def count(self) -> int | None:
        """The number of different networks; None if a range isn't one of integers.

        A conditional dimension counts where its condition holds. As it has a single condition, the dimensions
        are trees, and the counts of those under one value are multiplied.
        """
        count_of: dict[str, int] = {}
        for dimension in reversed(self.dimensions):  # each comes after the one that it depends on
            if (n := dimension.domain.count) is None:
                return None
            under = [d for d in self.dimensions if d.when == dimension.name]
            special = list[Any]()
            for value in chain.from_iterable(d.among for d in under):
                if dimension.domain.has(value) and value not in special:
                    special.append(value)
            of_special = (math.prod(count_of[d.name] for d in under if v in d.among) for v in special)
            count_of[dimension.name] = n - len(special) + sum(of_special)
        return math.prod(count_of[d.name] for d in self.dimensions if d.when is None)

    def _combinations(self, place: int, config: Config) -> Iterator[Config]:
        if place == len(self.dimensions):
            yield config
            return
        dimension = self.dimensions[place]
        if not dimension.holds(config):
            yield from self._combinations(place + 1, config)
            return
        for value in dimension.domain.values or ():
            yield from self._combinations(place + 1, config | {dimension.name: value})

    @cached_property
    def every(self) -> tuple[Config, ...] | None:
        """All combinations; None if a range isn't one of integers, or there are more than MOST."""
        if self.count is None or self.count > MOST:
            return None
        finite = self._with([getattr(d.domain, "integers", d.domain) for d in self.dimensions])
        return tuple(finite._combinations(0, {}))

    def to_json(self) -> dict[str, Any]:
        """JSON values, equal for equal spaces. A sweep stores them, and compares them at a resume."""
        return {
            d.name: {n: list(v) if isinstance(v, tuple) else v for n, v in asdict(d.domain).items()}
            | ({"if": d.when, "among": list(d.among)} if d.when else {})
            for d in self.dimensions
        }


def space_in(spec: SweepSpec) -> Space:
    """The space of a stored sweep.

    Raises:
        TreinoError: it is invalid.
    """
    dimensions: dict[str, Dimension] = {}
    for name, entry in spec.space.items():
        own = entry.model_dump(exclude={"when", "among"})
        domain = Choice(tuple(own["values"])) if "values" in own else Range(**own)
        dimensions[name] = Dimension(name, checked_domain(name, domain), entry.when, tuple(entry.among))
    return Space(tuple(in_order(dimensions)))


def checked_domain(name: str, domain: Range | Choice) -> Range | Choice:
    if isinstance(domain, Choice):
        if not domain.values or any(isinstance(v, str) and not v for v in domain.values):
            raise SPACE_NO_VALUE(name=name)
        for value, count in Counter(tuple(v) if isinstance(v, list) else v for v in domain.values).items():
            if count > 1:
                raise SPACE_VALUE_TWICE(name=name, value=value)
        return domain
    facts = {"name": name, "low": domain.low, "high": domain.high}
    if domain.low >= domain.high:
        raise TreinoError(
            "space_order",
            _("{name} goes from {low} to {high}: the lower bound isn't below the upper one.").format(**facts),
            _("Write the lower one first; for a single value write {name}={high}.").format(**facts),
        )
    if domain.log and domain.low <= 0:
        raise TreinoError(
            "space_log",
            _("{name} begins at {low}, and only positive numbers have a logarithm.").format(**facts),
            _("Begin above 0, e.g. {name}=1e-6..{high}:log, or leave :log out.").format(**facts),
        )
    if domain.whole and not (float(domain.low).is_integer() and float(domain.high).is_integer()):
        raise TreinoError(
            "space_whole",
            _("{name} is a whole number, and {low}..{high} isn't a range of those.").format(**facts),
            _("Write e.g. {name}=16..256").format(**facts),
        )
    if domain.levels is not None and domain.levels < 2:
        raise SPACE_LEVELS(
            name=name, n=domain.levels, hint=_("Write the single value instead: {name}={low}").format(**facts)
        )
    return domain


def in_order(dimensions: Mapping[str, Dimension]) -> Iterator[Dimension]:
    """The dimensions in order, but each conditional one after the setting that it depends on. Refuses
    conditions that can never hold."""
    done: set[str] = set()
    left = dict(dimensions)
    for dimension in dimensions.values():
        if dimension.when is None:
            continue
        other = dimensions.get(dimension.when)
        if other is None:
            raise SPACE_CONDITION_UNVARIED(name=dimension.name, other=dimension.when)
        listed = other.domain.values if isinstance(other.domain, Choice) else ()
        named = {
            v.partition("@")[0]: v for v in listed if is_own(v)
        }  # "if net=Net" means the class of that name
        among = tuple(named.get(v, v) if isinstance(v, str) else v for v in dimension.among)
        left[dimension.name] = replace(dimension, among=among)
        for value in among:
            if not other.domain.has(value):
                raise SPACE_NEVER(name=dimension.name, other=other.name, value=value)
    while left:
        ready = [d for d in left.values() if d.when is None or d.when in done]
        if not ready:
            raise SPACE_CIRCLE(names=_(" and ").join(left))
        first = ready[0]
        yield first
        done.add(first.name)
        del left[first.name]


# ---- the text form of a space

_RANGE = re.compile(r"(?P<low>[^|:]+?)\.\.(?P<high>[^|:]+)(?P<options>(?::\w+)*)")
_CONDITION = re.compile(r"\s+if\s+(?P<name>\w[\w.-]*)\s*=\s*(?P<values>.+)$")
SEVERAL = ("net", "augment")  # settings whose texts hold commas, though their type is no tuple
_ENCLOSED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|'[^']*'|\"[^\"]*\"")
_WHOLE = re.compile(r"[+-]?\d{1,19}")


def read_space(domains: Mapping[str, Any] | Sequence[str], names: Collection[str] = VARIED) -> Space:
    """Parse a space in the forms that the top of this file shows.

    domains: texts ``name=domain``, or a mapping of names to texts, lists, single values, Range or Choice.
    names: the settings that may be in it.

    Raises:
        TreinoError: an empty space, an unknown name (with the nearest), a repeated name, bounds out of order,
            a logarithmic range that isn't positive, a condition that can't hold, commas in place of |.
    """
    pairs = list(domains.items()) if isinstance(domains, Mapping) else [_pair(text) for text in domains]
    if not pairs:
        raise SPACE_EMPTY()
    if len(pairs) > MOST_SETTINGS:
        raise SPACE_LARGE(n=len(pairs), most=MOST_SETTINGS)
    dimensions: dict[str, Dimension] = {}
    for written, value in pairs:
        name = str(written).strip().replace("-", "_")
        if name == "data_seed":
            raise SPACE_DATA_SEED()
        if name in Settings.model_fields and name not in names:
            raise SPACE_SHARED(name=name, names=", ".join(names))
        if not _is_varied(name, names):
            raise SPACE_UNKNOWN(name=name, hint=nearest(name, names))
        if name in dimensions:
            raise SPACE_SETTING_TWICE(name=name)
        named = type(value)(map(own, value)) if type(value) in (list, tuple) else own(value)
        dimensions[name] = _dimension(name, named, names)
    return Space(tuple(in_order(dimensions)))


def _is_varied(name: str, names: Collection[str]) -> bool:
    """Whether a space may name it: one of these settings, or an argument of the network."""
    return name in names or ("net" in names and is_argument(name))


def _types(name: str) -> set[Any]:
    """The types of which a setting's type is made; none of an argument of the network."""
    return types_in(Settings.model_fields[name].annotation) if name in Settings.model_fields else set()


def _is_whole(name: str, argument: bool) -> bool:
    """Whether a setting is an integer. argument: the answer for an argument of the network."""
    types = _types(name)
    return int in types and float not in types if types else argument


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
        with path.open("rb") as file:
            _text, table = read_toml(file)
    except OSError as error:
        raise SPACE_FILE_UNREADABLE(path=path, why=error.strerror) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SPACE_FILE_NO_TOML(path=path, why=error) from None
    except ValueError as error:
        raise SPACE_FILE_UNREADABLE(path=path, why=error) from None
    of_net = table.pop("net") if isinstance(table.get("net"), dict) else {}  # TOML reads net.width as a table
    return table | {ARGUMENT + name: value for name, value in of_net.items()}


ANY_SETTING = [*Settings.model_fields]
"""For ``read_space``, where it only matters which values stand in a space."""


def files_in_space(space: Space) -> Iterator[tuple[str, str]]:
    """Yield each setting of the space that names a file or a folder, with that name."""
    for dimension in space.dimensions:
        values = values_of(space, (dimension.name,))
        yield from ((dimension.name, value) for value in values if names_file(dimension.name, value))


def values_of(space: Space, names: Collection[str]) -> Iterator[Any]:
    """Yield each value that the space lists for these settings."""
    for dimension in space.dimensions:
        if dimension.name in names and isinstance(dimension.domain, Choice):
            yield from dimension.domain.values


def plain(value: Any) -> Any:
    """A setting as a table cell; layer sizes as on a command line."""
    return ",".join(map(str, value)) or "none" if isinstance(value, (list, tuple)) else value


def _pair(text: str) -> tuple[str, str]:
    name, equals, domain = text.partition("=")
    if not equals or not name.strip() or not domain.strip():
        raise SPACE_SYNTAX(text=text)
    return name, domain


def _refuse_commas(name: str, text: str, names: Collection[str]) -> None:
    """Refuse commas between values (``lr=0.01,0.1``) and a second setting in the text (``lr=0.1 seed=3``)."""
    bare = _ENCLOSED.sub("", text) if name == "net" or is_argument(name) else text
    other = re.search(r"[\s,;]([\w.-]+)\s*=", bare)
    if other and _is_varied(other[1].replace("-", "_"), names):
        raise SPACE_SEVERAL(text=text, name=name, other=other[1])
    if tuple not in _types(name) and name not in SEVERAL and "," in bare:
        choices = re.sub(r"\s*,\s*", "|", text.strip())
        hint = _("Separate values by a |, in quotes: '{name}={several}'.").format(name=name, several=choices)
        if not _is_whole(name, False) and re.fullmatch(r"\d+,\d+", text.strip()):
            decimal = text.strip().replace(",", ".")
            point = _("Or write a decimal with a point: {name}={decimal}.").format(name=name, decimal=decimal)
            hint = joined([hint, point], " ")
        raise SPACE_COMMA(name=name, text=text, hint=hint)


def _dimension(name: str, value: Any, names: Collection[str]) -> Dimension:
    if isinstance(value, Range):
        value = replace(value, whole=_is_whole(name, value.whole))
        return Dimension(name, checked_domain(name, value))
    value = list(value.values) if isinstance(value, Choice) else value
    if not isinstance(value, str):
        value = value.tolist() if hasattr(value, "tolist") else value  # an array
        is_list = isinstance(value, (list, range, set, frozenset))
        listed = [v.tolist() if hasattr(v, "tolist") else v for v in (value if is_list else (value,))]
        values = tuple(_off(name, v) for v in listed)
        for text in values:
            if isinstance(text, str):
                _refuse_commas(name, text, names)
        if is_argument(name):
            values = tuple(read_argument(name, v) for v in values)
        return Dimension(name, checked_domain(name, Choice(values)))
    when, among = None, ()
    condition = _CONDITION.search(value)
    if condition:
        value = value[: condition.start()]
        when = condition["name"].replace("-", "_")
        among = tuple(_off(when, _value(when, v)) for v in condition["values"].split("|"))
        if not _is_varied(when, names):
            raise SPACE_CONDITION_UNKNOWN(name=name, other=when, hint=nearest(when, names))
        _refuse_commas(when, condition["values"], names)
    _refuse_commas(name, value, names)
    match = _RANGE.fullmatch(value.strip())
    if match:
        domain: Range | Choice = _range(name, match)
    else:
        domain = Choice(tuple(_off(name, _value(name, v)) for v in value.split("|")))
    return Dimension(name, checked_domain(name, domain), when, among)


def _off(name: str, value: Any) -> Any:
    """A value; the one that switches this setting off in a single form: ``none`` where None means that."""
    if isinstance(value, float) and math.isinf(value) and name in Settings.model_fields:
        value = getattr(read_settings({name: value}), name)  # no limit is none
    if is_none(name, value) or (value is None and OFF.get(name, 0) is None):
        return "none" if OFF[name] is None else OFF[name]
    return value


def _range(name: str, match: re.Match[str]) -> Range:
    log, levels = False, None
    for option in match["options"].split(":")[1:]:
        if option == "log":
            log = True
        elif (number := whole_number(option)) is not None:
            levels = number
        else:
            raise SPACE_OPTION(name=name, option=option)
    ends = []
    for text in (match["low"], match["high"]):
        number = _value("", text)
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
            raise SPACE_NO_NUMBER(name=name, text=text.strip())
        ends.append(number)
    integers = all(isinstance(end, int) for end in ends)  # between 0 and 1.0 an argument isn't whole
    return Range(ends[0], ends[1], log, _is_whole(name, integers), levels)


def _value(name: str, text: str) -> Any:
    """Convert a text from a command line to a bool, an int or a float, else return the text; one of an
    argument of the network as ``read_argument`` does."""
    if is_argument(name):
        return read_argument(name, text)
    text = text.strip()
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text
