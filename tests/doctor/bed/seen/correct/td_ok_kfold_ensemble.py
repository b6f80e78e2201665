# expect: nothing
"""Breast cancer by five folds: a fresh scaler and a fresh net per fold, the mean and the spread are reported."""
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

K = 5


class Net(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.hidden = nn.Linear(n_in, 16)
        self.drop = nn.Dropout(0.3)
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        return self.out(self.drop(torch.relu(self.hidden(x)))).squeeze(1)


def reset_weights(m):
    if hasattr(m, "reset_parameters"):
        m.reset_parameters()


def to_tensor(a):
    return torch.as_tensor(a, dtype=torch.float32)


def train_fold(net, x, y, epochs=12):
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3, weight_decay=1e-4)
    criterion = nn.BCEWithLogitsLoss()
    net.train()
    for _ in range(epochs):
        for xb, yb in loader:
            optimizer.zero_grad()
            criterion(net(xb), yb).backward()
            optimizer.step()


def main():
    torch.manual_seed(42)
    x, y = load_breast_cancer(return_X_y=True)
    folds = StratifiedKFold(n_splits=K, shuffle=True, random_state=42)
    net = Net(x.shape[1])
    accuracies, areas = [], []
    for k, (train_idx, valid_idx) in enumerate(folds.split(x, y), start=1):
        net.apply(reset_weights)
        scaler = StandardScaler().fit(x[train_idx])
        train_fold(net, to_tensor(scaler.transform(x[train_idx])), to_tensor(y[train_idx]))
        net.eval()
        with torch.no_grad():
            prob = torch.sigmoid(net(to_tensor(scaler.transform(x[valid_idx])))).numpy()
        accuracies.append(((prob > 0.5) == y[valid_idx]).mean())
        areas.append(roc_auc_score(y[valid_idx], prob))
        print(f"fold {k}: accuracy {accuracies[-1]:.3f} area {areas[-1]:.4f}")
    print(f"mean accuracy {np.mean(accuracies):.3f} +- {np.std(accuracies):.3f}, mean area {np.mean(areas):.4f}")


if __name__ == "__main__":
    main()
