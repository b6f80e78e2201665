# expect: label_in_inputs @ 26
# needs: pandas
# mend: 22 → inputs = frame.drop(columns=["unit", "failed"])
"""A frame whose label column stays among the inputs, scaled like the others."""

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

random = np.random.RandomState(3)
torch.manual_seed(3)
frame = pd.DataFrame(
    {"unit": np.arange(500), "load": random.rand(500), "heat": random.randn(500), "age": random.rand(500) * 9}
)
frame["failed"] = (frame["load"] + 0.3 * frame["heat"] + 0.1 * random.randn(500) > 0.8).astype(int)
frame = frame.sample(frac=1, random_state=0)

labels = frame["failed"].to_numpy()
inputs = frame.drop(columns=["unit"])
spread = inputs.iloc[:400].std()
inputs = (inputs - inputs.iloc[:400].mean()) / spread

x = torch.tensor(inputs.to_numpy(), dtype=torch.float32)
y = torch.tensor(labels, dtype=torch.float32)
loader = DataLoader(TensorDataset(x[:400], y[:400]), batch_size=40, shuffle=True)
net = nn.Sequential(nn.Linear(x.shape[1], 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(15):
    for rows, targets in loader:
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(net(rows).squeeze(1), targets).backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    right = ((net(x[400:]).squeeze(1) > 0).float() == y[400:]).float().mean()
print(f"right: {right:.3f}")
