# expect: label_misaligned @ 20
# allowed: label_misaligned @ 17
# allowed: label_misaligned @ 19
# allowed: label_misaligned @ 21
# allowed: label_misaligned @ 29
"""Joins measurements and diagnoses by patient id and trains a risk classifier."""
import numpy as np
import pandas as pd
import torch
from torch import nn

rng = np.random.default_rng(12)
n = 600
measures = pd.DataFrame(rng.normal(size=(n, 5)), columns=list("abcde"))
measures["pid"] = rng.permutation(n)
risk = (measures["a"] + measures["b"] - measures["c"] > 0).astype(int)
diagnoses = pd.DataFrame({"pid": measures["pid"], "risk": risk}).sort_values("pid")

x = torch.tensor(measures[list("abcde")].to_numpy(), dtype=torch.float32)
labels = diagnoses["risk"].to_numpy()
y = torch.tensor(labels)
torch.manual_seed(12)
net = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(15):
    net.train()
    for idx in torch.randperm(450).split(30):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x[idx]), y[idx])
        loss.backward()
        opt.step()
    if epoch % 5 == 4:
        net.eval()
        with torch.no_grad():
            print(epoch, loss.item(), "acc", (net(x[450:]).argmax(1) == y[450:]).float().mean().item())
