# expect: nothing
# looks suspicious: the split goes by position in a sorted table and the test rows differ from the training
# rows: the table is sorted by hospital, and a whole unseen hospital is what the figure is about.
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import LeaveOneGroupOut
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(0)
n = 600
df = pd.DataFrame({"hospital": np.repeat(["A", "B", "C"], n // 3)})
offset = df.hospital.map({"A": 0.0, "B": 0.4, "C": -0.4})
for k in range(5):
    df[f"marker{k}"] = rng.normal(size=n) + offset * (k == 0)
df["ill"] = (1.5 * df.marker1 - df.marker2 + rng.normal(0, 0.7, n) > 0).astype(int)
features = [c for c in df if c.startswith("marker")]
X, y = df[features].to_numpy(), df.ill.to_numpy()

for train, test in LeaveOneGroupOut().split(X, y, groups=df.hospital):
    torch.manual_seed(0)
    mu, sd = X[train].mean(0), X[train].std(0)
    tensors = torch.tensor((X[train] - mu) / sd).float(), torch.tensor(y[train]).float()
    loader = DataLoader(TensorDataset(*tensors), batch_size=40, shuffle=True)
    model = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    model.train()
    for _epoch in range(8):
        for xb, yb in loader:
            opt.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(model(xb), yb)
            loss.backward()
            opt.step()
    model.eval()
    with torch.no_grad():
        guess = model(torch.tensor((X[test] - mu) / sd).float()) > 0
    name = df.hospital.iloc[test[0]]
    print(
        f"hospital {name} held out: loss {loss.item():.3f} accuracy {(guess.numpy() == y[test]).mean():.3f}"
    )
