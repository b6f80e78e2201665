# expect: nothing
# VAE convolucional para sinais 1D (ondas com fase e frequência aleatórias)
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

SEMENTE = 4
N_TREINO, N_TESTE = 257, 128
LATENTE = 6


def gerar(n, g):
    t = torch.linspace(0, 1, 32)
    freq = 1 + 2 * torch.rand(n, 1, generator=g)
    fase = 6.2832 * torch.rand(n, 1, generator=g)
    amp = 0.3 + 1.7 * torch.rand(n, 1, generator=g)
    onda = amp * torch.sin(6.2832 * freq * t + fase)
    return (onda + 0.05 * torch.randn(n, 32, generator=g)).unsqueeze(1)


class VAE(nn.Module):
    def __init__(self, z=LATENTE):
        super().__init__()
        self.enc = nn.Sequential(
            nn.Conv1d(1, 16, 4, stride=2, padding=1),
            nn.BatchNorm1d(16),
            nn.ReLU(),
            nn.Conv1d(16, 32, 4, stride=2, padding=1),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.mu = nn.Linear(32 * 8, z)
        self.logvar = nn.Linear(32 * 8, z)
        self.dec = nn.Sequential(nn.Linear(z, 64), nn.ReLU(), nn.Linear(64, 32))

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu
        if self.training:
            z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.dec(z).unsqueeze(1), mu, logvar


def elbo(rec, x, mu, logvar):
    erro = F.mse_loss(rec, x, reduction="sum") / 0.1
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum()
    return (erro + kl) / x.size(0)


def treinar(modelo, dados, opt):
    modelo.train()
    soma, n = 0.0, 0
    for (x,) in dados:
        opt.zero_grad()
        rec, mu, logvar = modelo(x)
        perda = elbo(rec, x, mu, logvar)
        perda.backward()
        opt.step()
        soma += perda.item() * len(x)
        n += len(x)
    return soma / n


@torch.no_grad()
def avaliar(modelo, dados):
    modelo.eval()
    soma, mse, n = 0.0, 0.0, 0
    for (x,) in dados:
        rec, mu, logvar = modelo(x)
        soma += elbo(rec, x, mu, logvar).item() * len(x)
        mse += F.mse_loss(rec, x).item() * len(x)
        n += len(x)
    return soma / n, mse / n


def principal():
    torch.manual_seed(SEMENTE)
    g = torch.Generator().manual_seed(SEMENTE)
    treino = TensorDataset(gerar(N_TREINO, g))
    teste = TensorDataset(gerar(N_TESTE, g))
    carregador = DataLoader(treino, batch_size=32, shuffle=True, drop_last=True)
    modelo = VAE()
    opt = torch.optim.Adam(modelo.parameters(), lr=2e-3)
    for epoca in range(1, 61):
        perda = treinar(modelo, carregador, opt)
        if epoca % 15 == 0:
            print(f"época {epoca}: -ELBO treino {perda:.3f}")
    neg, mse = avaliar(modelo, DataLoader(teste, batch_size=64))
    print(f"teste: -ELBO {neg:.3f}  mse {mse:.4f}")


principal()
