# expect: nothing
# mends: z_apply_half_everywhere.py
"""model.apply with an init that gives every unit the same weights."""

import torch
from sklearn.datasets import make_moons
from torch import nn

torch.manual_seed(0)
X, y = make_moons(600, noise=0.15, random_state=0)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.kaiming_uniform_(m.weight, nonlinearity="relu")
        nn.init.zeros_(m.bias)


model = nn.Sequential(nn.Linear(2, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 1))
model.apply(init_weights)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.BCEWithLogitsLoss()
for epoch in range(15):
    model.train()
    for idx in torch.randperm(450).split(45):
        optimizer.zero_grad()
        loss = loss_fn(model(X[idx]).squeeze(1), y[idx])
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.inference_mode():
        accuracy = ((model(X[450:]).squeeze(1) > 0) == (y[450:] > 0.5)).float().mean().item()
    if epoch % 5 == 4:
        print("epoch", epoch + 1, "loss", round(loss.item(), 4), "accuracy", round(accuracy, 4))
