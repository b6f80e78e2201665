"""Functions of Python whose keywords are settings: what their signatures and their help say of each."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeVar, get_type_hints

from treino.base.signatures import declare, keyword, own_parameters
from treino.settings.spec import Settings

Taker = TypeVar("Taker", bound=Callable[..., Any])


def sentence(name: str) -> str:
    """What a setting is, with the names of keywords in place of flags."""
    about = str(Settings.model_fields[name].description)
    return re.sub(r"--([a-z][a-z-]*)", lambda flag: flag[1].replace("-", "_"), about)


@cache
def _hints() -> dict[str, Any]:
    return get_type_hints(Settings)


def takes_settings(names: Iterable[str], **defaults: Any) -> Callable[[Taker], Taker]:
    """Show these settings in the signature and the help of a function that takes them as ``**settings``, but
    those that are parameters of its own. defaults: those that are not the table's."""

    def shown(function: Taker) -> Taker:
        own = own_parameters(function)
        more = [name for name in names if name not in {parameter.name for parameter in own}]
        usual = {name: Settings.model_fields[name].default for name in more} | defaults
        declare(function, [*own, *(keyword(name, usual[name], _hints()[name]) for name in more)])
        help_of = (f"    {name}: {sentence(name)}" for name in more)
        function.__doc__ = "\n".join([str(function.__doc__), "    The settings:", "", *help_of, "    "])
        return function

    return shown
