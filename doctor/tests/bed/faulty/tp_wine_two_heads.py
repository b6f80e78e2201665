# expect: detached_loss @ 59
# allowed: detached_loss @ 60
# mend: 59 →         stacked = torch.stack(list(parts.values()))
"""Shared trunk with two heads on the wine table: the cultivar and the alcohol content from the other twelve columns."""
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


@dataclass
class TaskSpec:
    out_features: int
    weight: float


@dataclass
class Settings:
    hidden: int = 16
    lr: float = 4e-3
    epochs: int = 30
    batch_size: int = 32
    seed: int = 4
    tasks: dict[str, TaskSpec] = field(default_factory=lambda: {
        "cultivar": TaskSpec(out_features=3, weight=1.0),
        "alcohol": TaskSpec(out_features=1, weight=0.5),
    })


class MultiTaskNet(nn.Module):
    def __init__(self, in_features: int, cfg: Settings) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(in_features, cfg.hidden), nn.GELU(),
                                   nn.Linear(cfg.hidden, cfg.hidden), nn.GELU())
        self.heads = nn.ModuleDict({name: nn.Linear(cfg.hidden, t.out_features) for name, t in cfg.tasks.items()})

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        z = self.trunk(x)
        return {name: head(z) for name, head in self.heads.items()}


class MultiTaskLoss:
    """Weighted sum over the tasks; keeps the last value of each for the log."""

    def __init__(self, tasks: dict[str, TaskSpec]) -> None:
        self.weights = torch.tensor([t.weight for t in tasks.values()])
        self.last: dict[str, float] = {}

    def __call__(self, out: dict[str, torch.Tensor], batch: dict[str, torch.Tensor]) -> torch.Tensor:
        parts = {
            "cultivar": F.cross_entropy(out["cultivar"], batch["cultivar"]),
            "alcohol": F.mse_loss(out["alcohol"].squeeze(-1), batch["alcohol"]),
        }
        self.last = {name: part.item() for name, part in parts.items()}
        stacked = torch.tensor(list(self.last.values()), requires_grad=True)
        return (stacked * self.weights).sum()


def prepare(cfg: Settings) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    table, cultivar = load_wine(return_X_y=True)
    train, test, c_train, c_test = train_test_split(table, cultivar, test_size=0.3, stratify=cultivar, random_state=cfg.seed)
    scaler = StandardScaler().fit(train)

    def pack(rows, classes) -> dict[str, torch.Tensor]:
        z = torch.tensor(scaler.transform(rows), dtype=torch.float32)
        return {"x": z[:, 1:], "alcohol": z[:, 0], "cultivar": torch.tensor(classes)}

    return pack(train, c_train), pack(test, c_test)


def main() -> None:
    cfg = Settings()
    torch.manual_seed(cfg.seed)
    train, test = prepare(cfg)
    net = MultiTaskNet(train["x"].shape[1], cfg)
    criterion = MultiTaskLoss(cfg.tasks)
    optimizer = torch.optim.AdamW(net.parameters(), lr=cfg.lr, weight_decay=5e-2)
    for epoch in range(cfg.epochs):
        net.train()
        for index in torch.randperm(len(train["x"])).split(cfg.batch_size):
            batch = {key: value[index] for key, value in train.items()}
            loss = criterion(net(batch["x"]), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if (epoch + 1) % 10 == 0:
            print(f"epoch {epoch + 1}: " + "  ".join(f"{k} {v:.3f}" for k, v in criterion.last.items()))

    net.eval()
    with torch.no_grad():
        out = net(test["x"])
    hit = (out["cultivar"].argmax(-1) == test["cultivar"]).float().mean()
    mse = F.mse_loss(out["alcohol"].squeeze(-1), test["alcohol"])
    print(f"test: cultivar accuracy {hit:.3f}, alcohol mse {mse:.3f} (scaled units)")


if __name__ == "__main__":
    main()
