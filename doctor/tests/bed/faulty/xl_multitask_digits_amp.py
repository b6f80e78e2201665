# expect: detached_loss @ 59
# allowed: detached_loss @ 67
# allowed: detached_loss @ 68
# mend: 59 →         return torch.stack([w[k] * v for k, v in parts.items()]).sum()
"""Multi-task digits: which digit, is it even, how much ink. bf16 autocast on CPU."""
from dataclasses import dataclass, field

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    seed: int = 0
    lr: float = 2e-3
    epochs: int = 9
    batch_size: int = 64
    amp: bool = True
    weights: dict = field(default_factory=lambda: {"digit": 1.0, "even": 0.5, "ink": 0.5})


class MultiTaskNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 64), nn.ReLU())
        self.heads = nn.ModuleDict({
            "digit": nn.Linear(64, 10),
            "even": nn.Linear(64, 1),
            "ink": nn.Linear(64, 1),
        })

    def forward(self, x):
        h = self.trunk(x)
        return {name: head(h) for name, head in self.heads.items()}


class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        self.model = MultiTaskNet()
        self.optim = torch.optim.AdamW(self.model.parameters(), lr=cfg.lr)
        self.scaler = torch.amp.GradScaler("cuda", enabled=False)
        self.ce, self.bce, self.mse = nn.CrossEntropyLoss(), nn.BCEWithLogitsLoss(), nn.MSELoss()

    def losses(self, x, digit, even, ink):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.cfg.amp):
            out = self.model(x)
        return {
            "digit": self.ce(out["digit"].float(), digit),
            "even": self.bce(out["even"].float().squeeze(1), even),
            "ink": self.mse(out["ink"].float().squeeze(1), ink),
        }

    def combine(self, parts):
        w = self.cfg.weights
        return torch.tensor([w[k] * v.item() for k, v in parts.items()], requires_grad=True).sum()

    def fit(self, loader):
        for epoch in range(self.cfg.epochs):
            self.model.train()
            total = 0.0
            for batch in loader:
                self.optim.zero_grad(set_to_none=True)
                loss = self.combine(self.losses(*batch))
                self.scaler.scale(loss).backward()
                self.scaler.step(self.optim)
                self.scaler.update()
                total += loss.item() * len(batch[0])
            if epoch % 3 == 2:
                print(f"[{epoch + 1:02d}] loss={total / len(loader.dataset):.4f}")

    @torch.no_grad()
    def report(self, loader):
        self.model.eval()
        hit = even_hit = sq = 0.0
        for x, digit, even, ink in loader:
            out = self.model(x)
            hit += (out["digit"].argmax(1) == digit).sum().item()
            even_hit += ((out["even"].squeeze(1) > 0).float() == even).sum().item()
            sq += ((out["ink"].squeeze(1) - ink) ** 2).sum().item()
        n = len(loader.dataset)
        print(f"test: digit acc {hit / n:.3f}  even acc {even_hit / n:.3f}  ink mse {sq / n:.3f}")


def main():
    cfg = Config()
    torch.manual_seed(cfg.seed)
    X, y = load_digits(return_X_y=True)
    Xtr, Xte, ytr, yte = train_test_split(X / 16.0, y, test_size=0.3, stratify=y, random_state=cfg.seed)
    mean_ink, std_ink = Xtr.mean(1).mean(), Xtr.mean(1).std()

    def dataset(x, t):
        ink = (x.mean(1) - mean_ink) / std_ink
        return TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(t),
                             torch.tensor(t % 2 == 0).float(), torch.tensor(ink, dtype=torch.float32))

    trainer = Trainer(cfg)
    trainer.fit(DataLoader(dataset(Xtr, ytr), cfg.batch_size, shuffle=True))
    trainer.report(DataLoader(dataset(Xte, yte), 256))


if __name__ == "__main__":
    main()
