# expect: test_in_train @ 53
# allowed: test_in_train @ 55
# allowed: test_in_train @ 59
# allowed: test_in_train @ 61
# allowed: test_in_train @ 63
# Bagging: several small nets, each fitted on a bootstrap sample
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset
from sklearn.preprocessing import StandardScaler

SEED = 13
rng = np.random.default_rng(SEED)
torch.manual_seed(SEED)

# churn-like table
n = 1200
frame = pd.DataFrame({f"usage_{i}": rng.normal(size=n) for i in range(12)})
frame["tenure"] = rng.integers(1, 72, n)
frame["calls"] = rng.poisson(2.0, n)
score = 1.2 * frame["usage_0"] - 0.9 * frame["usage_1"] - (frame["tenure"] - 36) / 30 + 0.6 * (frame["calls"] - 2)
frame["churn"] = (score + rng.logistic(scale=0.8, size=n) > 0).astype(int)

perm = rng.permutation(n)
train_idx, test_idx = perm[:800], perm[800:]

features = frame.drop(columns="churn").to_numpy(dtype=np.float64)
scaler = StandardScaler().fit(features[train_idx])
dataset = TensorDataset(torch.tensor(scaler.transform(features), dtype=torch.float32),
                        torch.tensor(frame["churn"].to_numpy()))


def make_net(d):
    return nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


def fit(net, loader, epochs=14):
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    net.train()
    for _ in range(epochs):
        for xb, yb in loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(xb), yb)
            loss.backward()
            opt.step()
    return loss.item()


members = []
for m in range(5):
    boot = rng.choice(len(dataset), size=len(train_idx), replace=True)
    net = make_net(features.shape[1])
    last = fit(net, DataLoader(Subset(dataset, boot.tolist()), batch_size=50, shuffle=True))
    members.append(net.eval())
    print(f"member {m}: last batch loss {last:.3f}")

x_test, y_test = dataset[test_idx.tolist()]
with torch.no_grad():
    probs = torch.stack([net(x_test).softmax(dim=1) for net in members])
single = (probs.argmax(dim=2) == y_test).float().mean(dim=1)
bagged = (probs.mean(dim=0).argmax(dim=1) == y_test).float().mean()
print("single members :", [round(s, 3) for s in single.tolist()])
print(f"bagged ensemble: {bagged.item():.3f}")
