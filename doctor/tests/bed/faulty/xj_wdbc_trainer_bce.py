# expect: sigmoid_before_bce_with_logits @ 38
# allowed: sigmoid_before_bce_with_logits @ 45
# allowed: sigmoid_before_bce_with_logits @ 56
# allowed: sigmoid_before_bce_with_logits @ 70
# mend: 38 →         return self.out(x).squeeze(1)
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

CONFIG = {
    "seed": 17,
    "epochs": 12,
    "batch_size": 32,
    "lr": 1e-3,
    "hidden": 32,
    "amp": False,
}


class BinaryHead(nn.Module):
    def __init__(self, in_features, hidden):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(in_features, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
        )
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        x = self.body(x)
        return torch.sigmoid(self.out(x)).squeeze(1)


class Trainer:
    def __init__(self, model, cfg):
        self.model = model
        self.cfg = cfg
        self.criterion = nn.BCEWithLogitsLoss()
        self.optimizer = torch.optim.Adam(model.parameters(), lr=cfg["lr"])
        self.scaler = torch.amp.GradScaler("cpu", enabled=cfg["amp"])

    def train_epoch(self, loader):
        self.model.train()
        total, n = 0.0, 0
        for xb, yb in loader:
            self.optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.cfg["amp"]):
                pred = self.model(xb)
                loss = self.criterion(pred, yb)
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()
            total += loss.item() * len(xb)
            n += len(xb)
        return total / n

    @torch.no_grad()
    def evaluate(self, loader):
        self.model.eval()
        outs, ys, total, n = [], [], 0.0, 0
        for xb, yb in loader:
            pred = self.model(xb)
            total += self.criterion(pred, yb).item() * len(xb)
            n += len(xb)
            outs.append(pred)
            ys.append(yb)
        outs, ys = torch.cat(outs), torch.cat(ys)
        return total / n, roc_auc_score(ys.numpy(), outs.numpy())


def make_loaders(cfg):
    X, y = load_breast_cancer(return_X_y=True)
    Xtr, Xte, ytr, yte = train_test_split(
        X, y, test_size=0.25, stratify=y, random_state=cfg["seed"])
    sc = StandardScaler().fit(Xtr)
    Xtr, Xte = sc.transform(Xtr), sc.transform(Xte)

    def ds(a, b):
        return TensorDataset(torch.from_numpy(a.astype(np.float32)),
                             torch.from_numpy(b.astype(np.float32)))
    return (DataLoader(ds(Xtr, ytr), batch_size=cfg["batch_size"], shuffle=True, drop_last=True),
            DataLoader(ds(Xte, yte), batch_size=128))


if __name__ == "__main__":
    torch.manual_seed(CONFIG["seed"])
    train_loader, test_loader = make_loaders(CONFIG)
    trainer = Trainer(BinaryHead(30, CONFIG["hidden"]), CONFIG)
    for epoch in range(CONFIG["epochs"]):
        tr = trainer.train_epoch(train_loader)
        print(f"epoch {epoch + 1:2d}  train loss {tr:.4f}")
    te, auc = trainer.evaluate(test_loader)
    print(f"test loss {te:.4f}  AUC {auc:.4f}")
