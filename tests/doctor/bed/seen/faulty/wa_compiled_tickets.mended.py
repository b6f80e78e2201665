# expect: nothing
"""Route support tickets to a queue. Bag-of-tokens model, torch.compile with the eager backend."""
from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

QUEUES = {
    "billing": "invoice refund charge card payment receipt double tax price".split(),
    "network": "router signal wifi drop cable slow outage ping modem".split(),
    "account": "password login locked email reset username verify code access".split(),
}
FILLER = "hello please my the is since yesterday thanks help need cannot again team with".split()


@dataclass
class Settings:
    tickets: int = 900
    dim: int = 24
    batch: int = 32
    epochs: int = 4
    lr: float = 5e-3
    seed: int = 2


def write_ticket(rng: random.Random, queue: str) -> str:
    topical = rng.choices(QUEUES[queue], k=rng.randint(1, 3))
    stray = rng.choices(QUEUES[rng.choice(list(QUEUES))], k=1)
    words = topical + stray + rng.choices(FILLER, k=rng.randint(4, 9))
    rng.shuffle(words)
    return " ".join(words)


class Tickets(Dataset):
    def __init__(self, rows, vocab):
        self.rows, self.vocab = rows, vocab
        self.names = list(QUEUES)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        text, queue = self.rows[i]
        ids = [self.vocab.get(w, 0) for w in text.split()]
        return torch.tensor(ids), self.names.index(queue)


def collate(items):
    ids, labels = zip(*items)
    sizes = torch.tensor([0] + [len(t) for t in ids[:-1]])
    return torch.cat(ids), sizes.cumsum(0), torch.tensor(labels)


class Router(nn.Module):
    def __init__(self, n_words, dim, n_out):
        super().__init__()
        self.bag = nn.EmbeddingBag(n_words, dim, mode="mean")
        self.mlp = nn.Sequential(nn.Linear(dim, 32), nn.GELU(), nn.Dropout(0.2), nn.Linear(32, n_out))

    def forward(self, ids, offsets):
        return self.mlp(self.bag(ids, offsets))


@torch.no_grad()
def accuracy(net, loader):
    net.eval()
    hits = seen = 0
    for ids, offsets, labels in loader:
        guess = net(ids, offsets).argmax(dim=1)
        hits += (guess == labels).sum().item()
        seen += labels.numel()
    return hits / seen


def main(cfg: Settings):
    torch.manual_seed(cfg.seed)
    rng = random.Random(cfg.seed)
    texts = {}
    while len(texts) < cfg.tickets:  # dict keys: every text appears once
        q = rng.choice(list(QUEUES))
        texts.setdefault(write_ticket(rng, q), q)
    rows = list(texts.items())
    rng.shuffle(rows)
    cut = int(0.8 * len(rows))
    train_rows, test_rows = rows[:cut], rows[cut:]
    words = sorted({w for text, _ in train_rows for w in text.split()})
    vocab = {w: i for i, w in enumerate(words, start=1)}

    train = DataLoader(Tickets(train_rows, vocab), cfg.batch, shuffle=True, collate_fn=collate, drop_last=True)
    test = DataLoader(Tickets(test_rows, vocab), 90, collate_fn=collate)

    net = torch.compile(Router(len(vocab) + 1, cfg.dim, len(QUEUES)), backend="eager", dynamic=True)
    opt = torch.optim.Adam(net.parameters(), lr=cfg.lr)
    ce = nn.CrossEntropyLoss()
    for epoch in range(cfg.epochs):
        net.train()
        running = 0.0
        for ids, offsets, labels in train:
            opt.zero_grad(set_to_none=True)
            loss = ce(net(ids, offsets), labels)
            loss.backward()
            opt.step()
            running += loss.item()
        print(f"epoch {epoch}: loss {running / len(train):.4f}")
    print(f"held-out accuracy {accuracy(net, test):.3f}")


if __name__ == "__main__":
    main(Settings())
