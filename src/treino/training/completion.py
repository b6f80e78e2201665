"""The end of a training: the figures, once; the pictures; the weights; the seal."""

from typing import TYPE_CHECKING

from torch import Tensor

from treino.data.dataset import Data
from treino.data.torch_datasets.dataset_source import in_memory
from treino.documents import read_document
from treino.engine.metrics import measure
from treino.inspection.baselines import baselines
from treino.inspection.intervals import intervals
from treino.records.segments import said_of
from treino.records.train_document import facts, histories
from treino.store import RunFolder
from treino.training.findings import findings
from treino.training.user_data import answers, fewer_notes, honesty, resumed_notes, waited_notes

if TYPE_CHECKING:
    from treino.records.run import Run
    from treino.training.resolution import Plan


def finish(
    folder: RunFolder,
    data: Data,
    planned: "Plan",
    status: str,
    seconds: float,
    evaluation_seconds: float,
    waited_seconds: float,
    segment: int = 0,
) -> "Run":
    """Measure the kept weights, write what a reader of the run needs, seal the folder and open it.

    The test rows are looked at here and nowhere else, once, and not at all by a run that is to go on.
    """
    from treino.records.run import Run

    engine = planned.training
    net = engine.net(0, "kept")
    over = status in ("finished", "diverged")
    loss, scale = engine.loss_function, data.target_scale
    metrics: dict[str, dict[str, float] | None] = {"train": None, "validation": None, "test": None}
    held, test = in_memory(data), None
    for split, rows in data.splits.items():
        # a run that is to go on isn't kept waiting for rows that have to be read
        if len(rows) and (over or (split != "test" and isinstance(rows.x, Tensor))):
            out, y = answers(net, rows, engine.shared.item_shape)
            metrics[split] = {
                k: float(v[0]) for k, v in measure(out[None], y, loss=loss, scale=scale).items()
            }
            test = (out, y) if split == "test" else test
    waited = waited_seconds / max(seconds - evaluation_seconds, waited_seconds, 1e-9)
    full = planned.settings.get("baselines") == "full"
    found = baselines(held, loss, full) if over and len(data.test) else None
    folder.write_tensors("model.safetensors", dict(net.state_dict()), {})
    interval = None if test is None else intervals(*test, loss=loss, scale=scale)
    spec = read_document(folder, "spec.json")
    document = (
        facts(data, planned)
        | {name: spec[name] for name in ("parent", "segments") if name in spec}
        | honesty(data)
        | {
            "status": status,
            "stopped_early": engine.status_P[0] == "stopped",
            "steps": int(engine.last_step_P[0]),
            "seconds": seconds,
            "evaluation_seconds": evaluation_seconds,
            "waited": waited,
            "metrics": metrics,
            "intervals": {"test": interval},
            "baseline": found.metrics if found else {},
            "kept_epoch": int(engine.kept_epoch_P[0]),
            "kept_step": int(engine.kept_step_P[0]),
            "notes": [
                *said_of(spec),
                *data.notes,
                *resumed_notes(folder),
                *waited_notes(waited),
                *(found.notes if found else ()),
                *fewer_notes(data, held),
            ],
        }
    )
    document |= histories(folder, engine.steps_per_epoch, over=over)
    if over:
        document["findings"], defects = findings(folder, held, planned)
        document["notes"] += defects
    folder.write_json("result.json", document)
    folder.database.add_event(segment, engine.step, status)
    folder.seal(status)
    return Run(folder, data=held, net=net)
