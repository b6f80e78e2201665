"""One run of a proof, in a process of its own: a source under the script's own path, another seed,
another rate.
"""

import json
import math
import random
import sys
from pathlib import Path
from typing import Any


def main(job_path: str) -> int:
    """Run the job that a file describes and write the loss that was seen."""
    job = json.loads(Path(job_path).read_text())
    _vary(job["seed"], job["rate"])
    from treino.diagnosis.run_script import Outcome, run_script

    def answer(outcome: Outcome) -> None:
        values = outcome.exam.seen.loss_values()
        last = values[-max(1, len(values) // 10) :]
        loss = sum(last) / len(last) if last else math.nan
        found = {"loss": loss if math.isfinite(loss) else None, "steps": outcome.exam.steps}
        Path(job["answer"]).write_text(json.dumps(found))

    return run_script(job["path"], job["arguments"], source=job["source"], report=answer).status


def _vary(seed: int, rate: float) -> None:
    """Add the run's seed to every seed, and multiply every first learning rate."""
    import numpy as np
    import torch
    from torch.optim.optimizer import Optimizer

    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)

    def shifted(original: Any) -> Any:
        def seeded(*args: Any, **kwargs: Any) -> Any:
            if args and isinstance(args[0], int):
                args = (args[0] + seed, *args[1:])
            return original(*args, **kwargs)

        return seeded

    for owner, name in ((torch, "manual_seed"), (random, "seed"), (np.random, "seed")):
        setattr(owner, name, shifted(getattr(owner, name)))
    first = Optimizer.__init__

    def made(self: Any, params: Any, defaults: dict[str, Any]) -> None:
        first(self, params, defaults)
        for group in self.param_groups:
            if isinstance(group.get("lr"), float):
                group["lr"] *= rate

    Optimizer.__init__ = made  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
