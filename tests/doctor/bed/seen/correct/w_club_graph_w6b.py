# expect: nothing
"""Semi-supervised node classes on a made-up citation graph: two hand-written graph convolutions on the whole graph."""
import torch
from torch import nn
import torch.nn.functional as F

NODES, TOPICS, WORDS = 600, 4, 60


def citation_graph(generator):
    topic = torch.randint(0, TOPICS, (NODES,), generator=generator)
    same = topic[:, None] == topic[None, :]
    chance = torch.where(same, 0.020, 0.002)
    upper = torch.rand(NODES, NODES, generator=generator).lt(chance).triu(1)
    adjacency = (upper | upper.T).float()
    usual = torch.rand(TOPICS, WORDS, generator=generator) * 0.12 + 0.02
    words = torch.rand(NODES, WORDS, generator=generator).lt(usual[topic]).float()
    return adjacency, words, topic


def propagate_matrix(adjacency):
    with_self = adjacency + torch.eye(len(adjacency))
    degree = with_self.sum(dim=1).rsqrt()
    return degree[:, None] * with_self * degree[None, :]


class GraphConv(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(n_out))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, spread, x):
        return spread @ (x @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self, width=16, dropout=0.5):
        super().__init__()
        self.first, self.second = GraphConv(WORDS, width), GraphConv(width, TOPICS)
        self.dropout = dropout

    def forward(self, spread, x):
        x = F.dropout(x, self.dropout, self.training)
        x = F.relu(self.first(spread, x))
        x = F.dropout(x, self.dropout, self.training)
        return F.log_softmax(self.second(spread, x), dim=1)


def masks(topic, per_topic, generator):
    order = torch.randperm(NODES, generator=generator)
    train = torch.zeros(NODES, dtype=torch.bool)
    for t in range(TOPICS):
        train[order[topic[order] == t][:per_topic]] = True
    rest = order[~train[order]]
    valid, test = torch.zeros_like(train), torch.zeros_like(train)
    valid[rest[:150]] = True
    test[rest[150:]] = True
    return train, valid, test


@torch.no_grad()
def accuracy(model, spread, x, topic, mask):
    model.eval()
    guess = model(spread, x).argmax(dim=1)
    return (guess[mask] == topic[mask]).float().mean().item()


def main():
    torch.manual_seed(90)
    generator = torch.Generator().manual_seed(90)
    adjacency, words, topic = citation_graph(generator)
    spread = propagate_matrix(adjacency)
    x = words / words.sum(dim=1, keepdim=True).clamp(min=1)
    x = x * WORDS ** 0.5
    train, valid, test = masks(topic, 25, generator)

    model = GCN()
    optimizer = torch.optim.Adam([
        {"params": model.first.parameters(), "weight_decay": 5e-4},
        {"params": model.second.parameters(), "weight_decay": 0.0},
    ], lr=0.02)
    best, kept = 0.0, None
    for epoch in range(1, 121):
        model.train()
        optimizer.zero_grad()
        loss = F.nll_loss(model(spread, x)[train], topic[train])
        loss.backward()
        optimizer.step()
        if epoch % 10 == 0:
            share = accuracy(model, spread, x, topic, valid)
            if share > best:
                best, kept = share, {k: v.clone() for k, v in model.state_dict().items()}
            if epoch % 30 == 0:
                print(f"epoch {epoch:3d}  loss {loss.item():.4f}  validation {share:.3f}")
    model.load_state_dict(kept)
    print(f"test accuracy {accuracy(model, spread, x, topic, test):.3f}")


if __name__ == "__main__":
    main()
