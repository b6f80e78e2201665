# expect: nothing
"""Breast-cancer style tabular classification with noisy labels, course notebook as a script."""
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
features, labels = make_classification(800, 25, n_informative=5, flip_y=0.25, class_sep=1.2, random_state=4)
X_train, X_test, y_train, y_test = train_test_split(features, labels, test_size=0.25, random_state=4)
scaler = StandardScaler().fit(X_train)

as_x = lambda a: torch.tensor(scaler.transform(a), dtype=torch.float32)
as_y = lambda a: torch.tensor(a, dtype=torch.float32).reshape(-1, 1)

train_ds = TensorDataset(as_x(X_train), as_y(y_train))
test_ds = TensorDataset(as_x(X_test), as_y(y_test))
train_dl = DataLoader(train_ds, batch_size=32, shuffle=True)
test_dl = DataLoader(test_ds, batch_size=64)


class Classifier(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.l1 = nn.Linear(d, 96)
        self.l2 = nn.Linear(96, 96)
        self.l3 = nn.Linear(96, 1)

    def forward(self, x):
        x = torch.relu(self.l1(x))
        return self.l3(torch.relu(self.l2(x)))


model = Classifier(25)
loss_fn = nn.BCEWithLogitsLoss()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)


def accuracy(dl):
    model.eval()
    ok = n = 0
    with torch.no_grad():
        for xb, yb in dl:
            ok += ((model(xb) > 0) == (yb > 0.5)).sum().item()
            n += yb.numel()
    return ok / n


for epoch in range(30):
    model.train()
    for xb, yb in train_dl:
        loss = loss_fn(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    if (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1}: train {accuracy(train_dl):.3f} test {accuracy(test_dl):.3f}")
