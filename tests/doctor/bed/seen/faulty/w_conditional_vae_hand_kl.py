# expect: detached_graph @ 32
"""A conditional VAE on made-up spectra; the divergence from the prior is written out by hand."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal

torch.manual_seed(6)
kind = torch.randint(0, 4, (600,))
grid = torch.linspace(0, 1, 24)
height = 0.5 + torch.rand(600, 1)
spectra = height * torch.exp(-(((grid - 0.2 * (kind[:, None] + 1)) / 0.08) ** 2)) + 0.02 * torch.randn(600, 24)
labels = F.one_hot(kind, 4).float()


class SpectraVAE(nn.Module):
    def __init__(self, latent=3):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(28, 40), nn.SiLU(), nn.Linear(40, 2 * latent))
        self.decode = nn.Sequential(nn.Linear(latent + 4, 40), nn.SiLU(), nn.Linear(40, 24))

    def forward(self, x, label):
        mean, spread = self.encode(torch.cat([x, label], 1)).chunk(2, 1)
        std = F.softplus(spread) + 1e-3
        z = self.latent(mean, std)
        divergence = 0.5 * (mean**2 + std**2 - 1 - 2 * std.log()).sum(1).mean()
        return self.decode(torch.cat([z, label], 1)), divergence

    @staticmethod
    def latent(mean, std):
        # one draw for each row
        return Normal(mean, std).sample()


model = SpectraVAE()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(12):
    for rows in torch.randperm(500).split(50):
        rebuilt, divergence = model(spectra[rows], labels[rows])
        loss = F.mse_loss(rebuilt, spectra[rows]) + 1e-3 * divergence
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} loss {loss.item():.4f}")
