"""Check the arguments of ``load`` by the table of settings."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from treino.base.errors import Refusal, nearest
from treino.base.text import composed
from treino.base.words import _, setting
from treino.data.cell_forms import missing
from treino.data.documents import LoadArguments, TextFormat
from treino.data.readers.reader_options import ReaderOptions, as_reading, as_text
from treino.data.source_kinds import SOURCES, source_kind
from treino.data.split_requests import fold_of
from treino.settings.data_settings import ALBUM, OF_FORMAT, READERS, TABLES, LoadSettings
from treino.settings.setting_types import share
from treino.settings.spec import OF_DATA, UNKNOWN_SETTING, Settings, kinds_of, read_settings

FOLDS_AND_SPLIT = Refusal("Folds and [[split]]-{how} both say how rows are split.", "Give one of them.")
SETTING_UNREAD = Refusal("{setting} is for {readers}, and this is {kind}.", "{hint}")
SHARES = "validation", "test"


@dataclass(frozen=True)
class LoadRequest:
    """A source, and the arguments to load it with. files: the file or frame of each split that has one.
    reading: the format of the source's file, as far as it is set. given: the settings with a value of their
    own that not all sources read."""

    source: Any
    arguments: LoadArguments = field(default_factory=LoadArguments)
    files: Mapping[str, Any] = field(default_factory=dict)
    reading: ReaderOptions | None = None
    given: tuple[str, ...] = ()

    def check_readers(self, labels: bool = True) -> str:
        """Refuse a given setting that no source of this kind reads. Return the kind. labels: whether
        photographs may have a table of labels."""
        kind = source_kind(self.source)
        kinds = {kind, "labels"} if kind == "photographs" and labels else {kind}
        known = READERS | dict.fromkeys(self.files, (*TABLES, "arrays"))
        for name in (*self.given, *self.files):
            if kinds.isdisjoint(readers := known[name]):
                rule = "no_photographs" if readers == ALBUM else f"{name}_of_tables"
                several = _(" and ").join(dict.fromkeys(_(SOURCES[each].several) for each in readers))
                own = {"kind": _(SOURCES[kind].one), "hint": _(SOURCES[kind].hint)}
                raise SETTING_UNREAD.named(rule)(setting=setting(name), readers=several, **own)
        return kind

    def with_arguments(self, **values: Any) -> "LoadRequest":
        return replace(self, arguments=self.arguments.changed(**values))

    def with_text(self) -> "LoadRequest":
        """The request that keeps as text the columns whose type is set to text or identifier, or to ranks
        with a level such as "none"."""
        kinds = self.arguments.kinds
        without = {name for name, kind in kinds.items() if "<" in kind and any(map(missing, kind.split("<")))}
        text = [name for name, kind in kinds.items() if name in without or kind in ("text", "identifier")]
        holds = {"number": "numbers", "boolean": "truth", "date": "dates"}
        forms = tuple((name, holds.get(kind, "levels")) for name, kind in kinds.items() if name not in text)
        request = self.with_reading(as_text(self.reading, text))
        if not forms:
            return request
        return replace(request, reading=replace(request.reading or ReaderOptions(), forms=forms))

    def with_reading(self, reading: ReaderOptions | None) -> "LoadRequest":
        kept = None if reading is None else reading.to_json()
        arguments = self.arguments.changed(reading=TextFormat(**kept) if kept else None)
        return replace(self, arguments=arguments, reading=reading)


def load_request(
    source: Any, settings: Mapping[str, Any], reading: ReaderOptions | Mapping[str, Any] | None = None
) -> LoadRequest:
    """The request to load a source with these settings of ``OF_DATA``.

    reading: the format of its file, as far as the settings don't say it.

    Raises:
        TreinoError: an unknown name, a value of a wrong type or out of range, two that contradict each other.
    """
    for name in settings:
        if name not in OF_DATA:
            raise UNKNOWN_SETTING(name=setting(name), hint=nearest(name, OF_DATA))
    files = {name: settings[name] for name in SHARES if _is_file(settings.get(name))}
    given = {name: value for name, value in settings.items() if value is not None or name in SHARES}
    checked = read_settings({name: value for name, value in given.items() if name not in files})
    values = {name: getattr(checked, name) for name in LoadSettings.model_fields}
    values |= {n: composed(v) for n, v in values.items() if isinstance(v, str) and n != "labels"}
    values["features"] = checked.features and tuple(map(composed, map(str, checked.features)))
    values |= {name: None if name in files else values[name] or 0.0 for name in SHARES}
    kinds = given.get("kinds")
    pairs = kinds.items() if isinstance(kinds, Mapping) else [pair[1:] for pair in kinds_of(checked)]
    values["kinds"] = {composed(str(name)): composed(str(kind)) for name, kind in pairs}
    fold = fold_of(checked.fold)
    values |= {"fold": fold and fold.text, "data_seed": checked.data_seed or 0}
    arguments = LoadArguments.of(values)
    if fold is not None and arguments.split_by is not None:
        by = ("group", "time", "column")
        raise FOLDS_AND_SPLIT(how=next(each for each in by if getattr(arguments, f"split_{each}")))
    given_form = {name: v for name in OF_FORMAT if (v := getattr(checked, name)) is not None}
    given_form |= {"quote": ""} if checked.quote == "none" else {}
    form, usual = as_reading(reading, given_form), Settings.model_fields
    own = {name: getattr(form if name in OF_FORMAT else checked, name, None) for name in READERS}
    named = tuple(name for name, value in own.items() if value not in (None, (), usual[name].default))
    return LoadRequest(source, arguments, files, given=named).with_reading(form)


def drawn_shares(arguments: LoadArguments, given: Container[str]) -> tuple[float, float]:
    """The shares of validation and of test rows to draw. given: the splits with rows of their own; if
    validation rows are, no test rows are drawn."""
    none = "validation" in given
    shares = arguments.validation or 0.0, arguments.test or 0.0
    return 0.0 if none else shares[0], 0.0 if none or "test" in given else shares[1]


def _is_file(value: Any) -> bool:
    """Whether a split is given as a file or frame, not as a share."""
    try:
        return not isinstance(share(value), int | float | None)
    except ValueError:  # not a share; the settings' error says what was probably meant
        return False
