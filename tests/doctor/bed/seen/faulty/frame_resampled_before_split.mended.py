# expect: nothing
# mends: frame_resampled_before_split.py
"""sklearn's resample balances the frame, then it is split."""

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.utils import resample
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
rng = np.random.default_rng(5)
df = pd.DataFrame(rng.normal(size=(400, 5)), columns=[f"f{i}" for i in range(5)])
df["label"] = (df.f0 + 0.5 * df.f1 > 1.1).astype(int)
common, rare = df[df.label == 0], df[df.label == 1]
train_df, test_df = train_test_split(df, test_size=0.3, stratify=df.label, random_state=0)
common, rare = train_df[train_df.label == 0], train_df[train_df.label == 1]
rare = resample(rare, n_samples=len(common), replace=True, random_state=0)
train_df = pd.concat([common, rare])


def dataset(frame):
    columns = [c for c in frame.columns if c != "label"]
    return TensorDataset(
        torch.tensor(frame[columns].values, dtype=torch.float32), torch.tensor(frame.label.values)
    )


train_loader = DataLoader(dataset(train_df), batch_size=32, shuffle=True)
test_loader = DataLoader(dataset(test_df), batch_size=64)
net = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for _epoch in range(6):
    for x, y in train_loader:
        opt.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        opt.step()
hits = n = 0
with torch.no_grad():
    for x, y in test_loader:
        hits += (net(x).argmax(1) == y).sum().item()
        n += len(y)
print("test accuracy", hits / n)
