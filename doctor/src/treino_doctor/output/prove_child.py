"""One run of a proof, in its own process: other sources, another seed and learning rate."""

import json
import math
import random
import sys
from contextlib import suppress
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any


def main(job_path: str) -> int:
    """Run the job in a file, and write the recorded loss."""
    job = json.loads(Path(job_path).read_text())
    _vary(job["seed"], job["rate"])
    _exchange(job["sources"])
    from treino_doctor.process.run_script import Outcome, run_script
    from treino_doctor.rules.course import trainings

    def answer(outcome: Outcome) -> None:
        longest = next(iter(trainings(outcome.exam.log)), None)
        loss = math.nan
        if longest is not None:
            last = longest.values[-max(1, len(longest.values) // 10) :]
            loss = sum(last) / len(last)
        found = list(dict.fromkeys(f.rule for f in outcome.exam.findings))
        result: dict[str, Any] = {"error": outcome.error, "steps": outcome.exam.steps, "found": found}
        result["loss"] = loss if math.isfinite(loss) else None
        Path(job["answer"]).write_text(json.dumps(result))

    source = None if job["module"] else job["sources"].get(str(Path(job["target"]).absolute()))
    given = {name: job[name] for name in ("arguments", "module", "max_steps", "max_time")}
    return run_script(job["target"], **given, source=source, report=answer).status


def _exchange(sources: dict[str, str]) -> None:
    """Let imports read these texts instead of the files."""
    first = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, name: str) -> CodeType | None:
        path = self.get_filename(name)
        if path in sources:
            return compile(sources[path], path, "exec", dont_inherit=True)
        return first(self, name)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]


def _vary(seed: int, rate: float) -> None:
    """Add the run's seed to every seed, and multiply every initial learning rate by ``rate``."""
    import torch
    from torch.optim.optimizer import Optimizer

    seeded_by: list[tuple[Any, str]] = [(torch, "manual_seed"), (random, "seed")]
    with suppress(ImportError):
        import numpy as np

        seeded_by.append((np.random, "seed"))
    for owner, name in seeded_by:
        getattr(owner, name)(seed)

    def shifted(original: Any) -> Any:
        def seeded(*args: Any, **kwargs: Any) -> Any:
            if args and isinstance(args[0], int):
                args = (args[0] + seed, *args[1:])
            return original(*args, **kwargs)

        return seeded

    for owner, name in seeded_by:
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
