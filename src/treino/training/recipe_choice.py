"""The choice of a recipe where none is asked for: that for tables on tables of one's own."""

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

    load: reads and prepares the rows as settings say. alone: what was given that needs one network, such as
    its weights.

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
    said = _("recipe table, as by default for a table of your own: {n} networks ({flag}: one simple network)")
    return table, data, said.format(n=table.ensemble, flag=setting("recipe", "plain"))


def _why_plain(source: Any, settings: Settings, alone: str) -> str:
    """Why one simple network is trained, or nothing where a table of one's own may be one for the recipe."""
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
    """That one simple network is trained, or each of many is one."""
    return _("recipe plain: one simple network ({why})").format(why=why)


def _by_recipe(settings: Settings, **more: str) -> Settings:
    asked = {name: getattr(settings, name) for name in settings.model_fields_set}
    return read_settings(asked | more | {"recipe": "table"})
