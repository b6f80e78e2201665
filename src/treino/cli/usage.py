"""Errors in a command line: cyclopts' exceptions as messages with the flag, its value and a hint."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, get_args

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from treino.errors import TreinoError, like, nearest
from treino.words import N_, _

LISTS = (
    "--features", "--kinds", "--hidden", "--betas", "--class-weights", "--fault", "--compare",
    "--batch-sizes", "--until", "--what",
)  # fmt: skip
TRUTHS = "true", "false", "yes", "no", "1", "0"
KINDS = {int: N_("a whole number"), float: N_("a number"), bool: N_("yes or no")}


def with_lists(tokens: Sequence[str]) -> list[str]:
    """Join lists such as -1,0,1 to their flags, as cyclopts would take them for flags."""
    joined: list[str] = []
    for place, token in enumerate(tokens):
        if token == "--":
            return [*joined, *tokens[place:]]
        if joined and joined[-1] in LISTS and re.match(r"-[^-]*,", token):
            joined[-1] += f"={token}"
        else:
            joined.append(token)
    return joined


def usage_error(error: CycloptsError, tokens: Sequence[str], verbs: Sequence[str]) -> TreinoError:
    """The usage error for cyclopts' exception. tokens: the command line. verbs: all verbs."""
    page = f"treino {tokens[0]} --help" if tokens[0] in verbs else "treino --help"
    hint = _("See: {page}").format(page=page)
    if isinstance(error, UnknownCommandError):
        verb = (error.unused_tokens or [tokens[0]])[0]
        return TreinoError("usage", _('Unknown command "{verb}".').format(verb=verb), nearest(verb, verbs))
    if isinstance(error, UnknownOptionError):
        flag = error.token.keyword or error.token.value
        known = [n for a in error.argument_collection if a.parse and a.show for n in a.names]
        return TreinoError(
            "usage",
            _("Unknown option: {flag}.").format(flag=flag),
            nearest(flag, known) if like(flag, known) else hint,
        )
    if isinstance(error, RepeatArgumentError):
        flag = str(error.token.keyword)
        in_one = _("Write all in one, with commas between: {flag} A,B.").format(flag=flag)
        message = _("{flag} is given twice.").format(flag=flag)
        return TreinoError("usage", message, in_one if flag in LISTS else _("Give it once."))
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        name = error.keyword or _name(error.argument)
        wants = _("{name} needs a value.") if name.startswith("-") else _("{name} is missing.")
        return TreinoError("usage", wants.format(name=name), hint)
    if isinstance(error, CoercionError) and error.token is not None:
        return TreinoError("usage", *_coerced(error, hint))
    if isinstance(error, UnusedCliTokensError):
        return TreinoError("usage", *_too_much(error, tokens, hint))
    return TreinoError("usage", re.sub(r"\s+", " ", str(error)).strip(), hint)


def _coerced(error: CoercionError, hint: str) -> tuple[str, str]:
    """(message, hint) for a value of a wrong kind, or that is none of the choices."""
    token, argument = error.token, error.argument
    assert token is not None
    name = token.keyword or (_name(argument) if argument is not None else "")
    choices = argument.get_choices() if argument is not None else None
    if choices:
        message = _("{name} can't be {value!r}: it is one of {options}.").format(
            name=name, value=token.value, options=", ".join(map(repr, choices))
        )
        return message, nearest(token.value, choices)
    kind = KINDS.get(error.target_type) if error.target_type is not None else None
    if kind is None:
        return _("{name} can't be {value!r}.").format(name=name, value=token.value), hint
    return (
        _("{name} can't be {value!r}: it is {kind}.").format(name=name, value=token.value, kind=_(kind)),
        hint,
    )


def _too_much(error: UnusedCliTokensError, tokens: Sequence[str], hint: str) -> tuple[str, str]:
    """(message, hint) for surplus words; one after a switch was meant as its value."""
    left = error.unused_tokens or []
    switches: dict[str, tuple[str, ...]] = {}
    for argument in error.app.assemble_argument_collection() if error.app is not None else ():
        if bool in (argument.hint, *get_args(argument.hint)):
            switches |= dict.fromkeys(argument.names, argument.names)
    for flag, value in pairwise(tokens):
        if flag in switches and (value in left or value.lower() in TRUTHS):
            message = _("{flag} takes no value, and {value!r} follows it.").format(flag=flag, value=value)
            return message, _("Write it alone: {flags}.").format(flags=_(" or ").join(switches[flag]))
    return _("That is too much: {left}.").format(left=" ".join(left)), hint


def _name(argument: Any) -> str:
    """A flag as it is typed; a positional argument as in the usage line."""
    name: str = argument.name
    return name if argument.index is None else name.lstrip("-").upper()
