# expect: nothing
import torch
import torch.nn.functional as F
from torch import nn
torch.manual_seed(0)
G = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2)); D = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 1))
a, b = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)
data = torch.randn(256, 2) + 2
for step in range(60):
    D.train()
    real, fake = data[torch.randint(0, 256, (32,))], G(torch.randn(32, 4))
    loss = F.binary_cross_entropy_with_logits(D(real), torch.ones(32, 1)) + F.binary_cross_entropy_with_logits(D(fake.detach()), torch.zeros(32, 1))
    b.zero_grad(); loss.backward(); b.step()
    g = F.binary_cross_entropy_with_logits(D(fake), torch.ones(32, 1))
    a.zero_grad(); g.backward(); a.step()
    if step % 20 == 19:
        D.eval()
        with torch.no_grad():
            print((D(G(torch.randn(32, 4))) > 0).float().mean().item())
