# expect: nan_inputs @ 21
# allowed: nan_inputs @ 20
# allowed: nan_inputs @ 33
# mend: 20 + table["press"] = table["press"].fillna(0.0)
"""Weather-like table with gaps, read by pandas."""

import io

import numpy as np
import pandas as pd
import torch
from torch import nn

rng = np.random.default_rng(5)
frame = pd.DataFrame(rng.normal(size=(500, 4)), columns=["temp", "wind", "press", "humid"])
frame["rain"] = (frame.temp - frame.humid + 0.3 * rng.normal(size=500) > 0).astype(int)
frame.loc[rng.choice(500, 9, replace=False), "press"] = np.nan
buffer = io.StringIO(frame.to_csv(index=False))

table = pd.read_csv(buffer)
features = torch.tensor(table.drop(columns="rain").to_numpy(), dtype=torch.float32)
rain = torch.tensor(table["rain"].to_numpy())

torch.manual_seed(5)
order = torch.randperm(500)
train, test = order[:400], order[400:]
model = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 2))
sgd = torch.optim.SGD(model.parameters(), lr=0.1)
lossfn = nn.CrossEntropyLoss()
for epoch in range(8):
    for rows in train[torch.randperm(400)].chunk(10):
        sgd.zero_grad()
        loss = lossfn(model(features[rows]), rain[rows])
        loss.backward()
        sgd.step()
    print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    print("accuracy", (model(features[test]).argmax(1) == rain[test]).float().mean().item())
