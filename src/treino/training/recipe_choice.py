"""The choice of a recipe if none is set: ``table`` for the user's own tables."""

from collections.abc import Callable
from typing import Any

from treino import recipes
from treino.data import BUILTINS
from treino.data.dataset import Data
from treino.data.torch_datasets.dataset_source import is_torch_dataset
from treino.spec import Settings, faults_of, read_settings
from treino.words import _, setting


def choose_recipe(
    source: Any, settings: Settings, load: Callable[[Settings], Data], alone: str = ""
) -> tuple[Settings, Data, str]:
    """-> Settings with what a recipe adds, the rows prepared so, and which recipe it is and why: the one that
    is asked for, or that which suits the source.

    load: reads and prepares the rows. alone: an argument that requires a single network, such as its weights,
    in words.

    Raises:
        TreinoError: bad input.
    """
    if settings.recipe is not None:
        return settings, load(settings), ""
    why = _why_plain(source, settings, alone)
    if why:
        return settings, load(settings), plain_reason(why)
    table = _by_recipe(settings)
    data = load(table)
    if data.kind != "table":
        return settings, load(settings), plain_reason(_("this is no table"))
    if table.inputs == "bins" and data.inputs > recipes.MOST_INPUTS:
        table = _by_recipe(settings, inputs="plain")
        data = load(table)
    reason = _(
        "recipe table, as by default for a table of your own: {n} networks ({flag}: one simple network)"
    )
    return table, data, reason.format(n=table.ensemble, flag=setting("recipe", "plain"))


def _why_plain(source: Any, settings: Settings, alone: str) -> str:
    """Why one simple network is trained; empty if the recipe for tables may apply."""
    if alone:
        return alone
    if settings.net is not None:
        return _("the network is your own")
    if faults_of(settings):
        return _("a fault is to be seen")
    if isinstance(source, Data):
        return _("the rows were prepared before")
    if is_torch_dataset(source):
        return _("this is no table")
    return _("built-in data") if isinstance(source, str) and source in BUILTINS else ""


def plain_reason(why: str) -> str:
    """A sentence that says that one simple network is trained, with the reason."""
    return _("recipe plain: one simple network ({why})").format(why=why)


def _by_recipe(settings: Settings, **more: str) -> Settings:
    explicit = {name: getattr(settings, name) for name in settings.model_fields_set}
    return read_settings(explicit | more | {"recipe": "table"})
