# expect: nothing
"""Vector-quantised autoencoder: straight-through estimator with detach and a commitment term."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Quantizer(nn.Module):
    def __init__(self, codes=32, dim=8):
        super().__init__()
        self.book = nn.Embedding(codes, dim)
        nn.init.uniform_(self.book.weight, -0.5, 0.5)

    def forward(self, z):
        with torch.no_grad():
            index = torch.cdist(z, self.book.weight).argmin(-1)
        q = self.book(index)
        extra = F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())
        return z + (q - z).detach(), extra, index


class VQVAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 32))
        self.vq = Quantizer()
        self.dec = nn.Sequential(nn.Linear(32, 96), nn.ReLU(), nn.Linear(96, 64))

    def forward(self, x):
        z = self.enc(x).view(len(x), 4, 8)
        q, extra, index = self.vq(z)
        return self.dec(q.flatten(1)).sigmoid(), extra, index


torch.manual_seed(0)
x = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
x = x[torch.randperm(len(x))]
train, test = x[:1440], x[1440:]
model = VQVAE()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(20):
    model.train()
    total = 0.0
    for (xb,) in DataLoader(TensorDataset(train), batch_size=60, shuffle=True):
        recon, extra, _ = model(xb)
        loss = F.mse_loss(recon, xb) + 0.2 * extra
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    if epoch % 5 == 4:
        print(f"epoch {epoch} loss {total / 24:.4f}")
model.eval()
with torch.no_grad():
    recon, _, index = model(test)
print(f"test mse {F.mse_loss(recon, test).item():.4f} of {test.var(0).mean().item():.4f}, codes used {index.unique().numel()}")
