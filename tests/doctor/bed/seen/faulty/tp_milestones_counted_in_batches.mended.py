# expect: nothing
"""Sensor drift: a small regression whose rate falls at two milestones."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(4)
table = load_diabetes()
rows = torch.tensor(table.data, dtype=torch.float32)
rows = rows / rows[:350].std(0)
goal = torch.tensor(table.target, dtype=torch.float32)
goal = ((goal - goal[:350].mean()) / goal[:350].std()).unsqueeze(1)
fit_on = DataLoader(TensorDataset(rows[:350], goal[:350]), batch_size=25, shuffle=True)
check_on = DataLoader(TensorDataset(rows[350:], goal[350:]), batch_size=92)


class Drift(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, x):
        return self.body(x)


def one_epoch(model, optimizer, drops):
    model.train()
    for x, y in fit_on:
        optimizer.zero_grad(set_to_none=True)
        nn.functional.smooth_l1_loss(model(x), y).backward()
        optimizer.step()


model = Drift()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
drops = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[18, 25], gamma=0.2)
for epoch in range(30):
    one_epoch(model, optimizer, drops)
    drops.step()
    model.eval()
    with torch.no_grad():
        lost = [nn.functional.smooth_l1_loss(model(x), y).item() for x, y in check_on]
print(f"error {sum(lost) / len(lost):.4f} rate {optimizer.param_groups[0]['lr']:.4f}")
