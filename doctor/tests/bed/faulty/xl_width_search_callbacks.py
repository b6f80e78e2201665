# expect: selection_on_test @ 84
# allowed: selection_on_test @ 88
# mend: 84 →         keeper = BestModel(val_dl)
"""Small callback-driven trainer; picks width, weight decay and epoch, then reports."""
import copy
import itertools

import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 13


class Callback:
    def on_epoch_end(self, trainer, epoch): ...
    def on_fit_end(self, trainer): ...


class BestModel(Callback):
    """Keeps the weights of the epoch with the highest accuracy on `loader`."""

    def __init__(self, loader):
        self.loader, self.best, self.state, self.epoch = loader, -1.0, None, None

    def on_epoch_end(self, trainer, epoch):
        acc = trainer.accuracy(self.loader)
        if acc > self.best:
            self.best, self.epoch = acc, epoch
            self.state = copy.deepcopy(trainer.model.state_dict())

    def on_fit_end(self, trainer):
        trainer.model.load_state_dict(self.state)


class Trainer:
    def __init__(self, model, lr, wd, callbacks=()):
        self.model, self.callbacks = model, list(callbacks)
        self.opt = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=wd)
        self.loss = nn.CrossEntropyLoss()

    def fit(self, loader, epochs):
        for epoch in range(epochs):
            self.model.train()
            for x, y in loader:
                self.opt.zero_grad()
                self.loss(self.model(x), y).backward()
                self.opt.step()
            for cb in self.callbacks:
                cb.on_epoch_end(self, epoch)
        for cb in self.callbacks:
            cb.on_fit_end(self)

    @torch.no_grad()
    def accuracy(self, loader):
        self.model.eval()
        good = sum((self.model(x).argmax(1) == y).sum().item() for x, y in loader)
        return good / len(loader.dataset)


def mlp(width):
    return nn.Sequential(nn.Linear(20, width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, 2))


def loaders():
    X, y = make_classification(n_samples=400, n_features=20, n_informative=6, flip_y=0.15,
                               class_sep=0.8, random_state=SEED)
    X_train, X_rest, y_train, y_rest = train_test_split(X, y, test_size=0.4, stratify=y, random_state=SEED)
    X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, test_size=0.5, stratify=y_rest, random_state=SEED)
    sc = StandardScaler().fit(X_train)
    pack = lambda a, b: TensorDataset(torch.tensor(sc.transform(a), dtype=torch.float32), torch.tensor(b))
    return (DataLoader(pack(X_train, y_train), 32, shuffle=True),
            DataLoader(pack(X_val, y_val), 128), DataLoader(pack(X_test, y_test), 128))


def main():
    torch.manual_seed(SEED)
    train_dl, val_dl, test_dl = loaders()
    winner, winner_score = None, -1.0
    for width, wd in itertools.product((8, 32, 128), (1e-4, 1e-1)):
        keeper = BestModel(test_dl)
        trainer = Trainer(mlp(width), lr=5e-3, wd=wd, callbacks=[keeper])
        trainer.fit(train_dl, epochs=20)
        print(f"width {width:3d} wd {wd:g}: best {keeper.best:.3f} at epoch {keeper.epoch}")
        if keeper.best > winner_score:
            winner, winner_score = trainer, keeper.best
    print(f"chosen: {winner.model[0].out_features} units")
    print(f"test accuracy: {winner.accuracy(test_dl):.3f}")


if __name__ == "__main__":
    main()
