# expect: nothing
"""A small GAN that learns to draw 8x8 zeros in the style of sklearn's digits (non-saturating loss)."""
import torch
from sklearn.datasets import load_digits
from torch import nn


class Generator(nn.Module):
    def __init__(self, z_dim=16):
        super().__init__()
        self.z_dim = z_dim
        self.net = nn.Sequential(
            nn.Linear(z_dim, 64), nn.LeakyReLU(0.2), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.Tanh()
        )

    def forward(self, z):
        return self.net(z)

    def sample(self, n):
        return self(torch.randn(n, self.z_dim))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)
        )

    def forward(self, x):
        return self.net(x).squeeze(1)


bce = nn.BCEWithLogitsLoss()


def discriminator_step(G, D, real, opt_d):
    with torch.no_grad():
        fake = G.sample(len(real))
    logits_real, logits_fake = D(real), D(fake)
    loss = bce(logits_real, torch.full_like(logits_real, 0.9)) + bce(logits_fake, torch.zeros_like(logits_fake))
    opt_d.zero_grad()
    loss.backward()
    opt_d.step()
    return loss.item()


def generator_step(G, D, n, opt_g):
    logits = D(G.sample(n))
    loss = bce(logits, torch.ones_like(logits))
    opt_g.zero_grad()
    loss.backward()
    opt_g.step()
    return loss.item()


@torch.no_grad()
def distance_to_real(G, held_out, n=200):
    """Mean distance from a sample to the nearest held-out image."""
    G.eval()
    nearest = torch.cdist(G.sample(n), held_out).min(dim=1).values
    G.train()
    return nearest.mean().item()


def main():
    torch.set_num_threads(1)
    torch.manual_seed(77)
    raw = load_digits()
    zeros = torch.tensor(raw.data[raw.target == 0], dtype=torch.float32) / 8 - 1
    zeros = zeros[torch.randperm(len(zeros))]
    train, held_out = zeros[:130], zeros[130:]

    G, D = Generator(), Discriminator()
    opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
    print(f"before: distance {distance_to_real(G, held_out):.3f}")
    for epoch in range(30):
        d_loss = g_loss = steps = 0
        for idx in torch.randperm(len(train)).split(26):
            d_loss += discriminator_step(G, D, train[idx], opt_d)
            g_loss += generator_step(G, D, 26, opt_g)
            steps += 1
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: D {d_loss / steps:.3f}  G {g_loss / steps:.3f}")
    print(f"after: distance {distance_to_real(G, held_out):.3f}")


if __name__ == "__main__":
    main()
