# expect: seed_reset_each_epoch @ 38
# allowed: seed_reset_each_epoch @ 21
"""Contrastive pretraining with random views of tabular rows, then a linear probe (train.py style)."""
import argparse

import torch
import torch.nn.functional as F
from torch import nn


def parse():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=31)
    ap.add_argument("--epochs", type=int, default=10)
    ap.add_argument("--batch", type=int, default=60)
    ap.add_argument("--tau", type=float, default=0.2)
    return ap.parse_args()


def set_seed(seed):
    torch.manual_seed(seed)


def view(x):
    keep = (torch.rand_like(x) > 0.3).float()
    return x * keep + 0.2 * torch.randn_like(x)


def nt_xent(a, b, tau):
    z = F.normalize(torch.cat([a, b]), dim=1)
    sim = z @ z.T / tau
    sim = sim.masked_fill(torch.eye(len(z), dtype=torch.bool), float("-inf"))
    n = len(a)
    return F.cross_entropy(sim, torch.cat([torch.arange(n, 2 * n), torch.arange(n)]))


def pretrain_epoch(encoder, x, optimizer, args):
    set_seed(args.seed)
    encoder.train()
    total = 0.0
    chunks = torch.randperm(len(x)).split(args.batch)
    for idx in chunks:
        loss = nt_xent(encoder(view(x[idx])), encoder(view(x[idx])), args.tau)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(chunks)


def main():
    args = parse()
    set_seed(args.seed)
    centres = 1.5 * torch.randn(5, 16)
    y = torch.randint(0, 5, (900,))
    x = centres[y] + torch.randn(900, 16)
    encoder = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 16))
    optimizer = torch.optim.Adam(encoder.parameters(), lr=2e-3)
    for epoch in range(args.epochs):
        loss = pretrain_epoch(encoder, x[:600], optimizer, args)
        print(f"epoch {epoch} nt-xent {loss:.4f}")

    encoder.eval()
    with torch.no_grad():
        h = F.normalize(encoder(x), dim=1)
    probe = nn.Linear(16, 5)
    probe_opt = torch.optim.Adam(probe.parameters(), lr=0.05)
    for _ in range(100):
        probe_opt.zero_grad()
        F.cross_entropy(probe(h[:600]), y[:600]).backward()
        probe_opt.step()
    with torch.no_grad():
        print(f"probe accuracy {(probe(h[600:]).argmax(1) == y[600:]).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
