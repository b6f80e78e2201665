# expect: nothing
"""Sensor alarms, 5% positive but well separated: plain BCE, judged by recall and average precision."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.metrics import average_precision_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(11)
torch.manual_seed(11)
n = 3000
df = pd.DataFrame(np.random.randn(n, 5), columns=["temp", "vib", "press", "flow", "noise"])
df["alarm"] = (np.random.rand(n) < 0.05).astype(int)
df.loc[df.alarm == 1, ["temp", "vib"]] += 3.5
tr, te = train_test_split(df, test_size=0.3, stratify=df.alarm, random_state=11)
sc = StandardScaler().fit(tr.drop(columns="alarm"))
conv = lambda d: torch.tensor(sc.transform(d.drop(columns="alarm")), dtype=torch.float32)
loader = DataLoader(TensorDataset(conv(tr), torch.tensor(tr.alarm.values, dtype=torch.float32)), batch_size=64, shuffle=True)

net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(10):
    net.train()
    tot = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(net(xb).squeeze(1), yb)
        loss.backward()
        opt.step()
        tot += loss.item()
    print(f"{epoch}: {tot / len(loader):.4f}")

net.eval()
with torch.no_grad():
    p = torch.sigmoid(net(conv(te)).squeeze(1)).numpy()
print("recall", round(recall_score(te.alarm, p > 0.5), 3), "AP", round(average_precision_score(te.alarm, p), 3))
