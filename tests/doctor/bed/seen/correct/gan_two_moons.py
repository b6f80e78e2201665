# expect: nothing
# looks suspicious: the generator's backward also fills the discriminator's gradients, which are not cleared
# until the next turn's opt_d.zero_grad(); no optimizer ever steps with them.
import torch
from sklearn.datasets import make_moons
from torch import nn

torch.manual_seed(0)
x, _ = make_moons(512, noise=0.05, random_state=0)
x = torch.tensor(x, dtype=torch.float32)
x = (x - x.mean(0)) / x.std(0)

G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.9))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))
bce = nn.functional.binary_cross_entropy_with_logits

for step in range(150):
    real = x[torch.randint(len(x), (128,))]
    z = torch.randn(128, 4)

    # generator first: D's weights only pass the gradient through
    g_loss = -D(G(z)).mean()
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()

    with torch.no_grad():
        fake = G(z)
    d_real, d_fake = D(real), D(fake)
    d_loss = bce(d_real, torch.ones_like(d_real)) + bce(d_fake, torch.zeros_like(d_fake))
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()
    if step % 50 == 0:
        print(step, "D", round(d_loss.item(), 3), "G", round(g_loss.item(), 3))
