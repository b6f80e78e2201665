# expect: train_mode_never_restored @ 51
# allowed: train_mode_never_restored @ 71
"""Character-level LSTM on made-up place names, printing a few samples every couple of epochs."""
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

PAD, BOS, EOS = 0, 1, 2
HEADS = ["north", "south", "east", "west", "old", "new", "high", "low", "great", "little"]
STEMS = ["ash", "oak", "wolf", "king", "mill", "stone", "brook", "hart", "raven", "elm"]
TAILS = ["ford", "ton", "ham", "bury", "wick", "ley", "field", "mouth", "bridge", "stead"]


def build_names():
    names = [f"{h} {s}{t}" for h in HEADS for s in STEMS for t in TAILS]
    random.shuffle(names)
    return names[:560], names[560:700]


ALPHABET = sorted(set("".join(HEADS + STEMS + TAILS) + " "))
STOI = {c: i + 3 for i, c in enumerate(ALPHABET)}
ITOS = {i: c for c, i in STOI.items()}


def encode(names):
    rows = [torch.tensor([BOS] + [STOI[c] for c in n] + [EOS]) for n in names]
    return pad_sequence(rows, batch_first=True, padding_value=PAD)


class NameModel(nn.Module):
    def __init__(self, vocab, emb=32, hidden=96, p=0.3):
        super().__init__()
        self.emb = nn.Embedding(vocab, emb, padding_idx=PAD)
        self.drop = nn.Dropout(p)
        self.rnn = nn.LSTM(emb, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocab)

    def forward(self, tokens, state=None):
        h, state = self.rnn(self.drop(self.emb(tokens)), state)
        return self.out(self.drop(h)), state

    def loss(self, tokens):
        logits, _ = self(tokens[:, :-1])
        return F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), ignore_index=PAD)

    @torch.no_grad()
    def sample(self, temperature=0.7, limit=24):
        self.eval()
        token, state, text = torch.tensor([[BOS]]), None, ""
        while len(text) < limit:
            logits, state = self(token, state)
            probs = (logits[0, -1] / temperature).softmax(-1)
            token = torch.multinomial(probs, 1).view(1, 1)
            if token.item() < 3:
                break
            text += ITOS[token.item()]
        return text


def main():
    random.seed(5)
    torch.manual_seed(5)
    train_names, test_names = build_names()
    train, test = encode(train_names), encode(test_names)
    model = NameModel(len(STOI) + 3)
    opt = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-3)

    model.train()
    for epoch in range(1, 9):
        losses = []
        for idx in torch.randperm(len(train)).split(56):
            loss = model.loss(train[idx])
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            losses.append(loss.item())
        if epoch % 2 == 0:
            print(f"epoch {epoch} loss {sum(losses) / len(losses):.3f}", [model.sample() for _ in range(3)])

    model.eval()
    with torch.no_grad():
        nll = model.loss(test).item()
    print(f"held-out nll per character {nll:.4f}")


main()
