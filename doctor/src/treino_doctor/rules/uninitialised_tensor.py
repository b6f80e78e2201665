"""Tensors made by their sizes alone that enter a loss before anything was written into them."""

from treino_doctor.record.outcomes import Unfilled
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, script


def decide(log: Log) -> Faults:
    """A loss was computed from memory that was never written."""
    for one in log.of(Unfilled):
        shape = "×".join(map(str, one.shape)) or "1"
        yield Evidence(one.site, {"shape": shape}, at=one.made_at)


RULE = Rule(
    group="data",
    message="The loss was made of a tensor ({shape}) that nothing was ever written into.",
    why="""torch.empty(n, m), torch.Tensor(n, m) and x.new(n, m) give memory as it lies there: often zeros,
    sometimes the remains of other numbers, huge ones or NaN among them. A run depends on what was in memory
    before.""",
    fix="Make it with torch.zeros or torch.randn, or fill it by a function of torch.nn.init.",
    safety="Other first values make another training.",
    limits="""A tensor that is filled in part counts as filled. Writes through `.data` or NumPy can't be seen,
    and tensors that may have had such writes are left alone. What torch.FloatTensor(n, m) makes is not seen:
    it is no function of torch.""",
    wrong="""\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(8, 3))
        nn.init.zeros_(nn.Parameter(torch.empty(8, 3)))

    def forward(self, rows):
        return rows @ self.weight


"""
    + script("Net()"),
    mend={"nn.init.zeros_(nn.Parameter(torch.empty(8, 3)))": "nn.init.normal_(self.weight)"},
)
