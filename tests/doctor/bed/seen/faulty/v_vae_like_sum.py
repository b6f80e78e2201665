# expect: exploding_sum_loss @ 30
# allowed: exploding_sum_loss @ 37
# allowed: non_finite_loss @ 45
"""Sequence autoencoder for noisy pulses; the reconstruction criterion comes from a helper."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def pulses(n, length=30):
    centre = torch.rand(n, 1) * 20 + 5
    width = torch.rand(n, 1) * 2 + 1
    height = torch.rand(n, 1) + 0.5
    t = torch.arange(length).float()
    clean = height * torch.exp(-(((t - centre) / width) ** 2))
    return clean + 0.02 * torch.randn(n, length)


class PulseAE(nn.Module):
    def __init__(self, length=30, code=6):
        super().__init__()
        self.down = nn.Sequential(nn.Linear(length, 64), nn.ReLU(), nn.Linear(64, code))
        self.up = nn.Sequential(nn.Linear(code, 64), nn.ReLU(), nn.Linear(64, length))

    def forward(self, x):
        return self.up(self.down(x))


def reconstruction_criterion():
    return nn.MSELoss(reduction="sum")


class Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.criterion = reconstruction_criterion()
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)

    def run(self, loader, epochs):
        for epoch in range(epochs):
            self.model.train()
            total = 0.0
            for (x,) in loader:
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(x), x)
                loss.backward()
                self.optimizer.step()
                total += loss.item()
            if epoch % 10 == 9:
                print(f"epoch {epoch} train loss {total / len(loader):.5f}")

    @torch.no_grad()
    def mse(self, x):
        self.model.eval()
        return (self.model(x) - x).pow(2).mean().item()


torch.manual_seed(14)
train, test = pulses(1000), pulses(250)
trainer = Trainer(PulseAE(), lr=0.5)
trainer.run(DataLoader(TensorDataset(train), batch_size=50, shuffle=True), epochs=40)
print(f"test mse {trainer.mse(test):.5f} of variance {test.var().item():.5f}")
