# expect: nothing
"""Small MLP on the 8x8 digits, driven by a configuration dictionary."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

CONFIG = {
    "seed": 3,
    "batch_size": 64,
    "hidden": 96,
    "optimizer": {"name": "sgd", "lr": 0.05, "momentum": 0.9},
    "schedule": {"step_size": 10, "gamma": 0.3},
    "epochs": 30,
}

OPTIMIZERS = {
    "sgd": lambda params, o: torch.optim.SGD(params, lr=o["lr"], momentum=o["momentum"]),
    "adam": lambda params, o: torch.optim.Adam(params, lr=o["lr"]),
}


class Trainer:
    def __init__(self, model, config):
        self.model = model
        self.cfg = config
        self.criterion = nn.CrossEntropyLoss()
        opt = config["optimizer"]
        self.optimizer = OPTIMIZERS[opt["name"]](model.parameters(), opt)
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, **config["schedule"])

    def train_epoch(self, loader):
        self.model.train()
        running, seen = 0.0, 0
        for xb, yb in loader:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(xb), yb)
            loss.backward()
            self.optimizer.step()
            running += loss.item() * len(xb)
            seen += len(xb)
        return running / seen

    @torch.no_grad()
    def evaluate(self, loader):
        self.model.eval()
        hits, seen = 0, 0
        for xb, yb in loader:
            hits += (self.model(xb).argmax(dim=1) == yb).sum().item()
            seen += len(yb)
        return hits / seen

    def fit(self, train_loader, val_loader):
        for epoch in range(self.cfg["epochs"]):
            loss = self.train_epoch(train_loader)
            self.scheduler.step()
            if epoch % 5 == 4:
                acc = self.evaluate(val_loader)
                print(f"epoch {epoch + 1:2d}  loss {loss:.4f}  val acc {acc:.4f}")


def build_loaders(cfg):
    X, y = load_digits(return_X_y=True)
    X = torch.tensor(X / 16.0, dtype=torch.float32)
    y = torch.tensor(y, dtype=torch.long)
    tr, va = train_test_split(range(len(X)), test_size=0.25, stratify=y.numpy(), random_state=cfg["seed"])
    train = DataLoader(TensorDataset(X[tr], y[tr]), batch_size=cfg["batch_size"], shuffle=True)
    val = DataLoader(TensorDataset(X[va], y[va]), batch_size=256)
    return train, val


if __name__ == "__main__":
    torch.manual_seed(CONFIG["seed"])
    train_loader, val_loader = build_loaders(CONFIG)
    net = nn.Sequential(nn.Linear(64, CONFIG["hidden"]), nn.ReLU(), nn.Linear(CONFIG["hidden"], 10))
    Trainer(net, CONFIG).fit(train_loader, val_loader)
