"""The address of the playground that opens it with the settings of a command line."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from treino.base.errors import Refusal
from treino.base.words import flag
from treino.settings import names_file

PLAYGROUND_SETTING = Refusal("The playground has no {setting}.", "It has {flags}.")
PLAYGROUND_ROWS = Refusal(
    "The playground takes a share of the rows for {setting}, no file.",
    "For example {flag}; treino studio takes files.",
)

GENERATED = "moons", "circles", "spirals", "xor", "gauss", "plane", "multi_gauss"  # drawn in the page itself
SETTINGS = (
    *("features", "normalise", "validation", "test", "channels", "hidden", "activation", "loss", "optimizer"),
    *("lr", "weight_decay", "momentum", "betas", "eps", "clip", "dropout", "batch_size", "seed", "data_seed"),
    *("schedule", "steps", "fault"),
)


def address(data: str | None, settings: Mapping[str, Any]) -> str:
    """``#data=moons&hidden=16,8``: the data's name in the page, and settings.

    Settings that are not given are as in ``treino train``, so that the page begins like it. Without any
    setting, the page begins with its own defaults.

    Raises:
        TreinoError: the page has no such setting, or not with this value.
    """
    from treino.engine import DEFAULTS

    pairs = [] if data is None else [("data", data)]
    kind, net = ("cnn", "cnn") if settings.get("channels") else ("table", "mlp")
    settings = {name: value for name, value in settings.items() if (name, value) != ("net", net)}
    usual = {"hidden": DEFAULTS[kind].hidden or "none", "activation": "relu"}  # unlike the page alone
    if kind == "cnn":
        usual |= {name: getattr(DEFAULTS[kind], name) for name in ("lr", "batch_size", "schedule", "steps")}
    open_ = usual | ({"data_seed": settings["seed"]} if settings.get("seed") else {}) if settings else {}
    for name, value in {**settings, **{name: open_[name] for name in open_ if name not in settings}}.items():
        if name not in SETTINGS:
            raise PLAYGROUND_SETTING(setting=flag(name), flags=", ".join(map(flag, SETTINGS)))
        if names_file(name, value):
            raise PLAYGROUND_ROWS(setting=flag(name), flag=f"{flag(name)} 0.2")
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
    items = [str(item) for item in value]
    if any("," in item or item.startswith("[") for item in items):  # names of columns
        return json.dumps(items, ensure_ascii=False)
    return ",".join(items) or "none"
