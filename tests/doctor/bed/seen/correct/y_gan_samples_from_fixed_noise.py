# expect: nothing
# looks suspicious: the same noise goes through the generator after each epoch, in eval mode, with a fixed
# generator of random numbers: pictures of progress are to be comparable.
import torch
from torch import nn, optim

torch.manual_seed(999)
n_points, nz = 1024, 4
angle = 2 * torch.pi * torch.rand(n_points)
real = torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(n_points, 2)
G = nn.Sequential(nn.Linear(nz, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
criterion = nn.BCEWithLogitsLoss()
opt_d = optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.999))
opt_g = optim.Adam(G.parameters(), lr=2e-3, betas=(0.5, 0.999))
fixed_noise = torch.randn(64, nz, generator=torch.Generator().manual_seed(1))
history = []

for epoch in range(16):
    for batch in real[torch.randperm(n_points)].split(64):
        b = len(batch)
        D.zero_grad()
        err_real = criterion(D(batch), torch.ones(b, 1))
        err_real.backward()
        fake = G(torch.randn(b, nz))
        err_fake = criterion(D(fake.detach()), torch.zeros(b, 1))
        err_fake.backward()
        opt_d.step()
        G.zero_grad()
        err_g = criterion(D(fake), torch.ones(b, 1))
        err_g.backward()
        opt_g.step()
    G.eval()
    with torch.no_grad():
        history.append(G(fixed_noise))
    G.train()
    radius = history[-1].norm(dim=1)
    loss_d = (err_real + err_fake).item()
    print(f"[{epoch}] D {loss_d:.3f} G {err_g.item():.3f} radius {radius.mean():.3f} +- {radius.std():.3f}")
print(f"moved by {(history[-1] - history[0]).norm(dim=1).mean():.3f}")
