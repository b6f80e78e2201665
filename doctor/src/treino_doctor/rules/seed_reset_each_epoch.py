"""The same random numbers in every epoch."""

import ast

from treino_doctor.places import source
from treino_doctor.record.log import OptimizerMade
from treino_doctor.record.outcomes import Drawn
from treino_doctor.rules.rule import CLEAR, Evidence, Faults, Log, Rule, Site, by_line, script

SEEDERS = ("manual_seed", "manual_seed_all", "seed", "default_rng", "RandomState", "Random")
BUSY = (ast.For, ast.While, ast.With, ast.Yield)  # in a function that does more than set seeds
LEAST = 3  # minimum number of repeats within one training, with steps between


def decide(log: Log) -> Faults:
    """One line repeatedly set the same seed, or drew the same order of rows, in one training."""
    made = sorted({o.step for o in log.of(OptimizerMade)})
    for kinds in (("seed", "generator"), ("order",)):
        every = [d for d in log.of(Drawn) if d.kind in kinds and d.training]
        for drawn in by_line(every, lambda d: (d.site, d.key)).values():
            again = longest(drawn, made)
            if len(again) >= LEAST:
                last = again[-1]
                seed = last.key if last.kind != "order" else ""
                numbers = {"seed": seed, "times": len(again)}
                yield Evidence(last.site, numbers, stack=last.stack, sites={last.kind: last.site})
                return


def longest(drawn: list[Drawn], made: list[int]) -> list[Drawn]:
    """The longest run of draws within one training (no optimizer made between), with steps between them."""
    best: list[Drawn] = []
    now: list[Drawn] = []
    for d in drawn:
        if now and any(now[-1].step < m <= d.step for m in made):
            now = []
        if not now or d.step > now[-1].step:
            now = [*now, d]
        best = max(best, now, key=len)
    return best


def place(evidence: Evidence) -> Site | None:
    """The call of a function that only seeds, in the loop; for an order, where its generator is seeded."""
    if "order" in evidence.sites:
        for site in evidence.stack:
            seeders = [source.place(site.file, c) for c in source.calls(source.function(site), *SEEDERS)]
            seeders = [f for f in seeders if isinstance(source.function(f), source.Function)]
            outer = source.loops(site)[:1]  # a seed before the loop is set only once
            seeders = [f for f in seeders if all(n.lineno <= f.line <= n.end_lineno for n in outer)]
            if seeders:
                return min(seeders, key=lambda f: abs(f.line - site.line))
        return evidence.seen
    return next((s for s in evidence.stack if not _only_seeds(s)), evidence.seen)


def _only_seeds(site: Site) -> bool:
    """Whether the function around a line sets seeds and does little else."""
    around = source.function(site)
    if not isinstance(around, source.Function) or any(isinstance(n, BUSY) for n in ast.walk(around)):
        return False
    plain = [n for n in ast.walk(around) if isinstance(n, (ast.Expr, ast.Assign)) and source.calls(n)]
    return 2 * sum(bool(source.calls(n, *SEEDERS)) for n in plain) > len(plain)


RULE = Rule(
    group="settings",
    message="The same seed {seed} was set, or the same order drawn, {times} times within one training.",
    why="""Every epoch draws the same order, the same dropout masks and the same augmentation. The net never
    sees anything new, which is what they are there for.""",
    fix="Set the seed once, before training; tell a distributed sampler every epoch (set_epoch).",
    safety="Safe: each epoch then draws anew.",
    limits="Generators of torch, NumPy and `random` are known; one that a library seeds is its own.",
    wrong=script().replace(CLEAR, "    torch.manual_seed(0)\n" + CLEAR),
    mend={"net = ": "torch.manual_seed(0)\nnet = ", "    torch.manual_seed(0)\n": ""},
)
