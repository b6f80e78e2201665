# expect: detached_graph @ 44
"""Seq2seq with GRUs and teacher forcing: spell a word backwards; decoding at the end is greedy."""
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader

PAD, BOS, EOS = 0, 1, 2
LETTERS = "abcdefgh"
OFFSET = 3


def words(n, rng):
    seen = set()
    while len(seen) < n:
        seen.add("".join(rng.choices(LETTERS, k=rng.randint(3, 5))))
    return sorted(seen)


def collate(batch):
    source = [torch.tensor([LETTERS.index(c) + OFFSET for c in w]) for w in batch]
    back = [s.flip(0) for s in source]
    given = [torch.cat([torch.tensor([BOS]), b]) for b in back]
    wanted = [torch.cat([b, torch.tensor([EOS])]) for b in back]
    lengths = torch.tensor([len(s) for s in source])
    pad = lambda rows: pad_sequence(rows, batch_first=True, padding_value=PAD)
    return pad(source), lengths, pad(given), pad(wanted)


class Seq2Seq(nn.Module):
    def __init__(self, vocab=len(LETTERS) + OFFSET, dim=24, hidden=56):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim, padding_idx=PAD)
        self.encoder = nn.GRU(dim, hidden, batch_first=True)
        self.bridge = nn.Linear(hidden, hidden)
        self.decoder = nn.GRU(dim, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocab)

    def encode(self, source, lengths):
        packed = pack_padded_sequence(self.embed(source), lengths, batch_first=True, enforce_sorted=False)
        _, h = self.encoder(packed)
        return torch.tanh(self.bridge(h)).detach()

    def forward(self, source, lengths, given):
        states, _ = self.decoder(self.embed(given), self.encode(source, lengths))
        return self.out(states)

    @torch.no_grad()
    def spell(self, source, lengths, longest=6):
        h, token, said = self.encode(source, lengths), torch.full((len(source), 1), BOS), []
        for _ in range(longest):
            state, h = self.decoder(self.embed(token), h)
            token = self.out(state).argmax(-1)
            said.append(token)
        return torch.cat(said, dim=1)


def exact(model, loader):
    model.eval()
    right = count = 0
    for source, lengths, _, wanted in loader:
        said = model.spell(source, lengths, longest=wanted.shape[1])
        right += ((said == wanted) | (wanted == PAD)).all(1).sum().item()
        count += len(source)
    return right / count


def main():
    torch.manual_seed(14)
    rng = random.Random(14)
    vocabulary = words(1500, rng)
    rng.shuffle(vocabulary)
    train_loader = DataLoader(vocabulary[:1200], batch_size=64, shuffle=True, collate_fn=collate)
    test_loader = DataLoader(vocabulary[1200:], batch_size=150, collate_fn=collate)
    model = Seq2Seq()
    optimizer = torch.optim.Adam(model.parameters(), lr=7e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=18)
    criterion = nn.CrossEntropyLoss(ignore_index=PAD)
    for epoch in range(1, 19):
        model.train()
        total = 0.0
        for source, lengths, given, wanted in train_loader:
            loss = criterion(model(source, lengths, given).flatten(0, 1), wanted.flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
        scheduler.step()
        if epoch % 6 == 0:
            print(f"epoch {epoch}: loss {total / len(train_loader):.4f}")
    print(f"test words spelt backwards without a mistake: {exact(model, test_loader):.3f}")


if __name__ == "__main__":
    main()
