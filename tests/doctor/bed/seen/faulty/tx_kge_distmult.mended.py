# expect: nothing
"""DistMult embeddings of a small knowledge graph, trained with sampled negatives, judged by filtered ranks on held-out triples."""
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    n_entities: int = 120
    n_relations: int = 4
    n_groups: int = 8
    dim: int = 24
    negatives: int = 6
    epochs: int = 40
    batch_size: int = 256
    lr: float = 1e-2
    reg: float = 1e-3
    seed: int = 0


def make_graph(cfg):
    """Entities live in groups; a (symmetric) relation holds between most members of certain pairs of groups, each pair is stored once."""
    rng = np.random.default_rng(cfg.seed)
    group = rng.integers(0, cfg.n_groups, cfg.n_entities)
    triples = []
    for r in range(cfg.n_relations):
        partner = rng.permutation(cfg.n_groups)
        partner = np.minimum(partner, np.argsort(partner))
        linked = (partner[group][:, None] == group[None, :]) | (partner[group][None, :] == group[:, None])
        keep = np.triu(linked & (rng.random(linked.shape) < 0.6), 1)
        heads, tails = np.nonzero(keep)
        triples.append(np.stack([heads, np.full_like(heads, r), tails], 1))
    triples = torch.from_numpy(rng.permutation(np.concatenate(triples)))
    cut = int(0.85 * len(triples))
    return triples[:cut], triples[cut:]


class DistMult(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.entity = nn.Embedding(cfg.n_entities, cfg.dim)
        self.relation = nn.Embedding(cfg.n_relations, cfg.dim)
        nn.init.xavier_normal_(self.entity.weight)
        nn.init.xavier_normal_(self.relation.weight)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, triples):
        h, r, t = triples.unbind(-1)
        return (self.entity(h) * self.relation(r) * self.entity(t)).sum(-1) + self.bias

    def penalty(self, triples):
        h, r, t = triples.unbind(-1)
        return sum(e.pow(2).mean() for e in (self.entity(h), self.relation(r), self.entity(t)))


class NegativeSampler:
    def __init__(self, cfg):
        self.k, self.n = cfg.negatives, cfg.n_entities

    def __call__(self, positives):
        fake = positives.repeat(self.k, 1)
        corrupt_head = torch.rand(len(fake)) < 0.5
        random_entity = torch.randint(0, self.n, (len(fake),))
        fake[:, 0] = torch.where(corrupt_head, random_entity, fake[:, 0])
        fake[:, 2] = torch.where(corrupt_head, fake[:, 2], random_entity)
        triples = torch.cat([positives, fake])
        labels = torch.ones(len(triples))
        labels[len(positives):] = 0.0
        return triples, labels


def train(model, triples, cfg):
    sampler = NegativeSampler(cfg)
    loader = DataLoader(TensorDataset(triples), batch_size=cfg.batch_size, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(1, cfg.epochs + 1):
        losses = []
        for (positives,) in loader:
            batch, labels = sampler(positives)
            loss = criterion(model(batch), labels) + cfg.reg * model.penalty(batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 10 == 0:
            print(f"epoch {epoch:2d}  loss {np.mean(losses):.4f}")


@torch.no_grad()
def evaluate(model, known, held_out, cfg):
    every = torch.cat([known, held_out])
    seen = {tuple(t) for t in torch.cat([every, every.flip(1)]).tolist()}
    ranks = []
    for h, r, t in held_out.tolist():
        candidates = torch.tensor([[h, r, e] for e in range(cfg.n_entities)])
        scores = model(candidates)
        others = torch.tensor([e != t and (h, r, e) in seen for e in range(cfg.n_entities)])
        scores = scores.masked_fill(others, float("-inf"))
        ranks.append(int((scores > scores[t]).sum()) + 1)
    ranks = np.array(ranks)
    return (1 / ranks).mean(), (ranks <= 10).mean()


if __name__ == "__main__":
    cfg = Config()
    torch.manual_seed(cfg.seed)
    train_triples, test_triples = make_graph(cfg)
    net = DistMult(cfg)
    train(net, train_triples, cfg)
    net.eval()
    mrr, hits = evaluate(net, train_triples, test_triples, cfg)
    print(f"{len(train_triples)} training triples, {len(test_triples)} held out: MRR {mrr:.3f}, Hits@10 {hits:.3f}")
