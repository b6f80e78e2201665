"""The address of the playground that opens it with the settings of a command line."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from treino.errors import TreinoError
from treino.words import _, flag

GENERATED = "moons", "circles", "spirals", "xor", "gauss", "plane", "multi_gauss"  # drawn in the page itself
SETTINGS = (
    "features", "normalise", "validation", "test", "hidden", "activation", "loss", "optimizer", "lr",
    "weight_decay", "momentum", "betas", "eps", "clip", "dropout", "batch_size", "seed", "data_seed",
    "schedule", "steps", "fault",
)  # fmt: skip


def address(data: str | None, settings: Mapping[str, Any]) -> str:
    """``#data=moons&hidden=16,8``: data, by the name that they have in the page, and settings.

    Raises:
        TreinoError: the page has no such setting.
    """
    pairs = [] if data is None else [("data", data)]
    for name, value in settings.items():
        if name not in SETTINGS:
            raise TreinoError(
                "playground_setting",
                _("The playground has no {setting}.").format(setting=flag(name)),
                _("It has {flags}.").format(flags=", ".join(map(flag, SETTINGS))),
            )
        if name == "betas":
            pairs += [("beta1", _text(value[0])), ("beta2", _text(value[1]))]
        else:
            pairs.append((name, _text(value)))
    return "#" + "&".join(f"{name}={quote(text, safe=',:/@$;')}" for name, text in pairs) if pairs else ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) or not isinstance(value, Iterable):
        return str(value)
    return ",".join(map(str, value)) or "none"
