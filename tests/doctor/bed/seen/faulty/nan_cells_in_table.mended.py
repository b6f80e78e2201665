# expect: nothing
# mends: nan_cells_in_table.py
"""A table with empty cells goes into the net as it is."""

import numpy as np
import pandas as pd
import torch
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(0)
frame = pd.DataFrame(rng.normal(size=(300, 4)), columns=["temp", "hum", "wind", "season"])
frame["cnt"] = 2 * frame.temp - frame.hum + 0.3 * rng.normal(size=300)
frame.loc[rng.choice(300, 12, replace=False), "hum"] = np.nan
frame["hum"] = frame["hum"].fillna(frame["hum"].median())

features = torch.tensor(frame[["temp", "hum", "wind", "season"]].to_numpy(), dtype=torch.float32)
target = torch.tensor(frame[["cnt"]].to_numpy(), dtype=torch.float32)
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(5):
    for idx in torch.randperm(300).split(50):
        loss = nn.functional.mse_loss(model(features[idx]), target[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
