# expect: weight_decay_too_high @ 21
# allowed: weight_decay_too_high @ 82
# mend: 21 →     weight_decay: float = 5e-4
"""Node classification with a two-layer graph convolution on a stochastic block model."""
import argparse
from dataclasses import asdict, dataclass

import torch
from torch import nn


@dataclass
class GCNConfig:
    nodes_per_block: int = 60
    blocks: int = 4
    p_in: float = 0.12
    p_out: float = 0.02
    n_feat: int = 12
    hidden: int = 16
    lr: float = 0.01
    weight_decay: float = 0.5
    steps: int = 120
    seed: int = 6

    @classmethod
    def from_args(cls):
        ap = argparse.ArgumentParser()
        for name, value in asdict(cls()).items():
            ap.add_argument("--" + name.replace("_", "-"), type=type(value), default=value)
        return cls(**vars(ap.parse_args()))


@dataclass
class Graph:
    adj: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor
    train_mask: torch.Tensor
    test_mask: torch.Tensor


def block_model(cfg):
    g = torch.Generator().manual_seed(cfg.seed)
    n = cfg.nodes_per_block * cfg.blocks
    y = torch.arange(cfg.blocks).repeat_interleave(cfg.nodes_per_block)
    y = y[torch.randperm(n, generator=g)]
    same = y[:, None] == y[None, :]
    prob = torch.where(same, cfg.p_in, cfg.p_out)
    upper = torch.triu((torch.rand(n, n, generator=g) < prob).float(), diagonal=1)
    a = upper + upper.T + torch.eye(n)
    d = a.sum(1).rsqrt()
    centres = 0.6 * torch.randn(cfg.blocks, cfg.n_feat, generator=g)
    x = centres[y] + torch.randn(n, cfg.n_feat, generator=g)
    perm = torch.randperm(n, generator=g)
    train = torch.zeros(n, dtype=torch.bool)
    train[perm[: n // 3]] = True
    return Graph(d[:, None] * a * d[None, :], x, y, train, ~train)


class GraphConv(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.lin = nn.Linear(n_in, n_out)

    def forward(self, adj, h):
        return adj @ self.lin(h)


class GCN(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.first = GraphConv(cfg.n_feat, cfg.hidden)
        self.second = GraphConv(cfg.hidden, cfg.blocks)
        self.drop = nn.Dropout(0.3)

    def forward(self, adj, x):
        h = torch.relu(self.first(adj, x))
        return self.second(adj, self.drop(h))


def make_optimizer(net, cfg):
    return torch.optim.Adam(net.parameters(), lr=cfg.lr, weight_decay=cfg.weight_decay)


@torch.no_grad()
def accuracy(net, g, mask):
    net.eval()
    return (net(g.adj, g.x)[mask].argmax(1) == g.y[mask]).float().mean().item()


def main():
    cfg = GCNConfig.from_args()
    torch.manual_seed(cfg.seed)
    g = block_model(cfg)
    net = GCN(cfg)
    opt = make_optimizer(net, cfg)
    loss_fn = nn.CrossEntropyLoss()
    for step in range(cfg.steps):
        net.train()
        opt.zero_grad()
        loss = loss_fn(net(g.adj, g.x)[g.train_mask], g.y[g.train_mask])
        loss.backward()
        opt.step()
        if step % 20 == 19:
            print(f"step {step + 1:3d} loss {loss.item():.4f}")
    print(f"train accuracy {accuracy(net, g, g.train_mask):.3f}")
    print(f"test accuracy  {accuracy(net, g, g.test_mask):.3f}")


if __name__ == "__main__":
    main()
