# expect: nothing
"""Mixed-precision trainer (bfloat16 on CPU, float16 with a scaler on CUDA)."""
from dataclasses import dataclass

import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Settings:
    epochs: int = 7
    lr: float = 2e-3
    batch: int = 64
    seed: int = 17
    device: str = "cuda" if torch.cuda.is_available() else "cpu"


class Trainer:
    def __init__(self, net, cfg):
        self.cfg = cfg
        self.net = net.to(cfg.device)
        self.opt = torch.optim.AdamW(self.net.parameters(), lr=cfg.lr)
        self.scaler = torch.amp.GradScaler(cfg.device, enabled=cfg.device == "cuda")
        self.half = torch.float16 if cfg.device == "cuda" else torch.bfloat16
        self.loss_fn = nn.CrossEntropyLoss()

    def _forward(self, x, y):
        x, y = x.to(self.cfg.device), y.to(self.cfg.device)
        with torch.autocast(self.cfg.device, dtype=self.half):
            logits = self.net(x)
        return logits.float(), y

    def train_epoch(self, loader):
        self.net.train()
        total = 0.0
        for x, y in loader:
            self.opt.zero_grad(set_to_none=True)
            logits, y = self._forward(x, y)
            loss = self.loss_fn(logits, y)
            self.scaler.scale(loss).backward()
            self.scaler.step(self.opt)
            self.scaler.update()
            total += loss.item() * len(y)
        return total / len(loader.dataset)

    @torch.no_grad()
    def evaluate(self, loader):
        self.net.eval()
        total, right = 0.0, 0
        for x, y in loader:
            logits, y = self._forward(x, y)
            total += self.loss_fn(logits, y).item() * len(y)
            right += (logits.argmax(dim=-1) == y).sum().item()
        n = len(loader.dataset)
        return {"loss": total / n, "acc": right / n}

    def fit(self, train_loader, val_loader):
        for epoch in range(1, self.cfg.epochs + 1):
            train_loss = self.train_epoch(train_loader)
            val = self.evaluate(val_loader)
            print(f"{epoch:02d}  train {train_loss:.4f}  val {val['loss']:.4f}  acc {val['acc']:.3f}")


def loaders(cfg):
    X, y = make_classification(
        n_samples=2400, n_features=24, n_informative=12, n_classes=4, class_sep=1.4, flip_y=0.01,
        random_state=cfg.seed,
    )
    X_tr, X_rest, y_tr, y_rest = train_test_split(X, y, test_size=0.4, stratify=y, random_state=cfg.seed)
    X_va, X_te, y_va, y_te = train_test_split(X_rest, y_rest, test_size=0.5, stratify=y_rest, random_state=cfg.seed)
    sc = StandardScaler().fit(X_tr)
    sets = [
        TensorDataset(torch.tensor(sc.transform(a), dtype=torch.float32), torch.tensor(b, dtype=torch.long))
        for a, b in ((X_tr, y_tr), (X_va, y_va), (X_te, y_te))
    ]
    return (
        DataLoader(sets[0], batch_size=cfg.batch, shuffle=True),
        DataLoader(sets[1], batch_size=256),
        DataLoader(sets[2], batch_size=256),
    )


def main():
    cfg = Settings()
    torch.manual_seed(cfg.seed)
    train_loader, val_loader, test_loader = loaders(cfg)
    net = nn.Sequential(
        nn.Linear(24, 64), nn.GELU(), nn.Dropout(0.1), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 4)
    )
    trainer = Trainer(net, cfg)
    trainer.fit(train_loader, val_loader)
    print("test", {k: round(v, 4) for k, v in trainer.evaluate(test_loader).items()})


main()
