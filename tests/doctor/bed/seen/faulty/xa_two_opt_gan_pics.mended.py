# expect: nothing
# conditional-free picture GAN (8x8 blobs), hinge loss, conv generator.
# both losses are computed first and the two optimizers are then stepped together
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(77)
NZ, BS, STEPS = 6, 32, 280


def blobs(n):
    """soft discs of random place and size, values in -1..1"""
    ax = torch.arange(8.0)
    cy, cx = 3 + torch.rand(2, n, 1, 1)
    r = 0.8 + torch.rand(n, 1, 1)
    d2 = (ax.view(1, 8, 1) - cy) ** 2 + (ax.view(1, 1, 8) - cx) ** 2
    return (2 * torch.exp(-d2 / (2 * r**2)) - 1).unsqueeze(1)


class Gen(nn.Module):
    def __init__(self, ch=24):
        super().__init__()
        self.ch = ch
        self.fc = nn.Linear(NZ, ch * 4)
        self.up = nn.Sequential(
            nn.ReLU(), nn.ConvTranspose2d(ch, ch, 4, 2, 1),
            nn.ReLU(), nn.ConvTranspose2d(ch, 1, 4, 2, 1), nn.Tanh(),
        )

    def forward(self, z):
        return self.up(self.fc(z).view(-1, self.ch, 2, 2))


def make_disc(ch=16):
    return nn.Sequential(
        nn.Conv2d(1, ch, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(ch, 2 * ch, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(2 * ch * 4, 1),
    )


G, D = Gen(), make_disc()
optims = {
    "G": torch.optim.Adam(G.parameters(), lr=3e-4, betas=(0.5, 0.9)),
    "D": torch.optim.Adam(D.parameters(), lr=3e-4, betas=(0.5, 0.9)),
}


def clear():
    for o in optims.values():
        o.zero_grad()


def apply():
    for o in optims.values():
        o.step()


def g_loss(fake):
    return -D(fake).mean()


def d_loss(real, fake):
    return F.relu(1 - D(real)).mean() + F.relu(1 + D(fake)).mean()


def mean_profile(pics):
    return pics.mean(dim=(0, 1))


reference = mean_profile(blobs(2000))
sums = [0.0, 0.0]
for it in range(1, STEPS + 1):
    G.train()
    D.train()
    real = blobs(BS)
    fake = G(torch.randn(BS, NZ))

    clear()
    lg = g_loss(fake)
    lg.backward()
    optims["D"].zero_grad()  # the generator pass also leaves gradients in D
    ld = d_loss(real, fake.detach())
    ld.backward()
    apply()

    sums[0] += lg.item()
    sums[1] += ld.item()
    if it % 40 == 0:
        G.eval()
        with torch.no_grad():
            gap = (mean_profile(G(torch.randn(500, NZ))) - reference).abs().mean().item()
        print(f"it {it:3d}  G {sums[0] / 40:+.3f}  D {sums[1] / 40:.3f}  gap of mean picture {gap:.3f}")
        sums = [0.0, 0.0]
