# expect: nothing
# looks suspicious: many rows occur several times: repeats were made (rare class oversampled) or measured
# within one subject, and the split is by group, so none stands on both sides.
import numpy as np
import torch
from sklearn.model_selection import GroupShuffleSplit
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(0)
torch.manual_seed(0)
subjects = rng.normal(size=(240, 6))
label = (subjects[:, 0] + subjects[:, 1] * subjects[:, 2] > 0.2).astype(int)
copies = rng.integers(1, 6, size=240)
group = np.repeat(np.arange(240), copies)
X, y = subjects[group], label[group]
print(len(X), "rows,", len(np.unique(X, axis=0)), "distinct")

fit, test = next(GroupShuffleSplit(1, test_size=0.3, random_state=0).split(X, y, group))
assert not set(group[fit]) & set(group[test])
rare = fit[y[fit] == 1]
fit = np.concatenate([fit, rng.choice(rare, max(0, (y[fit] == 0).sum() - len(rare)))])
scaler = StandardScaler().fit(X[fit])
train = TensorDataset(torch.tensor(scaler.transform(X[fit]), dtype=torch.float32), torch.tensor(y[fit]))
tx, ty = torch.tensor(scaler.transform(X[test]), dtype=torch.float32), torch.tensor(y[test])

net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 2))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(10):
    for xb, yb in DataLoader(train, batch_size=50, shuffle=True):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    print("accuracy on new subjects", (net(tx).argmax(1) == ty).float().mean().item())
