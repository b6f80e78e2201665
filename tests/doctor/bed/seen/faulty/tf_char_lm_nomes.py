# expect: lr_too_high @ 19
"""Gerador de nomes: a character language model (GRU) on made-up Portuguese first names."""
import itertools
import math
import random
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass(frozen=True)
class Hparams:
    embed: int = 24
    hidden: int = 64
    batch: int = 32
    epochs: int = 10
    lr: float = 5e-1
    clip: float = 5.0


STARTS = "Mar An Jo Lu Fer Ped Raf Gab Bea Cat Vit Tia Hen Isa Dan Sim Rod Edu Ali Ber".split()
MIDDLES = "ia el ar in and or ui il on al ed an".split()
ENDINGS = "a o inha inho eu ana ano ela ete ina".split()
PAD, BOS, EOS = 0, 1, 2


def names_corpus(seed):
    names = ["".join(parts).lower() for parts in itertools.product(STARTS, MIDDLES, ENDINGS)]
    names = sorted(set(names))
    random.Random(seed).shuffle(names)
    return names[:1200], names[1200:1500]


train_names, test_names = names_corpus(9)
letters = sorted(set("".join(train_names)))
stoi = {c: i + 3 for i, c in enumerate(letters)}


def encode(batch):
    rows = [[BOS] + [stoi[c] for c in name] + [EOS] for name in batch]
    width = max(map(len, rows))
    ids = torch.tensor([r + [PAD] * (width - len(r)) for r in rows])
    return ids[:, :-1], ids[:, 1:]


class CharGRU(nn.Module):
    def __init__(self, vocab, hp):
        super().__init__()
        self.emb = nn.Embedding(vocab, hp.embed, padding_idx=PAD)
        self.gru = nn.GRU(hp.embed, hp.hidden, batch_first=True)
        self.out = nn.Linear(hp.hidden, vocab)

    def forward(self, ids):
        return self.out(self.gru(self.emb(ids))[0])


def loss_of(model, batch):
    inputs, targets = encode(batch)
    return F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten(), ignore_index=PAD)


def train(model, hp):
    optimizer = torch.optim.Adam(model.parameters(), lr=hp.lr)
    for epoch in range(hp.epochs):
        model.train()
        random.shuffle(train_names)
        losses = []
        for i in range(0, len(train_names), hp.batch):
            optimizer.zero_grad()
            loss = loss_of(model, train_names[i:i + hp.batch])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), hp.clip)
            optimizer.step()
            losses.append(loss.item())
        print(f"epoca {epoch + 1:2d}  perplexidade de treino {math.exp(sum(losses) / len(losses)):.3f}")


if __name__ == "__main__":
    random.seed(0)
    torch.manual_seed(0)
    hp = Hparams()
    model = CharGRU(len(stoi) + 3, hp)
    train(model, hp)
    model.eval()
    with torch.no_grad():
        print(f"perplexidade de teste {math.exp(loss_of(model, test_names).item()):.3f}")
