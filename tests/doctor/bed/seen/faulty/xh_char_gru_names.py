# expect: missing_zero_grad @ 72
# allowed: missing_zero_grad @ 67
# allowed: missing_zero_grad @ 73
import random
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence

random.seed(3)
torch.manual_seed(3)

ENDINGS = {
    "it": ["ini", "etti", "ucci", "aldi"],
    "ru": ["ov", "enko", "sky", "evich"],
    "de": ["mann", "bauer", "stein", "dorf"],
}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
langs = sorted(ENDINGS)


def fake_name(lang):
    stem = "".join(random.choice("bcdfgklmnprst") + random.choice("aeiou")
                   for _ in range(random.randint(1, 3)))
    if random.random() < 0.12:
        return stem + random.choice(ENDINGS[random.choice(langs)])
    return stem + random.choice(ENDINGS[lang])


pairs = sorted({(fake_name(l), langs.index(l)) for l in langs for _ in range(260)})
random.shuffle(pairs)
n_val = 150
val_pairs, train_pairs = pairs[:n_val], pairs[n_val:]


def encode(name):
    return torch.tensor([LETTERS.index(c) + 1 for c in name])


def make_batch(items):
    xs = [encode(n) for n, _ in items]
    lens = torch.tensor([len(x) for x in xs])
    ys = torch.tensor([y for _, y in items])
    return pad_sequence(xs, batch_first=True), lens, ys


class NameGRU(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.emb = nn.Embedding(27, 16, padding_idx=0)
        self.gru = nn.GRU(16, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 3)

    def forward(self, x, lens):
        packed = nn.utils.rnn.pack_padded_sequence(
            self.emb(x), lens, batch_first=True, enforce_sorted=False)
        _, h = self.gru(packed)
        return self.fc(h[-1])


net = NameGRU()
optim = torch.optim.SGD(net.parameters(), lr=0.2)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(10):
    net.train()
    random.shuffle(train_pairs)
    optim.zero_grad()
    total = 0.0
    for i in range(0, len(train_pairs), 16):
        x, lens, y = make_batch(train_pairs[i:i + 16])
        loss = loss_fn(net(x, lens), y)
        loss.backward()
        optim.step()
        total += loss.item() * len(y)
    net.eval()
    with torch.no_grad():
        x, lens, y = make_batch(val_pairs)
        acc = (net(x, lens).argmax(1) == y).float().mean().item()
    print(f"epoch {epoch:2d}  train loss {total / len(train_pairs):.4f}  val acc {acc:.3f}")
