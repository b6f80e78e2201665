# expect: nothing
"""Semi-supervised node classification: GCN with heavy dropout, Trainer class with callbacks."""
import copy

import torch
from torch import nn
from torch.nn import functional as F


def stochastic_block_graph(n_nodes, n_class, generator):
    y = torch.randint(0, n_class, (n_nodes,), generator=generator)
    same = y[:, None] == y[None, :]
    p = same.float() * 0.08 + (~same).float() * 0.012
    adj = torch.bernoulli(torch.triu(p, 1), generator=generator)
    adj = adj + adj.T + torch.eye(n_nodes)
    d = adj.sum(1).rsqrt()
    words = torch.randn(n_class, 20, generator=generator)
    x = 0.5 * words[y] + torch.randn(n_nodes, 20, generator=generator)
    return x, y, d[:, None] * adj * d[None, :]


class GCN(nn.Module):
    def __init__(self, n_in, n_hid, n_out, p=0.6):
        super().__init__()
        self.lin1 = nn.Linear(n_in, n_hid)
        self.lin2 = nn.Linear(n_hid, n_out)
        self.drop = nn.Dropout(p)

    def forward(self, x, adj):
        h = F.relu(adj @ self.lin1(self.drop(x)))
        return adj @ self.lin2(self.drop(h))


class KeepBest:
    """Callback: remembers the weights with the best validation accuracy."""

    def __init__(self):
        self.best, self.weights = -1.0, None

    def __call__(self, trainer, epoch, logs):
        if logs["val_acc"] > self.best:
            self.best, self.weights = logs["val_acc"], copy.deepcopy(trainer.model.state_dict())


class Printer:
    def __init__(self, every):
        self.every = every

    def __call__(self, trainer, epoch, logs):
        if epoch % self.every == 0:
            print(f"epoch {epoch:3d} " + " ".join(f"{k}={v:.3f}" for k, v in logs.items()))


class Trainer:
    def __init__(self, model, graph, masks, lr=0.01, weight_decay=5e-4, callbacks=()):
        self.model, self.masks, self.callbacks = model, masks, callbacks
        self.x, self.y, self.adj = graph
        self.opt = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=weight_decay)

    def train_step(self):
        self.model.train()
        m = self.masks["train"]
        loss = F.cross_entropy(self.model(self.x, self.adj)[m], self.y[m])
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return loss.item()

    @torch.no_grad()
    def accuracy(self, split):
        self.model.eval()
        m = self.masks[split]
        guess = self.model(self.x, self.adj)[m].argmax(dim=1)
        return (guess == self.y[m]).float().mean().item()

    def fit(self, epochs):
        for epoch in range(1, epochs + 1):
            logs = {"loss": self.train_step()}
            logs["val_acc"] = self.accuracy("val")
            for cb in self.callbacks:
                cb(self, epoch, logs)


def split_masks(n, sizes, generator):
    order = torch.randperm(n, generator=generator)
    bounds = torch.tensor([0, *sizes]).cumsum(0).tolist()
    return {k: order[a:b] for k, a, b in zip(("train", "val", "test"), bounds[:-1], bounds[1:])}


if __name__ == "__main__":
    torch.manual_seed(2)
    gen = torch.Generator().manual_seed(2)
    graph = stochastic_block_graph(320, 4, gen)
    masks = split_masks(320, (80, 100, 140), gen)
    keeper = KeepBest()
    trainer = Trainer(GCN(20, 32, 4), graph, masks, callbacks=(keeper, Printer(20)))
    trainer.fit(100)
    trainer.model.load_state_dict(keeper.weights)
    print(f"best val {keeper.best:.3f}, test accuracy {trainer.accuracy('test'):.3f}")
