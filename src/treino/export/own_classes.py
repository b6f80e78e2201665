"""Classes of losses, optimizers and activations in the exported script: torch's by name, others copied."""

import inspect
import textwrap

from treino.engine import ACTIVATIONS, LOSSES, OPTIMIZERS
from treino.errors import TreinoError
from treino.records.stored_run import StoredRun
from treino.words import _

PLACES = {"torch.nn.modules.": "nn", "torch.optim.": "torch.optim"}


def class_name(kind: type) -> str:
    """What the script calls it: ``nn.MSELoss``, ``torch.optim.Adam``, or the bare name of one of its own."""
    place = next((place for module, place in PLACES.items() if f"{kind.__module__}.".startswith(module)), "")
    return f"{place}.{kind.__name__}" if place else kind.__name__


def definitions(run: StoredRun) -> str:
    """The source of each class of this run that isn't torch's."""
    s = run.settings
    kinds: list[type] = [LOSSES[s["loss"]].criterion, OPTIMIZERS[s["optimizer"]].torch]
    if run.spec.net == "mlp":
        kinds.insert(0, type(ACTIVATIONS[s["activation"]].module()))
    return "\n\n\n".join(_source(kind) for kind in kinds if "." not in class_name(kind))


def _source(kind: type) -> str:
    try:
        return textwrap.dedent(inspect.getsource(kind)).rstrip()
    except (OSError, TypeError):
        raise TreinoError(
            "export_class_source",
            _("The source of the class {name} can't be read, so a script can't have it.").format(
                name=kind.__name__
            ),
            _("Keep the class in a file; or use [[format=safetensors]]."),
        ) from None
