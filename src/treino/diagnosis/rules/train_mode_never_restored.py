"""Training that goes on in eval mode after an evaluation, or begins in it."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="train_mode_never_restored",
    group="modes",
    severity="wrong",
    certain=True,
    message=N_("{net} was set to eval, and {steps} steps were then trained in eval mode ({layers})."),
    why=N_(
        "In eval mode dropout is off and batch norm uses its stored statistics, which no longer follow the "
        "weights. What is trained so is another network than the one that was written."
    ),
    fix=N_("Call model.train() at the head of every epoch (or right after the evaluation)."),
    safety=(
        "Safe: dropout and batch norm work again, so the loss of training may look worse and that of "
        "evaluation better."
    ),
    limits="A net that was loaded and is tuned in eval mode from the first step on is left alone.",
    wrong="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:200]), y[:200])
    loss.backward()
    optimizer.step()
    net.eval()
    with torch.no_grad():
        accuracy = (net(x[200:]).argmax(1) == y[200:]).float().mean()
""",
    right="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    net.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:200]), y[:200])
    loss.backward()
    optimizer.step()
    net.eval()
    with torch.no_grad():
        accuracy = (net(x[200:]).argmax(1) == y[200:]).float().mean()
""",
)
