# expect: lr_too_low @ 58
# allowed: lr_too_low @ 51
# mend: 51 →     p.add_argument("--lr", type=float, default=1e-2)
"""Topic classification of short synthetic sentences with averaged embeddings."""
import argparse
import random
import torch
from torch import nn
from torch.utils.data import DataLoader

TOPICS = {
    "sport": "goal match team player score coach league ball".split(),
    "food": "soup bread salt oven sauce dinner sugar cook".split(),
    "money": "bank loan stock price market profit tax credit".split(),
}
COMMON = "the a of and in to with for on at by was is".split()
WORDS = {w: i for i, w in enumerate(sorted(set(COMMON).union(*TOPICS.values())))}


def sentences(n, seed):
    rng = random.Random(seed)
    names = list(TOPICS)
    out = []
    for _ in range(n):
        k = rng.randrange(3)
        words = rng.choices(COMMON, k=rng.randint(4, 9)) + rng.choices(TOPICS[names[k]], k=2)
        words.append(rng.choice(TOPICS[rng.choice(names)]))
        rng.shuffle(words)
        out.append(([WORDS[w] for w in words], k))
    return out


def collate(batch):
    flat = torch.tensor([t for toks, _ in batch for t in toks])
    offsets = torch.tensor([0] + [len(toks) for toks, _ in batch[:-1]]).cumsum(0)
    return flat, offsets, torch.tensor([k for _, k in batch])


class TopicNet(nn.Module):
    def __init__(self, vocab, dim=24):
        super().__init__()
        self.bag = nn.EmbeddingBag(vocab, dim)
        self.fc = nn.Linear(dim, 3)

    def forward(self, flat, offsets):
        return self.fc(self.bag(flat, offsets))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--lr", type=float, default=1e-7)
    p.add_argument("--epochs", type=int, default=8)
    args = p.parse_args()
    torch.manual_seed(0)
    train = DataLoader(sentences(1200, 0), batch_size=32, shuffle=True, collate_fn=collate)
    test = DataLoader(sentences(300, 1), batch_size=100, collate_fn=collate)
    net = TopicNet(len(WORDS))
    opt = torch.optim.Adam(net.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        net.train()
        for flat, off, k in train:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(flat, off), k)
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            ok = sum((net(f, o).argmax(1) == k).sum().item() for f, o, k in test)
        print(f"epoch {epoch} loss {loss.item():.4f} accuracy {ok / 300:.3f}")


main()
