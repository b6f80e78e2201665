# expect: scheduler_misuse @ 19
# allowed: scheduler_misuse @ 48
"""Regression of a noisy surface with ReduceLROnPlateau driven by the validation error."""
import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader, TensorDataset


def surface(n, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.rand(n, 2, generator=g) * 4 - 2
    y = torch.sin(2 * x[:, :1]) * torch.cos(1.5 * x[:, 1:]) + 0.1 * torch.randn(n, 1, generator=g)
    return x, y


def make_training(model):
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    scheduler = ReduceLROnPlateau(opt, mode="max", factor=0.2, patience=2)
    return opt, scheduler


def validation_loss(model, loader, loss_fn):
    model.eval()
    total = n = 0
    with torch.no_grad():
        for x, y in loader:
            total += loss_fn(model(x), y).item() * len(x)
            n += len(x)
    return total / n


def main():
    torch.manual_seed(0)
    train = DataLoader(TensorDataset(*surface(1200, 0)), batch_size=40, shuffle=True)
    valid = DataLoader(TensorDataset(*surface(400, 1)), batch_size=200)
    model = nn.Sequential(nn.Linear(2, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 1))
    opt, scheduler = make_training(model)
    loss_fn = nn.MSELoss()
    for epoch in range(20):
        model.train()
        for x, y in train:
            opt.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            opt.step()
        val = validation_loss(model, valid, loss_fn)
        scheduler.step(val)
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1} val {val:.4f} lr {opt.param_groups[0]['lr']:.2e}")


if __name__ == "__main__":
    main()
