"""``--lang``: the language of a command, read before its other flags are parsed."""

import os
from collections.abc import Sequence

from treino.errors import TreinoError
from treino.words import VARIABLE, _, languages, named

FLAG = "--lang"


def language_of(tokens: Sequence[str]) -> tuple[list[str], str | None]:
    """Split tokens, those before ``--``, into (the rest, the value of ``--lang`` or None).

    Raises:
        TreinoError: no value, two of them, or a language, here or in ``TREINO_LANG``, that there
            is not.
    """
    rest: list[str] = []
    values: list[str] = []
    coming = iter(tokens)
    for token in coming:
        if token == FLAG:
            value = next(coming, None)
            if value is None or value.startswith("--"):
                raise TreinoError("lang_empty", _("{name} needs a value.").format(name=FLAG), _there_are())
            values.append(value)
        elif token.startswith(FLAG + "="):
            values.append(token.partition("=")[2])
        else:
            rest.append(token)
    if len(values) > 1:
        raise TreinoError("usage", _("{flag} is given twice.").format(flag=FLAG), _("Give it once."))
    language = values[0] if values else os.environ.get(VARIABLE) or None
    if language is not None and named(language) is None:
        message = _("{name} can't be {value!r}.").format(name=FLAG if values else VARIABLE, value=language)
        raise TreinoError("lang_choice", message, _there_are())
    return rest, language


def _there_are() -> str:
    return _("There are: {names}.").format(names=", ".join(languages()))
