"""nll_loss on something else than log-probabilities."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="nll_without_log_softmax",
    group="losses",
    severity="wrong",
    certain=True,
    early=True,
    message=N_(
        "nll_loss got values that are no log-probabilities ({calls} of {looked} calls looked at; they come "
        "from {source})."
    ),
    why=N_(
        "nll_loss only picks the value at the label and turns its sign; without log-softmax before it "
        "nothing "
        "keeps the values normalised (log-sum-exp up to {logsumexp}, should be 0). The loss falls "
        "without bound "
        "while the predictions need not become better."
    ),
    fix=N_("Apply log_softmax over the class axis first, or use cross_entropy on the raw output."),
    safety="Safe: the loss becomes what its name says.",
    limits=(
        "Looks at `nll_loss` alone; a logarithm of plain scores is not told from one of probabilities "
        "where no softmax was seen and the values fit both."
    ),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.nll_loss(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.nll_loss(F.log_softmax(net(x), dim=1), y)
    loss.backward()
    optimizer.step()
""",
)
