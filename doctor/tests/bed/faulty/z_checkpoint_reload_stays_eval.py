# expect: train_mode_never_restored @ 39
# allowed: train_mode_never_restored @ 30
# mend: 37 +     model.train()
"""Checks every second epoch, keeps the best weights in memory, goes on."""

import copy

import torch
from torch import nn

torch.manual_seed(9)
x = torch.rand(900, 3) * 2 - 1
y = (x[:, 0] * x[:, 1] + torch.sin(3 * x[:, 2]) + 0.1 * torch.randn(900))[:, None]
x_train, y_train, x_val, y_val, x_test, y_test = x[:600], y[:600], x[600:750], y[600:750], x[750:], y[750:]

model = nn.Sequential(
    nn.Linear(3, 64),
    nn.BatchNorm1d(64),
    nn.ReLU(),
    nn.Dropout(0.1),
    nn.Linear(64, 64),
    nn.ReLU(),
    nn.Linear(64, 1),
)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-3)
loss_fn = nn.MSELoss()


def evaluate(inputs, targets):
    model.eval()
    with torch.no_grad():
        return loss_fn(model(inputs), targets).item()


best, best_state = float("inf"), None
model.train()
for epoch in range(1, 11):
    for rows in torch.randperm(600).split(60):
        loss = loss_fn(model(x_train[rows]), y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 2 == 0:
        val = evaluate(x_val, y_val)
        print(f"epoch {epoch:3d} train {loss.item():.4f} val {val:.4f}")
        if val < best:
            best, best_state = val, copy.deepcopy(model.state_dict())

model.load_state_dict(best_state)
print("test mse", evaluate(x_test, y_test))
