"""A clip so small that almost nothing remains of the gradients."""

from treino_doctor.places.settings import library_setting, setting
from treino_doctor.places.source import calls, module, same
from treino_doctor.record.log import OptimizerEnded, OptimizerMade, Stepped
from treino_doctor.record.outcomes import Clip
from treino_doctor.rules.course import Training, trainings
from treino_doctor.rules.rule import STEP, Evidence, Faults, Log, Rule, Site, by_line, median, script

LIMITS = (("max_norm", 1), ("clip_value", 1), ("max", 2))  # (keyword, position) of the limit
CALLS = 10  # minimum number of calls of a clip
SLIVER = 0.05  # share of the gradients that typically remains
STEPS = 10  # minimum number of steps of the optimizer
FELL = 0.9  # times the first quarter's loss: above that, the last quarter's loss hardly fell; not measured
CRAWLS = 1e-3  # ‖Δp‖ / ‖p‖ of a typical step
STAYED = 0.02  # ‖p_end − p_start‖ / ‖p_start‖ of weights that hardly moved
BELOW_EPS = 1e-6  # a lower limit is near Adam's eps; Adam rescales what a higher one leaves


def decide(log: Log) -> Faults:
    """A clip removes nearly all of the gradients, the weights hardly move, and the loss hardly falls."""
    made = {o.optimizer: o for o in log.of(OptimizerMade)}
    every = trainings(log)
    for clips in by_line(log.of(Clip), lambda c: c.site).values():
        share, site, limit = median(c.share for c in clips), clips[0].site, clips[-1].limit
        if len(clips) < CALLS or not share < SLIVER:
            continue
        for end in log.of(OptimizerEnded):
            if not stuck(every, end.optimizer):
                continue
            ratios = [s.ratio for s in log.of(Stepped) if s.optimizer == end.optimizer]
            still = end.movement < STAYED or (bool(ratios) and median(ratios) < CRAWLS)
            adaptive = end.optimizer in made and made[end.optimizer].adaptive and limit >= BELOW_EPS
            if end.steps >= STEPS and not adaptive and still:
                numbers = {"limit": limit, "share": share, "movement": end.movement, "calls": len(clips)}
                yield Evidence(site, numbers, stack=clips[-1].stack)
                break


def stuck(every: list[Training], optimizer: int) -> bool:
    """Whether the longest training with this optimizer ends with no better loss than its first."""
    course = next((t.values for t in every if optimizer in t.optimizers), ())
    n = max(1, len(course) // 4)
    return bool(course) and sum(course[-n:]) > FELL * sum(course[:n])


def place(evidence: Evidence) -> Site | None:
    """The line that sets the limit; the clip itself, if the file uses a GradScaler without ``unscale_``: then
    the limit is right, but the gradients are still scaled."""
    site, limit = evidence.seen, evidence.numbers["limit"]
    every = module(site.file) if site is not None else None
    if calls(every, "GradScaler") and not calls(every, "unscale_"):
        return site
    lines = (setting(site, keyword, at, limit) for keyword, at in LIMITS)
    written = next((line for line in lines if not same(line, site)), site)
    return library_setting(site, "max_norm", limit) or written


RULE = Rule(
    group="gradients",
    certain=False,
    message="""Gradients are clipped to {limit}, typically {share} times their size, and the weights moved by
    {movement} in all.""",
    why="""A clip is meant for rare outliers. This one cuts every gradient, so that the step is lr times the
    clip: too little to learn anything in the steps that were taken.""",
    fix="""Raise the clip to about the gradients' usual norm (clip_grad_norm_ returns it), or raise lr with
    it.""",
    safety="The steps become larger, so raise the limit little by little.",
    limits="""A clip that a program works out itself is known only if it multiplies the gradients by a limit
    divided by their norm.""",
    wrong=script(steps=30).replace(STEP, "    nn.utils.clip_grad_norm_(net.parameters(), 1e-5)\n" + STEP),
    mend={"1e-5": "1.0"},
)
