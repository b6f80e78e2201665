import csv

import torch
from torch import nn

torch.manual_seed(6)
model = nn.Linear(4, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
X = torch.randn(64, 4)
y = X.mean(1, keepdim=True)
log = open("metrics.csv", "w", newline="")  # noqa: SIM115
writer = csv.DictWriter(log, fieldnames=["step", "loss", "weight"])
writer.writeheader()
for step in range(45):
    loss = nn.functional.mse_loss(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    writer.writerow({"step": step, "loss": loss.item(), "weight": model.weight.sum().item()})
log.close()
with open("metrics.csv") as file:
    print(len(file.read().splitlines()), "lines")
