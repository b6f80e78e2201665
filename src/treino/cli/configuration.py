"""Options from a file (``treino.toml``) and from variables (``TREINO_TRAIN_LR``).

What is typed comes first, then the environment, then the file. A ``treino.toml`` in the working directory is
read without being named; it sets only options that reach nothing, by their marks (``base/option_marks.py``),
and within a fence it isn't read.
"""

import json
import os
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import treino.folders
from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.files import open_plain, trouble
from treino.base.option_marks import UNMARKED, WORDS, OptionMark, mark_in
from treino.base.toml import read_toml
from treino.base.words import _, flag
from treino.settings.setting_types import as_items

if TYPE_CHECKING:
    from cyclopts import App, Argument, ArgumentCollection


FILE = "treino.toml"
FLAG = "--config"
PREFIX = "TREINO_"
MOST_VALUES = 1000
_KEY = r"[\"']?((?<=[\"'])[^\"']+|[\w-]+)[\"']?"  # a bare one, or one in quotes
HEADING, ENTRY = re.compile(rf"\s*\[+\s*{_KEY}(?:\.{_KEY})?"), re.compile(rf"\s*{_KEY}\s*[=.]")
WITHIN = re.compile(rf"(?:[.{{,]|=\s*{{)\s*{_KEY}\s*[=.]")

CONFIG_VALUE_MISSING = Refusal("--config needs a value.", "Name a file: --config houses.toml", rule="usage")
CONFIG_TWICE = Refusal("--config is given twice.", "Give it once.", rule="usage")
CONFIG_MISSING = Refusal("There is no file {path}.", "{hint}")
CONFIG_FORM = Refusal("{path} is not TOML: {cause}", "Write lr = 0.01, below a heading such as [train].")
CONFIG_LIMITS = Refusal("{path} is not read: {cause}.", "Leave that out, or write it in a simpler way.")
CONFIG_OUTSIDE = Refusal("{place}: {name} stands above all headings.", "Write it below one, such as [train].")
CONFIG_SEVERAL = Refusal(
    "{place}: {name} is a list of tables, and a command has one.",
    "Write [{name}], with single brackets, once.",
)
CONFIG_OPTION_TWICE = Refusal("{place}: {name} is set twice in this file.", "Leave one of them out.")
CONFIG_ENCODING = Refusal("{path} is not UTF-8: {cause}", "Save it as UTF-8.")
CONFIG_VERB = Refusal("{place}: treino has no command {name}.", "{hint}")
CONFIG_OPTION = Refusal("{place}: treino {verb} has no option {name}.", "{hint}")
CONFIG_VALUE = Refusal(
    "{place}: {name} can't be {value}.", "Write a number, a text in quotes, true, false, or a list of these."
)
CONFIG_LIST = Refusal(
    "{place}: {name} begins as a list, and is no JSON: {cause}",
    'Write ["lr=1e-3..1e-1:log", "hidden=8|16"]: each in double quotes, with commas between them.',
)
CONFIG_MANY = Refusal("{place}: {name} has {n:,} values, and {most:,} are read at most.", "Leave some out.")
CONFIG_UNNAMED = Refusal(
    "{place} sets {name}, which may {reach}: only a file that you name may set it.",
    "If you trust it, name it: treino {verb} --config {path}",
)


class Form(NamedTuple):
    """How a verb takes an option. mark: what it may reach. lists: whether it may be repeated."""

    mark: OptionMark
    lists: bool = False


@dataclass(frozen=True)
class Option:
    """An option that was not typed. texts: its values, as they would be typed. place: the variable, or the
    file and line, that sets it."""

    name: str
    texts: list[str]
    place: str


@dataclass(frozen=True)
class UntypedValue:
    """A value as it stands in a variable or a file. unnamed: the file, if nobody named it."""

    name: str
    value: Any
    place: str
    unnamed: Path | None = None

    def texts(self, several: bool) -> list[str]:
        """The value as it would be typed. several: whether the option may be repeated.

        Raises:
            TreinoError: a date or a table inside a list.
        """
        if isinstance(self.value, Mapping) and several:  # a space: a list is what to try
            return [f"{key}={self._choices(each)}" for key, each in self.value.items()]
        if isinstance(self.value, Mapping):
            return [as_items([f"{key}={self._text(each)}" for key, each in self.value.items()])]
        if not isinstance(self.value, list):
            return [self._text(self.value)]
        texts = [self._text(each) for each in self.value]
        if several:
            return texts
        return [as_items(texts) if texts else "none"]

    def _choices(self, value: Any) -> str:
        """A value of a space, or several to try: ``8|16``, of lists ``64,32|16``."""
        if not isinstance(value, list):
            return self._text(value)
        lists = (each if isinstance(each, list) else [each] for each in value)
        return "|".join(as_items([self._text(one) for one in each]) for each in lists)

    def _text(self, value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int | float):
            return str(value)
        raise CONFIG_VALUE(place=self.place, name=self.name, value=value)


