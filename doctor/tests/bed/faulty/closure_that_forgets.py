# expect: grad_cleared_before_step @ 21
# mend: 20 +         optimizer.step()
# mend: 22 →
"""A train-step closure is handed to a generic loop."""

import torch
from sklearn.datasets import make_moons
from torch import nn

torch.manual_seed(0)
X, y = make_moons(500, noise=0.15, random_state=0)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


def make_step(model, optimizer, criterion):
    def step(xb, yb):
        model.train()
        yhat = model(xb).squeeze(-1)
        loss = criterion(yhat, yb)
        loss.backward()
        model.zero_grad(set_to_none=False)
        optimizer.step()
        return loss.item()

    return step


def fit(step, batches, epochs):
    for epoch in range(epochs):
        losses = [step(X[i], y[i]) for i in batches()]
        yield epoch, sum(losses) / len(losses)


model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
train_step = make_step(model, torch.optim.SGD(model.parameters(), lr=0.3), nn.BCEWithLogitsLoss())
for epoch, loss in fit(train_step, lambda: torch.randperm(500).split(50), 6):
    print("epoch", epoch, "loss", round(loss, 4))
