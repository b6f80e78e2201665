"""How a network of the user's own is written: ``mynet.py:Net``, or with arguments ``mynet.py:Net(width=16)``.

In a space and in a row of a study ``net.width=16`` gives the argument alone.
"""

import ast
import keyword
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from treino.base.errors import Refusal
from treino.base.own_objects import keep

NET_CALL = Refusal(
    "{value!r} does not say how a network is made.",
    "Write its arguments by their names: [[net=mynet.py:Net(width=16, act=relu)]].",
    rule="net_form",
)
NET_ARGUMENT_VALUE = Refusal(
    "{name} can't be {value!r}.",
    "An argument is a number, a text, true, false, None or a list of these; in Python also a function or a "
    "class.",
)

ARGUMENT = "net."
"""What the name of an argument begins with where it stands by itself."""
_CALL = re.compile(r"(?P<of>.+?:[^\W\d]\w*|[^\W\d]\w*@[0-9a-f]{8})\((?P<arguments>.*)\)", re.DOTALL)
_WORDS = {"true": True, "false": False}


def is_argument(name: str) -> bool:
    """Whether the name is that of an argument of the network, with "net." before it."""
    return name.startswith(ARGUMENT) and name.removeprefix(ARGUMENT).isidentifier()


@dataclass(frozen=True)
class NetworkCall:
    """A network of the user's own. of: its FILE.py:NAME, or the name of an object given in Python. arguments:
    the keyword arguments that it is made with."""

    of: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> "NetworkCall":
        """The call that a text describes. A text without arguments is taken as it is.

        Raises:
            TreinoError: arguments without names, or values that can't be arguments.
        """
        match = _CALL.fullmatch(text.strip())
        if match is None:
            return cls(text)
        try:
            call = ast.parse(f"f({match['arguments']})", mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise NET_CALL(value=text) from None
        if not isinstance(call, ast.Call) or call.args:
            raise NET_CALL(value=text)
        texts = {str(each.arg): ast.unparse(each.value) for each in call.keywords if each.arg}
        if len(texts) < len(call.keywords):
            raise NET_CALL(value=text)
        return cls(match["of"]).given({name: read_argument(name, value) for name, value in texts.items()})

    def given(self, arguments: Mapping[str, Any]) -> "NetworkCall":
        """The call with these arguments too, which replace those of the same names.

        Raises:
            TreinoError: a value that can't be an argument.
        """
        own = {name: checked_argument(ARGUMENT + name, value) for name, value in arguments.items()}
        return replace(self, arguments={**self.arguments, **own})

    def renamed(self, names: Mapping[str, str]) -> "NetworkCall":
        """The same call of the network that ``names``, ``{old: new}``, has in its place."""
        return replace(self, of=names.get(self.of, self.of))

    def __str__(self) -> str:
        words = ", ".join(f"{name}={argument_text(value)}" for name, value in self.arguments.items())
        return f"{self.of}({words})" if words else self.of


def in_place_of(former: str | None, net: str) -> str:
    """What the setting holds where a network's file is given again: the former arguments stay."""
    call = NetworkCall.read(net)
    if ":" not in call.of or former is None:
        return net
    return str(NetworkCall(call.of, NetworkCall.read(former).arguments).given(call.arguments))


def checked_argument(name: str, value: Any) -> Any:
    """The value as an argument: lists as tuples, objects of Python by the names under which they are kept.

    Raises:
        TreinoError: it can't be an argument.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        if any(isinstance(each, list | tuple) for each in value):
            raise NET_ARGUMENT_VALUE(name=name, value=value)
        return tuple(checked_argument(name, each) for each in value)
    if callable(value):
        return keep(value)
    finite = isinstance(value, float) and math.isfinite(value)
    if value is None or finite or isinstance(value, bool | int | str):
        return value
    raise NET_ARGUMENT_VALUE(name=name, value=value)


def read_argument(name: str, value: Any) -> Any:
    """The value of an argument; that of a text is a literal of Python, true, false, or the text itself.

    Raises:
        TreinoError: it can't be an argument.
    """
    if isinstance(value, str):
        text = value.strip()
        try:
            value = ast.literal_eval(text)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            value = _WORDS.get(text.lower(), text)
    return checked_argument(name, value)


def argument_text(value: Any) -> str:
    """The value as ``read_argument`` reads it again."""
    if isinstance(value, list | tuple):
        return repr(tuple(value))
    plain = isinstance(value, str) and value.isidentifier() and not keyword.iskeyword(value)
    return value if plain and value.lower() not in _WORDS else repr(value)
