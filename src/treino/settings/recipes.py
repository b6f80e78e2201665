"""Recipes: sets of defaults that were measured together, for settings that the user leaves open."""

import math
from collections.abc import Mapping
from typing import Any

TABLE: dict[str, Any] = {
    "inputs": "bins",
    "bins": 16,
    "clip_inputs": 5.0,
    "target_means": True,
    "trees": 600,
    "gates": 6.0,
    "ema": 0.98,
    "ensemble": 8,
    "clip_target": True,
    "hidden": (64, 64),
    "optimizer": "adamw",
    "lr": 2e-3,
    "weight_decay": 1e-2,
}
MOST_INPUTS = 1024  # maximum number of inputs with bins; with more, training would take minutes
DROPOUT = 0.4  # the largest dropout rate in an ensemble, whose networks have different rates
PLAIN_EACH = 4  # one in this many networks gets no bins
ROWS_A_BATCH, BATCHES = 50, (32, 512)  # batch size: rows / ROWS_A_BATCH, within BATCHES
STEPS, EPOCHS = 5000, 20  # minimum length of a training
PATIENCE_STEPS, PATIENCE_EPOCHS = 400, 20  # early stopping's patience: the longer of both


# ---- pictures

SIZES = (16, 32, 64, 64)  # channels at each picture size; after each, the size is halved
LEAST_SIDE = 3  # least pixels of the smaller side, which limit the number of sizes; at least two
STRIDED = 48  # pixels of a side from which on the first convolution has kernel 5 and stride 2
PICTURE: dict[str, Any] = {"hidden": (64,), "dropout": 0.3, "group_norm": 4, "label_smoothing": 0.05}


def picture_settings(
    shape: tuple[int, ...], *, batch_norm: bool = False, pooled: bool = False, classes: bool = True
) -> dict[str, Any]:
    """The settings of a network for pictures if ``channels`` is left open; rate, batch size and length are
    the same as for any convolutional network.

    shape: (channels, height, width) of a picture. batch_norm: whether batch norm is used. pooled: whether
    the user sets pools, the same for all stages. classes: whether it learns classes by cross-entropy.
    """
    side = min(shape[1:])
    stride = 2 if side >= STRIDED else 1
    most, usual = (int(math.log2(side / stride / least)) for least in (1, LEAST_SIDE))
    sizes = SIZES[: max(1, min(max(2, usual), most))]
    more = [channels for channels in sizes[1:] for _convolution in range(1 if pooled else 2)]
    layers: dict[str, Any] = {
        "channels": (sizes[0], *more),
        "pool": ("max", *("none", "max") * len(sizes[1:])),
    }
    if stride > 1:
        layers |= {"kernel": (5, *(3,) * len(more)), "stride": (stride, *(1,) * len(more))}
    left_out = {"group_norm"} if batch_norm else set()
    left_out |= set() if classes else {"label_smoothing"}
    return layers | {name: value for name, value in PICTURE.items() if name not in left_out}


# ---- tables


def table_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that the recipe ``table`` adds to the given ones."""
    additions = {name: value for name, value in TABLE.items() if name not in settings}
    if "optimizer" in settings:  # then lr and weight decay keep the optimizer's defaults
        additions = {name: value for name, value in additions.items() if name not in ("lr", "weight_decay")}
    every = settings | additions
    if every["ensemble"] > 1 and not {"dropout", "dropout_spread"} & set(settings):
        additions |= {"dropout": DROPOUT, "dropout_spread": True}
    if every["ensemble"] == 1 and "clip_target" not in settings:
        del additions["clip_target"]
    if every["inputs"] == "bins" and every["gates"] and "plain_members" not in settings:
        additions["plain_members"] = every["ensemble"] // PLAIN_EACH
    return additions


def without_recipe(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, without the settings that their recipe would add again."""
    if settings.get("recipe") != "table":
        return dict(settings)
    usual, known = _plain_values(table_settings({})), _plain_values(settings)
    rest = {name: value for name, value in known.items() if usual.get(name, ...) != value}
    for name in usual:
        fewer = {other: value for other, value in rest.items() if other != name}
        if _plain_values(fewer | table_settings(fewer)) == known:
            rest = fewer
    return rest if _plain_values(rest | table_settings(rest)) == known else dict(settings)


def _plain_values(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with lists instead of tuples, as in JSON."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}


def batch_rows(rows: int) -> int:
    """The batch size for ``rows`` training rows, a power of two."""
    least, most = BATCHES
    return int(2 ** round(math.log2(min(most, max(least, rows / ROWS_A_BATCH)))))


def length(batches: int) -> tuple[int, int]:
    """(epochs, patience in epochs) for ``batches`` batches per epoch."""
    epochs = max(EPOCHS, -(-STEPS // batches))
    return epochs, max(PATIENCE_EPOCHS, -(-PATIENCE_STEPS // batches))
