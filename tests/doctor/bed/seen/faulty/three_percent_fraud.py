# expect: class_imbalance @ 26
"""Fraud in 3 % of the rows; the net says 'no fraud' to all and is 97 % right."""

import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = make_classification(
    1500,
    10,
    n_informative=4,
    weights=[0.97],
    class_sep=0.9,
    flip_y=0.0,
    n_clusters_per_class=1,
    random_state=1,
)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
x_train, x_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
t_train, t_test = torch.tensor(y_train).float(), torch.tensor(y_test).float()
loader = DataLoader(TensorDataset(x_train, t_train), batch_size=64, shuffle=True)
net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(6):
    net.train()
    for xb, tb in loader:
        loss = criterion(net(xb).squeeze(1), tb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        said = (net(x_test).squeeze(1) > 0).float()
    accuracy = (said == t_test).float().mean().item()
    found, all_frauds = int((said * t_test).sum()), int(t_test.sum())
    print(f"epoch {epoch} test accuracy {accuracy:.3f} frauds found {found} of {all_frauds}")