@dataclass
class Configuration:
    """The options of one command that were not typed.

    verbs: all commands. path: the file; None: ``treino.toml``, if it is there. used: the options that were
    taken, known after the command line was parsed.
    """

    verbs: Collection[str]
    path: Path | None = None
    used: list[Option] = field(default_factory=list)

    def __call__(self, _app: "App", commands: tuple[str, ...], arguments: "ArgumentCollection") -> None:
        """Give the arguments that were not typed their values: cyclopts calls this."""
        from cyclopts import Token

        if not commands:
            return
        names = _names(arguments)
        typed = {id(argument) for argument in arguments if argument.tokens}
        forms = {name: _form(argument) for name, argument in names.items()}
        for option in options(commands[0], self.verbs, self.path, forms):
            argument = names[option.name]
            if id(argument) in typed:
                continue
            typed.add(id(argument))
            for place, text in enumerate(option.texts):
                argument.append(Token(keyword=option.name, value=text, source=option.place, index=place))
            self.used.append(option)

    def placed(self, error: TreinoError) -> TreinoError:
        """The error with the place of the option that it is about, if that was not typed."""
        flags = {option.name: rf"{re.escape(flag(option.name))}(?![\w-])" for option in self.used}
        about = [
            option
            for option in self.used
            if error.rule.startswith(f"{option.name}_") or re.search(flags[option.name], error.message)
        ]
        if not about:
            return error
        message, hint = error.message, error.hint
        for name, written in flags.items():
            message, hint = re.sub(written, name, message), re.sub(written, name, hint)
        place = max(about, key=lambda option: len(option.name)).place
        return TreinoError(error.rule, f"{place}: {message}", hint, status=error.status)


def split_config(tokens: Sequence[str]) -> tuple[list[str], Path | None]:
    """(the command line without ``--config FILE``, the file).

    Raises:
        TreinoError: the flag without a file, or twice.
    """
    rest, path, words = list[str](), None, iter(tokens)
    for word in words:
        if word == "--":
            return [*rest, word, *words], path
        name, equals, value = word.partition("=")
        if name != FLAG:
            rest.append(word)
            continue
        value = value if equals else next(words, "")
        if not value or (value.startswith("-") and not equals):
            raise CONFIG_VALUE_MISSING()
        if path is not None:
            raise CONFIG_TWICE()
        path = Path(value)
    return rest, path


def note(used: Iterable[Option]) -> str:
    """A sentence that says which options came from where; "" if all were typed."""
    places: dict[str, list[str]] = {}
    for option in used:
        places.setdefault(option.place.partition(",")[0], []).append(option.name)
    return "; ".join(
        _("{place} sets {names}").format(place=place, names=", ".join(names))
        for place, names in places.items()
    )


def options(
    verb: str, verbs: Collection[str], path: Path | None, known: Mapping[str, Form]
) -> Iterator[Option]:
    """The options that the environment has for this verb, then those of the file.

    verbs: all commands. known: how the verb takes its options, by their names.

    Raises:
        TreinoError: a file that is missing or malformed; an option that the verb doesn't have, or that only a
            file may set that the user named.
    """
    for entry in chain(_of_environment(verb, known), _of_file(verb, verbs, path)):
        if entry.name not in known:
            hint = nearest(entry.name, known)
            raise CONFIG_OPTION(place=entry.place, verb=verb, name=entry.name, hint=hint)
        mark, lists = known[entry.name]
        texts = entry.texts(lists)
        if len(texts) > MOST_VALUES:
            raise CONFIG_MANY(place=entry.place, name=entry.name, n=len(texts), most=MOST_VALUES)
        if entry.unnamed is not None and (reach := mark.of(texts)):
            what, path = _(" or ").join(_(WORDS[each]) for each in reach), entry.unnamed
            raise CONFIG_UNNAMED(place=entry.place, name=entry.name, reach=what, verb=verb, path=path)
        yield Option(entry.name, texts, entry.place)


