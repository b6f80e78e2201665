# expect: nothing
"""Deep ensemble on the wine table: stratified folds, a fresh set of members per fold, bfloat16 autocast on the CPU."""
import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold
from torch import nn


class Standardizer:
    def fit(self, x):
        self.mean, self.scale = x.mean(axis=0), x.std(axis=0)
        return self

    def transform(self, x):
        return torch.tensor((x - self.mean) / self.scale, dtype=torch.float32)


def member():
    return nn.Sequential(nn.Linear(13, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Dropout(0.2), nn.Linear(24, 3))


def train_member(x, y, epochs=10, batch_size=24):
    net = member()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
    net.train()
    last = 0.0
    for _ in range(epochs):
        order = torch.randperm(len(x))
        last = 0.0
        for start in range(0, len(x) - batch_size + 1, batch_size):
            rows = order[start:start + batch_size]
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = net(x[rows])
            loss = criterion(logits.float(), y[rows])
            loss.backward()
            optimizer.step()
            last += loss.item() / (len(x) // batch_size)
    return net, last


@torch.no_grad()
def predict(members, x):
    """Mean of the members' probabilities: [members, rows, classes] -> [rows, classes]."""
    for net in members:
        net.eval()
    return torch.stack([net(x) for net in members]).softmax(dim=2).mean(dim=0)


def main():
    torch.manual_seed(44)
    table, kinds = load_wine(return_X_y=True)
    folds = StratifiedKFold(n_splits=3, shuffle=True, random_state=44)
    probabilities = torch.zeros(len(table), 3)
    for number, (train_rows, test_rows) in enumerate(folds.split(table, kinds)):
        scaler = Standardizer().fit(table[train_rows])
        x_train, y_train = scaler.transform(table[train_rows]), torch.from_numpy(kinds[train_rows])
        members, losses = zip(*(train_member(x_train, y_train) for _ in range(3)))
        probabilities[test_rows] = predict(members, scaler.transform(table[test_rows]))
        print(f"fold {number}: mean training loss of the members {np.mean(losses):.3f}")

    truth = torch.from_numpy(kinds)
    accuracy = (probabilities.argmax(dim=1) == truth).float().mean().item()
    nll = -probabilities.gather(1, truth.unsqueeze(1)).clamp(min=1e-7).log().mean().item()
    entropy = -(probabilities * probabilities.clamp(min=1e-7).log()).sum(dim=1).mean().item()
    print(f"out-of-fold accuracy {accuracy:.3f}  nll {nll:.3f}  mean entropy {entropy:.3f}")


if __name__ == "__main__":
    main()
