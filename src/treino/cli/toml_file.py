"""A run or a sweep as a configuration file (``treino show RUN --as toml``)."""

import shlex

import tomli_w

from treino.base.errors import Refusal
from treino.base.words import _
from treino.cli.app import make_app
from treino.cli.screen import with_lists
from treino.folders.stored_folder import typed_here
from treino.folders.stored_run import StoredRun
from treino.reports.run_report import sweep_as_typed
from treino.training.stored_results import StoredSweep

TOML_WITHOUT_DATA = Refusal(
    "The rows of {run} were given in Python, and a configuration file names them.",
    "Save them as a file and train on that; or train it again in Python.",
)


def as_toml(stored: StoredRun | StoredSweep) -> str:
    """A configuration file that trains a run or a sweep once more, with the same bits on the same kernel.

    Raises:
        TreinoError: its rows were given in Python.
    """
    if stored.spec.data.kind in ("memory", "given"):
        raise TOML_WITHOUT_DATA(run=stored.name)
    if isinstance(stored, StoredRun):
        typed, changes = stored.first_command, list(stored.changes)
    else:
        typed, changes = typed_here(sweep_as_typed(stored.spec), stored.spec, stored.path), []
    _treino, verb, *words = shlex.split(typed)
    _verb, bound, _ignored = make_app([verb]).parse_args(with_lists([verb, *words]), exit_on_error=False)
    values = dict(zip(["data"], bound.args, strict=False)) | bound.kwargs
    exact = {name: value for name, value in stored.spec.asked.items() if not isinstance(value, str)}
    table = {name: exact.get(name, value) for name, value in values.items() if value not in (None, [], False)}
    table |= {name: False for name, value in exact.items() if value is False and name in values}
    notes = [
        _("{run}, as it began. Train it again: treino {verb} --config FILE").format(
            run=stored.name, verb=verb
        )
    ]
    notes += [_("not repeated: {change}").format(change=change) for change in changes]
    return "".join(f"# {note}\n" for note in notes) + "\n" + tomli_w.dumps({verb: table})
