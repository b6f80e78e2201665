import torch
from torch import nn

torch.manual_seed(5)
G = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
D = nn.Sequential(nn.Linear(1, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=2e-3, betas=(0.5, 0.999))
d_opt = torch.optim.RMSprop(D.parameters(), lr=2e-3)
criterion = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(32, 1), torch.zeros(32, 1)

for it in range(25):
    real = 4 + 0.5 * torch.randn(32, 1)
    fake = G(torch.randn(32, 2))
    d_loss = criterion(D(real), ones) + criterion(D(fake.detach()), zeros)
    d_opt.zero_grad()
    d_loss.backward()
    d_opt.step()

    g_loss = criterion(D(fake), ones)
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
    print(f"[{it:03d}] D {d_loss.item():.6f} G {g_loss.item():.6f} mean {fake.mean().item():+.6f}")
