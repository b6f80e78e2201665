# expect: nothing
# looks suspicious: detach appears three times in the loss: straight-through estimator, codebook and
# commitment terms of a VQ-VAE.
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
x = torch.tensor(load_digits().data / 16, dtype=torch.float32)
train, held = x[:1500], x[1500:]


class VQVAE(nn.Module):
    def __init__(self, codes=32, dim=8, slots=4):
        super().__init__()
        self.dim, self.slots = dim, slots
        self.enc = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, dim * slots))
        self.dec = nn.Sequential(nn.Linear(dim * slots, 64), nn.ReLU(), nn.Linear(64, 64))
        self.codebook = nn.Embedding(codes, dim)
        nn.init.uniform_(self.codebook.weight, -1 / codes, 1 / codes)

    def forward(self, v):
        z = self.enc(v).view(-1, self.slots, self.dim)
        distance = (z.unsqueeze(2) - self.codebook.weight).pow(2).sum(-1)
        q = self.codebook(distance.argmin(-1))
        codebook_loss = F.mse_loss(q, z.detach())
        commitment = F.mse_loss(z, q.detach())
        q = z + (q - z).detach()
        return self.dec(q.flatten(1)), codebook_loss, commitment


model = VQVAE()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(8):
    for rows in torch.randperm(1500).split(64):
        recon, vq, commit = model(train[rows])
        loss = F.mse_loss(recon, train[rows]) + vq + 0.25 * commit
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        held_out = F.mse_loss(model(held)[0], held).item()
    print(f"epoch {epoch} loss {loss.item():.4f} held-out reconstruction {held_out:.4f}")
