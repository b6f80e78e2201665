# expect: params_not_in_optimizer @ 24
# allowed: params_not_in_optimizer @ 47
"""A soft mixture of experts for a piecewise made-up price surface; gate and experts are trained together."""
import math

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Expert(nn.Module):
    def __init__(self, n_in: int, hidden: int):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, hidden), nn.SiLU(), nn.Linear(hidden, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).squeeze(-1)


class MixtureOfExperts(nn.Module):
    def __init__(self, n_in: int, n_experts: int = 4, hidden: int = 24):
        super().__init__()
        self.gate = nn.Sequential(nn.Linear(n_in, hidden), nn.Tanh(), nn.Linear(hidden, n_experts))
        self.experts = [Expert(n_in, hidden) for _ in range(n_experts)]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        share = self.gate(x).softmax(dim=-1)
        said = torch.stack([expert(x) for expert in self.experts], dim=-1)
        return (share * said).sum(dim=-1), share


def balance(share: Tensor) -> Tensor:
    """Small where the experts carry equal load over the batch."""
    load = share.mean(dim=0)
    return (load * (load * load.numel()).log()).sum()


def surface(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    x = torch.rand(n, 3, generator=generator) * 2 - 1
    north = torch.sin(3 * x[:, 1]) + x[:, 2]
    south = 1.5 * x[:, 1] ** 2 - x[:, 2]
    y = torch.where(x[:, 0] > 0, north, south)
    return x, y + 0.1 * torch.randn(n, generator=generator)


def train(model: nn.Module, loader: DataLoader, epochs: int, lr: float) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs, eta_min=lr / 20)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            guess, share = model(x)
            loss = nn.functional.mse_loss(guess, y) + 0.01 * balance(share)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        scheduler.step()
        if (epoch + 1) % 5 == 0:
            print(f"epoch {epoch + 1:2d}: loss {total / len(loader.dataset):.4f}")


def main() -> None:
    torch.manual_seed(31)
    source = torch.Generator().manual_seed(32)
    train_x, train_y = surface(1500, source)
    test_x, test_y = surface(500, source)
    model = MixtureOfExperts(3)
    train(model, DataLoader(TensorDataset(train_x, train_y), batch_size=64, shuffle=True), epochs=20, lr=1e-2)
    model.eval()
    with torch.no_grad():
        guess, share = model(test_x)
        rmse = math.sqrt(nn.functional.mse_loss(guess, test_y).item())
    print(f"test RMSE {rmse:.4f} (spread {test_y.std().item():.4f}), load {[round(v, 2) for v in share.mean(0).tolist()]}")


if __name__ == "__main__":
    main()
