# expect: nothing
"""Seq2seq with attention: numbers in words back to digits. Padded batches, packed encoder, padding left out of the loss."""
import random

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
CHARS = {c: i + 1 for i, c in enumerate(sorted(set("".join(WORDS)) | {" "}))}
START, END, IGNORE = 10, 11, -100


def examples(n, seed):
    rnd = random.Random(seed)
    rows = []
    for _ in range(n):
        digits = [rnd.randrange(10) for _ in range(rnd.randint(1, 4))]
        source = torch.tensor([CHARS[c] for c in " ".join(WORDS[d] for d in digits)])
        rows.append((source, torch.tensor(digits + [END])))
    return rows


def collate(batch):
    sources, targets = zip(*batch)
    lengths = torch.tensor([len(s) for s in sources])
    return pad_sequence(sources, batch_first=True), lengths, pad_sequence(targets, batch_first=True, padding_value=IGNORE)


class Speller(nn.Module):
    def __init__(self, dim=64):
        super().__init__()
        self.embed = nn.Embedding(len(CHARS) + 1, 24, padding_idx=0)
        self.encoder = nn.GRU(24, dim // 2, batch_first=True, bidirectional=True)
        self.digit = nn.Embedding(12, 24)
        self.bridge = nn.Linear(dim, dim)
        self.cell = nn.GRUCell(24 + dim, dim)
        self.out = nn.Linear(2 * dim, 12)

    def forward(self, source, lengths, target=None, steps=6):
        packed = pack_padded_sequence(self.embed(source), lengths, batch_first=True, enforce_sorted=False)
        memory, _ = self.encoder(packed)
        memory, _ = pad_packed_sequence(memory, batch_first=True, total_length=source.shape[1])
        mask = source == 0
        state = torch.tanh(self.bridge(memory.sum(1) / lengths.unsqueeze(1)))
        context = torch.zeros_like(state)
        previous = torch.full((len(source),), START)
        outputs = []
        for t in range(target.shape[1] if target is not None else steps):
            state = self.cell(torch.cat([self.digit(previous), context], dim=1), state)
            scores = torch.einsum("bd,bld->bl", state, memory).masked_fill(mask, float("-inf"))
            context = torch.einsum("bl,bld->bd", scores.softmax(dim=1), memory)
            logits = self.out(torch.cat([state, context], dim=1))
            outputs.append(logits)
            previous = target[:, t].clamp(min=0) if target is not None else logits.argmax(dim=1)
        return torch.stack(outputs, dim=1)


@torch.no_grad()
def exact(model, loader):
    model.eval()
    right = n = 0
    for source, lengths, target in loader:
        guess = model(source, lengths, steps=target.shape[1]).argmax(dim=2)
        right += ((guess == target) | (target == IGNORE)).all(dim=1).sum().item()
        n += len(target)
    return right / n


def main():
    torch.manual_seed(82)
    train = DataLoader(examples(1200, seed=1), batch_size=32, shuffle=True, collate_fn=collate)
    test = DataLoader(examples(300, seed=2), batch_size=100, collate_fn=collate)
    model = Speller()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    for epoch in range(5):
        model.train()
        total = 0.0
        for source, lengths, target in train:
            logits = model(source, lengths, target)
            loss = F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=IGNORE)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / len(train):.4f}")
    print(f"whole numbers right: {exact(model, test):.3f}")


main()
