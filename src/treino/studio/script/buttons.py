"""``tr.button``: a function of the script's that can be called from the studio's page."""

from collections.abc import Callable

from treino.errors import TreinoError
from treino.words import _

LONGEST = 60  # letters

buttons: dict[str, Callable[[], object]] = {}
"""What every button calls, by the button's name."""


def button(name: str, function: Callable[[], object]) -> None:
    """Add a button to the studio's page that calls ``function``, between two steps of an optimizer.

    The call is made in the thread that trains, so nothing of the network changes meanwhile. Outside of the
    studio nobody can press it, and this does nothing but remember the function. A second button of the same
    name takes the place of the first.

    Raises:
        TreinoError: the name is empty or longer than 60 letters, or the function can't be called (rule
            ``button``).
    """
    if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST:
        raise TreinoError(
            "button",
            _("A button's name has 1 to {limit} letters, unlike {name!r}.").format(limit=LONGEST, name=name),
            _('Give it a short one: tr.button("evaluate now", evaluate)'),
        )
    if not callable(function):
        raise TreinoError(
            "button",
            _("The button '{name}' needs a function to call, not {value!r}.").format(
                name=name, value=function
            ),
            _("Give the function itself, without calling it: tr.button({name!r}, evaluate)").format(
                name=name
            ),
        )
    buttons[name] = function
