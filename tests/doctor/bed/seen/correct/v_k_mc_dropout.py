# expect: nothing
"""Regression with uncertainty: dropout stays on for 30 stochastic passes, plus a plain evaluation."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(2)
torch.manual_seed(2)
df = pd.DataFrame({"km": np.random.gamma(3, 30, 1200), "age": np.random.randint(0, 15, 1200), "hp": np.random.normal(110, 30, 1200)})
df["price"] = 25 - 1.1 * df.age - 0.03 * df.km + 0.08 * df.hp + np.random.normal(0, 1, 1200)
train, test = train_test_split(df, test_size=0.2, random_state=2)
cols = ["km", "age", "hp"]
mu, sd = train.mean(), train.std()
tens = lambda d: (torch.tensor(((d - mu) / sd)[cols].values, dtype=torch.float32), torch.tensor(((d - mu) / sd)[["price"]].values, dtype=torch.float32))
xtr, ytr = tens(train)
xte, yte = tens(test)

net = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(15):
    net.train()
    for xb, yb in DataLoader(TensorDataset(xtr, ytr), batch_size=32, shuffle=True):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(xb), yb)
        loss.backward()
        opt.step()

net.eval()
with torch.no_grad():
    plain = nn.functional.mse_loss(net(xte), yte).item()
    for m in net.modules():
        if isinstance(m, nn.Dropout):
            m.train()
    samples = torch.stack([net(xte) for _ in range(30)])
net.eval()
mean, std = samples.mean(0), samples.std(0)
inside = ((yte - mean).abs() < 2 * (std ** 2 + plain).sqrt()).float().mean().item()
print(f"test mse {plain:.4f}, MC mse {nn.functional.mse_loss(mean, yte).item():.4f}, mean std {std.mean().item():.3f}, coverage {inside:.3f}")
