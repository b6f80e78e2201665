# expect: nothing
"""An autoencoder fitted on normal rows alone; the test set has every kind, ordered by kind."""

import torch
from sklearn.metrics import roc_auc_score
from torch import nn

torch.manual_seed(5)
normal = torch.randn(700, 8) @ torch.randn(8, 8) * 0.5
strange = torch.randn(60, 8) * 2.5
mean, std = normal[:500].mean(0), normal[:500].std(0)
train = (normal[:500] - mean) / std
test = (torch.cat([normal[500:], strange]) - mean) / std
labels = torch.cat([torch.zeros(200), torch.ones(60)])
net = nn.Sequential(
    nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3), nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 8)
)
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for _epoch in range(15):
    net.train()
    for rows in train[torch.randperm(500)].split(50):
        loss = nn.functional.mse_loss(net(rows), rows)
        opt.zero_grad()
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    score = (net(test) - test).square().mean(1)
print("train loss", loss.item(), "AUC", roc_auc_score(labels.numpy(), score.numpy()))
