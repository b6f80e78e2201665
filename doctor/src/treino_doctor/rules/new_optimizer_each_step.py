"""An optimizer that is made anew for every step."""

from treino_doctor.record.log import OptimizerEnded, OptimizerMade, Stepped
from treino_doctor.rules.rule import CLEAR, Evidence, Faults, Log, Rule, by_line, script

LEAST = 6  # steps by new optimizers on the same weights; fewer may be the stages of a training
MOST = 0.9  # minimum share of the recorded steps that were the first and only ones of their optimizers
RESTARTED = "LBFGS"  # keeps its history within a step; restarting it is common


def decide(log: Log) -> Faults:
    """Nearly all steps of the optimizers made on one line were the first of a new optimizer, which began with
    the very weights that the previous one had left, and which keeps a state that is lost each time: momentum,
    moments."""
    recorded = {s.step for s in log.of(Stepped)}
    # at a window's first step, the weights that the previous optimizer left aren't known
    known = [s for s in log.of(Stepped) if s.step - 1 in recorded]
    steps = by_line(known, lambda s: s.optimizer)
    ends = {e.optimizer: e for e in log.of(OptimizerEnded)}
    unique = {o.optimizer: o for o in log.of(OptimizerMade) if not o.kind.startswith(RESTARTED)}
    for site, made in by_line(unique.values(), lambda o: o.site).items():
        taken = [s for o in made for s in steps.get(o.optimizer, ())]
        anew = [s for s in taken if s.anew and (s.optimizer not in ends or ends[s.optimizer].steps <= 1)]
        if len(anew) >= LEAST and len(anew) >= MOST * len(taken):
            numbers = {"optimizer": made[-1].kind, "anew": len(anew), "steps": len(taken)}
            yield Evidence(anew[-1].site, numbers, at=site)


SGD = "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n"
ADAM = "optimizer = torch.optim.Adam(net.parameters(), lr=0.05)\n"

RULE = Rule(
    group="gradients",
    message="""{anew} of {steps} steps looked at {anew:was|were} the first of a new {optimizer}, on the same
    weights.""",
    why="""{optimizer} remembers past gradients from step to step, and each new one begins with nothing:
    momentum and adaptive step sizes never act.""",
    fix="Make the optimizer once, before the loop.",
    safety="Training changes: momentum and moments act, as they never did. The rate may need to be set anew.",
    limits="""Left alone are an optimizer that remembers nothing, such as plain SGD; one optimizer for each of
    several nets, folds, epochs or stages; LBFGS; weights that are put back before each step; and a state that
    is loaded into each new optimizer.""",
    wrong=script(steps=20).replace(SGD, "").replace(CLEAR, f"    {ADAM}{CLEAR}"),
    mend={"net = nn.Linear(8, 3)\n": f"net = nn.Linear(8, 3)\n{ADAM}", f"    {ADAM}": ""},
)