def _of_environment(verb: str, known: Mapping[str, Form]) -> Iterator[UntypedValue]:
    """The options that environment variables have for this verb, such as TREINO_TRAIN_BATCH_SIZE. What is a
    list in JSON is one."""
    prefix = f"{PREFIX}{verb}_".upper()
    for variable, text in sorted(os.environ.items()):
        if not variable.startswith(prefix) or not text:
            continue
        name, value = variable.removeprefix(prefix).lower(), text
        if text.lstrip().startswith("["):
            try:
                value = json.loads(text)
            except (ValueError, RecursionError) as error:
                if name in known and known[name].lists:
                    raise CONFIG_LIST(place=variable, name=name, cause=error) from None
        yield UntypedValue(name, value, variable)


def _of_file(verb: str, verbs: Collection[str], named: Path | None) -> Iterator[UntypedValue]:
    """The options that the file has for this verb. named: the file that the user named, if any."""
    path = named or Path(FILE)
    if not os.path.isfile(path):  # also of a name that is too long
        if named is None:
            return
        beside = [p.name for p in path.parent.glob("*.toml") if p.is_file()] if path.parent.is_dir() else []
        hint = nearest(path.name, beside) if beside else _("Write the path from the working directory.")
        raise CONFIG_MISSING(path=path, hint=hint)
    if named is None and treino.folders.is_fenced():
        return
    try:
        with trouble(path), open(open_plain(path, os.O_RDONLY), "rb") as file:
            text, tables = read_toml(file)
    except UnicodeDecodeError as error:
        raise CONFIG_ENCODING(path=path, cause=error) from None
    except tomllib.TOMLDecodeError as error:
        raise CONFIG_FORM(path=path, cause=error) from None
    except ValueError as error:
        raise CONFIG_LIMITS(path=path, cause=error) from None
    lines = _lines(text)

    def place(table: str | None, key: str | None = None) -> str:
        line = lines.get((table, key))
        return str(path) if line is None else _("{path}, line {n}").format(path=path, n=line)

    for name, table in tables.items():
        if isinstance(table, list) and any(isinstance(each, Mapping) for each in table):
            raise CONFIG_SEVERAL(place=place(name), name=name)
        if not isinstance(table, Mapping):
            raise CONFIG_OUTSIDE(place=place(name), name=name)
        if name not in verbs:
            raise CONFIG_VERB(place=place(name), name=name, hint=nearest(name, verbs))
    names = set[str]()
    for key, value in tables.get(verb, {}).items():
        name = key.replace("-", "_").lower()
        if name in names:
            raise CONFIG_OPTION_TWICE(place=place(verb, key), name=name)
        names.add(name)
        yield UntypedValue(name, value, place(verb, key), path if named is None else None)


def _names(arguments: "ArgumentCollection") -> dict[str, "Argument"]:
    """The options of a verb, by their names in a file. DATA is ``data``; the flag --data is ``data_file``."""
    names: dict[str, Argument] = {}
    for argument in arguments:
        if not argument.parse or not argument.show:
            continue
        for name in argument.names:
            key = name.lstrip("-").replace("-", "_").lower()
            if key == "data" and argument.index is None:
                key = "data_file"
            if not name.startswith("--no-"):
                names[key] = argument
    return names


def _form(argument: "Argument") -> Form:
    several = str(argument.hint).startswith(("list", "tuple"))
    return Form(mark_in(argument.field_info.annotation) or UNMARKED, several)


def _lines(text: str) -> dict[tuple[str | None, str | None], int]:
    """The first line of each (table, None) and of each (table, key) of a file."""
    lines: dict[tuple[str | None, str | None], int] = {}
    table = None
    for number, line in enumerate(text.splitlines(), 1):
        heading, entry = HEADING.match(line), ENTRY.match(line)
        keys = []
        if heading:
            table = heading[1]
            keys = [(table, None), (table, heading[2])]
        elif entry and table is None:
            keys = [(entry[1], None), *((entry[1], key) for key in WITHIN.findall(line))]
        elif entry:
            keys = [(table, entry[1])]
        for key in keys:
            lines.setdefault(key, number)
    return lines
