# missed: params_not_in_optimizer @ 36
# mend: 36 →             {"params": [p for head in heads for p in head.parameters()], "lr": cfg.lr},
"""Digits with a shared trunk and two heads (digit and parity), in a small reusable trainer with param groups."""
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


@dataclass
class TrainConfig:
    epochs: int = 12
    batch_size: int = 64
    lr: float = 2e-3
    trunk_lr_scale: float = 0.5


class DigitNet(nn.Module):
    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.digit_head = nn.Linear(width, 10)
        self.parity_head = nn.Sequential(nn.Linear(width, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.trunk(x)
        return self.digit_head(h), self.parity_head(h).squeeze(1)

    def param_groups(self, cfg: TrainConfig) -> list[dict]:
        heads = [self.digit_head, self.parity_head]
        return [
            {"params": list(self.trunk.parameters()), "lr": cfg.lr * cfg.trunk_lr_scale},
            {"params": list(heads[0].parameters()), "lr": cfg.lr},
        ]


class Trainer:
    def __init__(self, model: DigitNet, cfg: TrainConfig) -> None:
        self.model, self.cfg = model, cfg
        self.optimizer = torch.optim.Adam(model.param_groups(cfg))

    def step(self, x: Tensor, digit: Tensor) -> float:
        parity = (digit % 2).float()
        logits, odd = self.model(x)
        loss = nn.functional.cross_entropy(logits, digit) + nn.functional.binary_cross_entropy_with_logits(odd, parity)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def fit(self, loader: DataLoader) -> None:
        for epoch in range(self.cfg.epochs):
            self.model.train()
            total = sum(self.step(x, y) for x, y in loader)
            if epoch % 4 == 3:
                print(f"epoch {epoch + 1:2d}  loss {total / len(loader):.4f}")

    @torch.no_grad()
    def evaluate(self, x: Tensor, digit: Tensor) -> tuple[float, float]:
        self.model.eval()
        logits, odd = self.model(x)
        acc = (logits.argmax(1) == digit).float().mean().item()
        parity_acc = ((odd > 0) == (digit % 2 == 1)).float().mean().item()
        return acc, parity_acc


def main() -> None:
    torch.manual_seed(0)
    cfg = TrainConfig()
    x, y = load_digits(return_X_y=True)
    xtr, xte, ytr, yte = train_test_split(x / 16.0, y, test_size=0.25, stratify=y, random_state=0)
    train = TensorDataset(torch.tensor(xtr, dtype=torch.float32), torch.tensor(ytr))
    trainer = Trainer(DigitNet(), cfg)
    trainer.fit(DataLoader(train, batch_size=cfg.batch_size, shuffle=True))
    acc, parity = trainer.evaluate(torch.tensor(xte, dtype=torch.float32), torch.tensor(yte))
    print(f"test digit acc {acc:.3f}  parity acc {parity:.3f}")


if __name__ == "__main__":
    main()
