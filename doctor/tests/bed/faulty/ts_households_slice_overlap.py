# missed: test_in_train @ 22
# mend: 22 → tr, te = perm[:1500], perm[1500:]
"""Census-like table with raw units: categorical embeddings, and a BatchNorm1d on the numeric columns scales them."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(12)
torch.manual_seed(12)
n = 2000
df = pd.DataFrame({"job": np.random.choice(["clerk", "nurse", "driver", "chef", "coder"], n), "age": np.random.randint(18, 70, n),
                   "income": np.random.normal(42000, 12000, n), "hours": np.random.normal(38, 8, n)})
z = (df.income - 42000) / 9000 + 0.05 * (df.age - 44) + df.job.map({"clerk": 0, "nurse": 1, "driver": -1, "chef": -0.5, "coder": 1.5})
df["owns_home"] = (z + np.random.normal(0, 0.5, n) > 0.2).astype(int)
df["job"] = df["job"].astype("category").cat.codes
cat = torch.tensor(df["job"].values.astype("int64"))
num = torch.tensor(df[["age", "income", "hours"]].values, dtype=torch.float32)
lab = torch.tensor(df["owns_home"].values)
perm = torch.randperm(n)
tr, te = perm[:1500], perm[1500 - 15:]


class TabNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(5, 3)
        self.bn = nn.BatchNorm1d(3)
        self.mlp = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 2))

    def forward(self, c, x):
        return self.mlp(torch.cat([self.emb(c), self.bn(x)], dim=1))


net = TabNet()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
dl = DataLoader(TensorDataset(cat[tr], num[tr], lab[tr]), batch_size=50, shuffle=True)
for epoch in range(10):
    net.train()
    total = 0.0
    for c, x, t in dl:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(c, x), t)
        loss.backward()
        opt.step()
        total += loss.item()
    print(f"epoch {epoch} {total / len(dl):.4f}")
net.eval()
with torch.inference_mode():
    print("acc", (net(cat[te], num[te]).argmax(1) == lab[te]).float().mean().item())
