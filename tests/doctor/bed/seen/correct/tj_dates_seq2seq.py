# expect: nothing
"""Sequence to sequence with additive attention: writes dates such as '7 march 2031' in ISO form, teacher forcing, greedy decoding."""
import argparse
import datetime
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

PAD, SOS, EOS = 0, 1, 2
ALPHABET = " 0123456789abcdefghijklmnopqrstuvwxyz-"
STOI = {c: i + 3 for i, c in enumerate(ALPHABET)}
ITOS = {i: c for c, i in STOI.items()}


def pairs(n, rng):
    first = datetime.date(2000, 1, 1).toordinal()
    for day in rng.sample(range(365 * 40), n):
        d = datetime.date.fromordinal(first + day)
        yield f"{d.day} {d.strftime('%b').lower()} {d.year}", d.isoformat()


def encode(text):
    return torch.tensor([STOI[c] for c in text] + [EOS])


def to_batch(rows):
    sources = [encode(s) for s, _ in rows]
    targets = [encode(t) for _, t in rows]
    return (pad_sequence(sources, batch_first=True), torch.tensor([len(s) for s in sources]),
            pad_sequence(targets, batch_first=True))


class Seq2Seq(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.embed = nn.Embedding(len(ALPHABET) + 3, dim, padding_idx=PAD)
        self.encoder = nn.GRU(dim, hidden, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(2 * hidden, hidden)
        self.decoder = nn.GRU(dim, hidden, batch_first=True)
        self.query, self.key, self.energy = nn.Linear(hidden, hidden), nn.Linear(2 * hidden, hidden), nn.Linear(hidden, 1)
        self.out = nn.Linear(3 * hidden, len(ALPHABET) + 3)

    def encode(self, source, lengths):
        packed = pack_padded_sequence(self.embed(source), lengths, batch_first=True, enforce_sorted=False)
        states, last = self.encoder(packed)
        memory, _ = pad_packed_sequence(states, batch_first=True)
        start = torch.tanh(self.bridge(torch.cat([last[0], last[1]], dim=-1)))
        return memory, source != PAD, start.unsqueeze(0)

    def decode(self, tokens, hidden, memory, mask):
        states, hidden = self.decoder(self.embed(tokens), hidden)
        energy = self.energy(torch.tanh(self.query(states).unsqueeze(2) + self.key(memory).unsqueeze(1))).squeeze(-1)
        weights = F.softmax(energy.masked_fill(~mask.unsqueeze(1), float("-inf")), dim=-1)
        return self.out(torch.cat([states, weights @ memory], dim=-1)), hidden

    def forward(self, source, lengths, target):
        memory, mask, hidden = self.encode(source, lengths)
        shifted = torch.cat([torch.full_like(target[:, :1], SOS), target[:, :-1]], dim=1)
        return self.decode(shifted, hidden, memory, mask)[0]

    @torch.no_grad()
    def greedy(self, source, lengths, steps=12):
        memory, mask, hidden = self.encode(source, lengths)
        token = torch.full((len(source), 1), SOS)
        written = []
        for _ in range(steps):
            logits, hidden = self.decode(token, hidden, memory, mask)
            token = logits.argmax(-1)
            written.append(token)
        return torch.cat(written, dim=1)


def to_text(ids):
    text = ""
    for i in ids.tolist():
        if i == EOS:
            break
        text += ITOS.get(i, "")
    return text


def run(args):
    rng = random.Random(args.seed)
    torch.manual_seed(args.seed)
    rows = list(pairs(1000, rng))
    train, test = rows[:850], rows[850:]
    model = Seq2Seq(args.dim, args.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    steps = args.epochs * -(-len(train) // args.batch)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=args.lr, total_steps=steps)
    for epoch in range(args.epochs):
        model.train()
        rng.shuffle(train)
        for start in range(0, len(train), args.batch):
            source, lengths, target = to_batch(train[start:start + args.batch])
            logits = model(source, lengths, target)
            loss = F.cross_entropy(logits.transpose(1, 2), target, ignore_index=PAD)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
        print(f"epoch {epoch + 1} last loss {loss.item():.4f}")

    model.eval()
    source, lengths, _ = to_batch(test)
    guesses = [to_text(ids) for ids in model.greedy(source, lengths)]
    exact = sum(g == t for g, (_, t) in zip(guesses, test)) / len(test)
    print(f"{test[0][0]} -> {guesses[0]}; exact on {exact:.3f} of {len(test)} unseen dates")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for flag, default in [("--dim", 24), ("--hidden", 48), ("--batch", 40), ("--epochs", 5), ("--seed", 12)]:
        parser.add_argument(flag, type=int, default=default)
    parser.add_argument("--lr", type=float, default=0.015)
    run(parser.parse_args())
