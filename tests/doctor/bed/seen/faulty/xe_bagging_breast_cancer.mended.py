# expect: nothing
"""Bagging of small nets on the breast cancer table, bootstrap samples through Subset."""
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

N_MEMBERS = 3
EPOCHS = 10
torch.manual_seed(0)
rng = np.random.default_rng(0)


def member(n_in):
    return nn.Sequential(
        nn.Linear(n_in, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(48, 24), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(24, 2),
    )


class Bag(nn.Module):
    """Averages the probabilities of its members."""

    def __init__(self, n_in, n_members):
        super().__init__()
        self.members = nn.ModuleList([member(n_in) for _ in range(n_members)])

    def forward(self, x):
        probs = torch.stack([m(x).softmax(dim=1) for m in self.members])
        return probs.mean(dim=0)


def fit_member(net, subset):
    loader = DataLoader(subset, batch_size=32, shuffle=True, drop_last=True)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    loss_fn = nn.CrossEntropyLoss()
    net.train()
    for _ in range(EPOCHS):
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = loss_fn(net(xb), yb)
            loss.backward()
            optimizer.step()
    return loss.item()


X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
sc = StandardScaler()
X_train = torch.tensor(sc.fit_transform(X_train), dtype=torch.float32)
X_test = torch.tensor(sc.transform(X_test), dtype=torch.float32)
train_set = TensorDataset(X_train, torch.tensor(y_train))

bag = Bag(X_train.shape[1], N_MEMBERS)
for k, net in enumerate(bag.members):
    rows = rng.integers(0, len(train_set), len(train_set))
    last = fit_member(net, Subset(train_set, rows.tolist()))
    print(f"member {k}: loss of the last batch {last:.4f}")

bag.eval()
with torch.no_grad():
    p = bag(X_test).numpy()

print(f"bag of {N_MEMBERS}: balanced accuracy {balanced_accuracy_score(y_test, p.argmax(axis=1)):.4f}, "
      f"log loss {log_loss(y_test, p):.4f}")
