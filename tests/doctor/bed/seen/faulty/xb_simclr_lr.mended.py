# expect: nothing
"""Contrastive pre-training (InfoNCE with Euclidean distances on two noisy views), then a linear probe."""
import torch
from torch import nn
from torch.nn import functional as F


def clusters(n, gen, centres):
    y = torch.randint(len(centres), (n,), generator=gen)
    return centres[y] + 0.8 * torch.randn(n, centres.shape[1], generator=gen), y


def view(x):
    keep = (torch.rand_like(x) > 0.2).float()
    return x * keep + 0.2 * torch.randn_like(x)


def info_nce(za, zb, tau=1.0):
    sim = -(za.unsqueeze(1) - zb.unsqueeze(0)).pow(2).sum(dim=2) / tau
    target = torch.arange(len(za))
    return 0.5 * (F.cross_entropy(sim, target) + F.cross_entropy(sim.T, target))


def fit(params, objective, n_rows, epochs, lr=3e-3, batch=64):
    """objective(row numbers) -> loss; returns the mean loss of each epoch"""
    opt = torch.optim.Adam(params, lr=lr)
    history = []
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(n_rows).split(batch):
            loss = objective(rows)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(rows)
        history.append(round(total / n_rows, 4))
    return history


def main():
    torch.manual_seed(0)
    gen = torch.Generator().manual_seed(9)
    centres = 0.8 * torch.randn(6, 20, generator=gen)
    x, y = clusters(640, gen, centres)
    x_test, y_test = clusters(300, gen, centres)
    mu, sd = x.mean(0), x.std(0)
    x, x_test = (x - mu) / sd, (x_test - mu) / sd

    encoder = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
    projector = nn.Linear(32, 16)
    embed = lambda rows: projector(encoder(view(x[rows])))
    history = fit([*encoder.parameters(), *projector.parameters()],
                  lambda rows: info_nce(embed(rows), embed(rows)), len(x), epochs=12)
    print("contrastive:", history)

    encoder.eval().requires_grad_(False)
    with torch.no_grad():
        h, h_test = encoder(x), encoder(x_test)
    h_mu, h_sd = h.mean(0), h.std(0) + 1e-6
    h, h_test = (h - h_mu) / h_sd, (h_test - h_mu) / h_sd
    probe = nn.Linear(32, 6)
    history = fit(probe.parameters(), lambda rows: F.cross_entropy(probe(h[rows]), y[rows]), len(x),
                  epochs=15, lr=1e-2)
    print("probe      :", history[::5] + history[-1:])
    probe.eval()
    with torch.no_grad():
        acc = (probe(h_test).argmax(dim=1) == y_test).float().mean().item()
    print(f"probe accuracy on new rows: {acc:.3f}")


if __name__ == "__main__":
    main()
