# expect: nothing
"""Denoising autoencoder for digits with decay and no-decay parameter groups."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class AutoEncoder(nn.Module):
    def __init__(self, code=16):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, code))
        self.decoder = nn.Sequential(nn.Linear(code, 96), nn.ReLU(), nn.Linear(96, 64))

    def forward(self, x):
        return self.decoder(self.encoder(x))


def param_groups(model):
    decay = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim == 1]
    return [{"params": decay, "weight_decay": 1e-6}, {"params": plain, "weight_decay": 0.0}]


def r2(model, x):
    model.eval()
    with torch.no_grad():
        err = ((model(x) - x) ** 2).sum()
    return 1 - (err / ((x - x.mean(0)) ** 2).sum()).item()


def main():
    torch.manual_seed(0)
    x = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
    x_train, x_test = train_test_split(x, test_size=0.2, random_state=0)
    loader = DataLoader(TensorDataset(x_train), batch_size=64, shuffle=True)
    model = AutoEncoder()
    opt = torch.optim.Adam(param_groups(model), lr=2e-3)
    mse = nn.MSELoss()
    for epoch in range(15):
        model.train()
        for (xb,) in loader:
            noisy = xb + 0.05 * torch.randn_like(xb)
            opt.zero_grad()
            loss = mse(model(noisy), xb)
            loss.backward()
            opt.step()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} loss {loss.item():.4f} reconstruction R2 {r2(model, x_test):.3f}")


if __name__ == "__main__":
    main()
