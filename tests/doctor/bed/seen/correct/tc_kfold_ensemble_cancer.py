# expect: nothing
"""Five-fold ensemble on the breast cancer table: every member stops early on its own fold, the test rows are judged once by their mean."""
import copy

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset

EPOCHS, PATIENCE = 14, 5


def as_dataset(x, y):
    return TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))


def new_net(n_in):
    return nn.Sequential(
        nn.Linear(n_in, 40), nn.BatchNorm1d(40), nn.ReLU(), nn.Dropout(0.25),
        nn.Linear(40, 20), nn.BatchNorm1d(20), nn.ReLU(),
        nn.Linear(20, 2),
    )


@torch.no_grad()
def predict(net, x):
    net.eval()
    return F.softmax(net(x), dim=1)


def fit_member(train, valid):
    net = new_net(train.tensors[0].shape[1])
    loader = DataLoader(train, batch_size=32, shuffle=True, drop_last=True)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-2)
    cycle = OneCycleLR(optimizer, max_lr=8e-3, total_steps=EPOCHS * len(loader))
    best, best_state, waited = float("inf"), None, 0
    for _ in range(EPOCHS):
        net.train()
        for x, y in loader:
            optimizer.zero_grad()
            F.cross_entropy(net(x), y).backward()
            optimizer.step()
            cycle.step()
        x, y = valid.tensors
        loss = F.nll_loss(predict(net, x).clamp(min=1e-7).log(), y).item()
        if loss < best:
            best, best_state, waited = loss, copy.deepcopy(net.state_dict()), 0
        else:
            waited += 1
            if waited >= PATIENCE:
                break
    net.load_state_dict(best_state)
    return net, best


def main():
    torch.manual_seed(77)
    x, y = load_breast_cancer(return_X_y=True)
    x_dev, x_test, y_dev, y_test = train_test_split(x, y, test_size=0.25, stratify=y, random_state=77)
    member_probs = []
    for fold, (fit_rows, stop_rows) in enumerate(StratifiedKFold(5, shuffle=True, random_state=77).split(x_dev, y_dev)):
        scaler = make_pipeline(QuantileTransformer(n_quantiles=100, output_distribution="normal"), StandardScaler())
        train = as_dataset(scaler.fit_transform(x_dev[fit_rows]), y_dev[fit_rows])
        valid = as_dataset(scaler.transform(x_dev[stop_rows]), y_dev[stop_rows])
        net, loss = fit_member(train, valid)
        print(f"fold {fold}: stopping loss {loss:.4f}")
        member_probs.append(predict(net, torch.tensor(scaler.transform(x_test), dtype=torch.float32)))
    probs = torch.stack(member_probs)
    target = torch.tensor(y_test)
    each = (probs.argmax(dim=2) == target).float().mean(dim=1)
    together = (probs.mean(dim=0).argmax(dim=1) == target).float().mean()
    print("members " + " ".join(f"{a:.3f}" for a in each.tolist()) + f"  ensemble {together:.3f} of {len(np.unique(y))} classes")


if __name__ == "__main__":
    main()
