"""A clip so small that nothing is left of the gradients."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Nearly all gradients are cut to a sliver, the optimizer doesn't rescale them, and nothing moves."""
    for clip in seen.clips.values():
        if clip.calls < 10 or not clip.share:
            continue
        shares = sorted(clip.share)
        typical = shares[len(shares) // 2]
        still = [o for o in seen.optimizers if o.steps >= 10 and not o.adaptive and o.movement is not None]
        moves = [o.movement for o in still if o.movement is not None and o.movement < 0.02]
        by_hand = seen.manual.movement
        if not seen.optimizers and by_hand is not None and by_hand < 0.02:
            moves = [by_hand]
        values = seen.loss_values()
        n = max(1, len(values) // 4)
        no_better = sum(values[-n:]) > 0.9 * sum(values[:n])
        if typical < 0.05 and moves and no_better:
            numbers = {
                "limit": clip.limit,
                "share": typical,
                "movement": moves[0],
                "calls": clip.calls,
            }
            yield Evidence(clip.site, clip.site, numbers)


RULE = Rule(
    id="clip_too_small",
    group="gradients",
    severity="wrong",
    certain=False,
    watches=("clips", "optimizers", "backwards"),
    decide=decide,
    message=N_(
        "Gradients are clipped to {limit}, typically {share} of their size, and the weights moved by "
        "{movement} in all."
    ),
    why=N_(
        "A clip is meant for rare outliers. This one cuts every gradient, so that the step is lr times "
        "the clip: too little to learn anything in the steps that were taken."
    ),
    fix=N_(
        "Raise the clip to about the gradients' usual norm (clip_grad_norm_ returns it), or raise lr with it."
    ),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(30):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1e-5)
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(30):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
""",
    cost=N_("the norm that clipping computes anyway"),
)
