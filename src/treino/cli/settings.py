"""The training flags: one for each setting of the table in ``spec.py``."""

import inspect
from typing import Annotated

import cyclopts
from cyclopts import Group

from treino.spec import FLAGS, GROUPS, Settings, group_of


def setting_flags() -> list[inspect.Parameter]:
    """The flag of each setting, for a verb that takes ``**flags``."""
    flags = []
    for name, field in Settings.model_fields.items():
        boolean = field.annotation is bool
        flag = cyclopts.Parameter(
            name=FLAGS[name],
            negative=f"--no-{FLAGS[name][2:]}" if boolean else (),
            help=field.description,
            group=Group(group_of(name), sort_key=GROUPS.index(group_of(name))),
            show_default=False,
        )
        kind = Annotated[(bool if boolean else str) | None, flag]  # type: ignore[valid-type]
        flags.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind))
    return flags
