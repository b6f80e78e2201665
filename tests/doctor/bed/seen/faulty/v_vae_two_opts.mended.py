# expect: nothing
"""Trains a small VAE on the digits with one optimizer for each half."""
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)


class Encoder(nn.Module):
    def __init__(self, d=64, z=6):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(d, 64), nn.GELU())
        self.mu = nn.Linear(64, z)
        self.logvar = nn.Linear(64, z)

    def forward(self, x):
        h = self.body(x)
        return self.mu(h), self.logvar(h)


class VAETrainer:
    def __init__(self, lr=2e-3):
        self.enc = Encoder()
        self.dec = nn.Sequential(nn.Linear(6, 64), nn.GELU(), nn.Linear(64, 64))
        self.enc_opt = torch.optim.Adam(self.enc.parameters(), lr=lr)
        self.dec_opt = torch.optim.SGD(self.dec.parameters(), lr=0.02, momentum=0.9)

    def elbo(self, x):
        mu, logvar = self.enc(x)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        rec = F.binary_cross_entropy_with_logits(self.dec(z), x, reduction="none").sum(1)
        kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1)
        return (rec + kl).mean()

    def train_step(self, x):
        loss = self.elbo(x)
        self.enc_opt.zero_grad()
        self.dec_opt.zero_grad()
        loss.backward()
        self.enc_opt.step()
        self.dec_opt.step()
        return loss.item()

    @torch.inference_mode()
    def test(self, x):
        return self.elbo(x).item()


def main():
    x = torch.tensor(load_digits().data, dtype=torch.float32) / 16.0
    perm = torch.randperm(len(x))
    train, test = x[perm[:1400]], x[perm[1400:]]
    loader = DataLoader(TensorDataset(train), batch_size=64, shuffle=True)
    tr = VAETrainer()
    for epoch in range(20):
        total = sum(tr.train_step(xb) * len(xb) for (xb,) in loader) / len(train)
        if epoch % 5 == 4:
            print(f"epoch {epoch} train {total:.3f}")
    print(f"test -elbo {tr.test(test):.3f}")


if __name__ == "__main__":
    main()
