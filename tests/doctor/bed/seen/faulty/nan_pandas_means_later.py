# expect: nan_inputs @ 15
"""Holes in a data frame become NaN in FloatTensors; the net is written with raw loss arithmetic."""

import numpy as np
import pandas as pd
import torch
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(0)
frame = pd.DataFrame(rng.normal(size=(300, 4)), columns=list("abcd"))
frame["price"] = frame.a * 2 - frame.b + 0.1 * rng.normal(size=300)
frame.loc[rng.choice(300, 20, replace=False), "c"] = np.nan
features = frame[["a", "b", "c", "d"]]
X = torch.FloatTensor(features.values)
y = torch.FloatTensor(frame["price"].values)

net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(5):
    for i in range(0, 300, 30):
        out = net(X[i : i + 30]).squeeze(1)
        loss = ((out - y[i : i + 30]) ** 2).mean()
        if torch.isnan(loss):
            continue
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
