"""Batch norm that learns from a batch of one row."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="batchnorm_batch_of_one",
    group="modes",
    severity="risk",
    certain=True,
    message=N_(
        "A batch-norm layer in training mode got {ones} batches of one row (shape {shape}), and "
        "{larger} larger "
        "ones."
    ),
    why=N_(
        "The mean and deviation of one row say nothing of the data: the row is normalised by itself, and the "
        "running averages are pulled towards it. With one value per channel PyTorch refuses."
    ),
    fix=N_("Use drop_last=True or another batch size so that no batch has one row; or group norm."),
    safety="`drop_last=True` leaves up to a batch of rows out of each epoch, others each time when shuffled.",
    limits="Calls between windows are counted only where a single row enters a net in training mode.",
    wrong="""\
net = nn.Sequential(nn.Unflatten(1, (2, 4)), nn.BatchNorm1d(2), nn.Flatten(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for rows in torch.arange(61).split(20):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[rows]), y[rows])
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Sequential(nn.Unflatten(1, (2, 4)), nn.BatchNorm1d(2), nn.Flatten(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for rows in torch.arange(60).split(20):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[rows]), y[rows])
    loss.backward()
    optimizer.step()
""",
)
