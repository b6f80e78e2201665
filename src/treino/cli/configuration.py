"""Options from a file (``treino.toml``) and from variables (``TREINO_TRAIN_LR``).

What is typed comes first, then the environment, then the file. A ``treino.toml`` in the working directory is
read without being named; it may set no option that runs code, reaches another machine or replaces a file.
"""

import json
import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.files import read_bytes
from treino.base.words import _, flag
from treino.settings.setting_types import as_items

if TYPE_CHECKING:
    from cyclopts import App, Argument, ArgumentCollection


FILE = "treino.toml"
FLAG = "--config"
PREFIX = "TREINO_"
HEADING = re.compile(r"\s*\[+\s*[\"']?([\w-]+)")
NEVER_UNNAMED = "net", "trust", "alert", "allow_network", "track", "on", "replace"
"""Options that a file may set only if the user names it: few people read all files of a folder first."""

CONFIG_VALUE_MISSING = Refusal("--config needs a value.", "Name a file: --config houses.toml", rule="usage")
CONFIG_TWICE = Refusal("--config is given twice.", "Give it once.", rule="usage")
CONFIG_MISSING = Refusal("There is no file {path}.", "{hint}")
CONFIG_FORM = Refusal("{path} is not TOML: {cause}", "Write lr = 0.01, below a heading such as [train].")
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
CONFIG_UNNAMED = Refusal(
    "{place} sets {name}, which may run code, reach other machines or replace files: only a file that you"
    " name may set it.",
    "If you trust it, name it: treino {verb} --config {path}",
)


@dataclass(frozen=True)
class Option:
    """An option that was not typed. place: the variable, or the file and line, that sets it."""

    name: str
    value: Any
    place: str

    def texts(self, several: bool) -> list[str]:
        """The value as it would be typed. several: whether the option may be repeated.

        Raises:
            TreinoError: a date or a table inside a list; a list in a variable that isn't JSON.
        """
        if isinstance(self.value, Mapping) and several:  # a space: a list is what to try
            return [f"{key}={self._choices(each)}" for key, each in self.value.items()]
        if isinstance(self.value, Mapping):
            return [as_items([f"{key}={self._text(each)}" for key, each in self.value.items()])]
        if several and isinstance(self.value, str) and self.value.lstrip().startswith("["):
            try:
                return [self._text(each) for each in json.loads(self.value)]
            except json.JSONDecodeError as error:
                raise CONFIG_LIST(place=self.place, name=self.name, cause=error) from None
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
        for option in options(commands[0], self.verbs, self.path, names):
            argument = names[option.name]
            texts = option.texts("list" in str(argument.hint))
            if id(argument) in typed:
                continue
            typed.add(id(argument))
            for place, text in enumerate(texts):
                argument.append(Token(keyword=option.name, value=text, source=option.place, index=place))
            self.used.append(option)

    def note(self) -> str:
        """A sentence that says which options came from where; "" if all were typed."""
        places: dict[str, list[str]] = {}
        for option in self.used:
            places.setdefault(option.place.partition(",")[0], []).append(option.name)
        return "; ".join(
            _("{place} sets {names}").format(place=place, names=", ".join(names))
            for place, names in places.items()
        )

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
        if not value or value.startswith("-"):
            raise CONFIG_VALUE_MISSING()
        if path is not None:
            raise CONFIG_TWICE()
        path = Path(value)
    return rest, path


def options(verb: str, verbs: Collection[str], path: Path | None, known: Collection[str]) -> Iterator[Option]:
    """The options that the environment has for this verb, then those of the file.

    verbs: all commands. known: the names of the verb's options.

    Raises:
        TreinoError: a file that is missing or malformed; an option that the verb doesn't have.
    """
    for option in (*_of_environment(verb), *_of_file(verb, verbs, path)):
        if option.name not in known:
            hint = nearest(option.name, known)
            raise CONFIG_OPTION(place=option.place, verb=verb, name=option.name, hint=hint)
        yield option


def _of_environment(verb: str) -> Iterator[Option]:
    """The options that environment variables have for this verb, such as TREINO_TRAIN_BATCH_SIZE."""
    prefix = f"{PREFIX}{verb}_".upper()
    for variable, value in sorted(os.environ.items()):
        if variable.startswith(prefix) and value:
            yield Option(variable.removeprefix(prefix).lower(), value, variable)


def _of_file(verb: str, verbs: Collection[str], named: Path | None) -> Iterator[Option]:
    """The options that the file has for this verb. named: the file that the user named, if any."""
    path = named or Path(FILE)
    if not path.is_file():
        if named is None:
            return
        beside = [p.name for p in path.parent.glob("*.toml") if p.is_file()] if path.parent.is_dir() else []
        hint = nearest(path.name, beside) if beside else _("Write the path from the working directory.")
        raise CONFIG_MISSING(path=path, hint=hint)
    try:
        text = read_bytes(path).decode("utf-8-sig")
        tables = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise CONFIG_ENCODING(path=path, cause=error) from None
    except tomllib.TOMLDecodeError as error:
        raise CONFIG_FORM(path=path, cause=error) from None
    for name, table in tables.items():
        if isinstance(table, list) and any(isinstance(each, Mapping) for each in table):
            raise CONFIG_SEVERAL(place=_place(path, text, name), name=name)
        if not isinstance(table, Mapping):
            raise CONFIG_OUTSIDE(place=_place(path, text, None, name), name=name)
        if name not in verbs:
            raise CONFIG_VERB(place=_place(path, text, name), name=name, hint=nearest(name, verbs))
    names = set[str]()
    for key, value in tables.get(verb, {}).items():
        name, place = key.replace("-", "_").lower(), _place(path, text, verb, key)
        if name in names:
            raise CONFIG_OPTION_TWICE(place=place, name=name)
        names.add(name)
        if named is None and (name in NEVER_UNNAMED or ".py:" in str(value)):
            raise CONFIG_UNNAMED(place=place, name=name, verb=verb, path=path)
        yield Option(name, value, place)


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


def _place(path: Path, text: str, table: str | None, key: str | None = None) -> str:
    """The file, and the line of a key of this table (of its heading, without a key), if it is found."""
    current = None
    below = rf"\s*{_quoted(key or '')}\s*[=.]"
    alone = rf"\s*\[?\s*{_quoted(table or '')}\s*(\.|=\s*{{(.*[{{,])?)\s*{_quoted(key or '')}\s*[]=.]"
    whole = rf"\s*\[*\s*{_quoted(table or '')}\s*[]=.]"
    for number, line in enumerate(text.splitlines(), 1):
        heading = HEADING.match(line)
        if heading:
            current = heading[1]
        if key is None:
            wanted = re.match(whole, line) is not None
        else:
            wanted = current == table and not heading and re.match(below, line) is not None
            wanted = wanted or (table is not None and re.match(alone, line) is not None)
        if wanted:
            return _("{path}, line {n}").format(path=path, n=number)
    return str(path)


def _quoted(word: str) -> str:
    """A pattern of a key, with quotes or without."""
    return rf"[\"']?{re.escape(word)}[\"']?"
