# expect: nothing
"""A character model on made-up nursery lines: stateful LSTM, truncated backpropagation, bits per letter on kept lines."""
import itertools
import math
import random

import torch
from torch import nn

WHO = ["the cat", "a mouse", "old tom", "the king", "my sheep", "one crow"]
DOES = ["sat on", "ran to", "looked at", "jumped over", "slept by", "sang to"]
WHAT = ["the moon", "a wall", "the river", "an apple tree", "the red barn", "a silver spoon"]
WHEN = ["at night", "in may", "all day long", "before tea", ""]


def lines(n, seed):
    """n different lines in random order."""
    every = [" ".join(p for p in parts if p) for parts in itertools.product(WHO, DOES, WHAT, WHEN)]
    return random.Random(seed).sample(every, n)


class Letters:
    def __init__(self, text):
        self.all = sorted(set(text))
        self.number = {c: i for i, c in enumerate(self.all)}

    def encode(self, text):
        return torch.tensor([self.number[c] for c in text])

    def decode(self, ids):
        return "".join(self.all[i] for i in ids)


class CharLM(nn.Module):
    def __init__(self, letters, width=64):
        super().__init__()
        self.embed = nn.Embedding(letters, 24)
        self.drop = nn.Dropout(0.1)
        self.lstm = nn.LSTM(24, width, batch_first=True)
        self.out = nn.Linear(width, letters)

    def forward(self, ids, state=None):
        h, state = self.lstm(self.drop(self.embed(ids)), state)
        return self.out(self.drop(h)), state


def in_rows(ids, rows):
    width = (len(ids) - 1) // rows
    return ids[:rows * width].view(rows, width), ids[1:rows * width + 1].view(rows, width)


def chunks(ids, rows, length):
    x, y = in_rows(ids, rows)
    for a in range(0, x.size(1), length):
        yield x[:, a:a + length], y[:, a:a + length]


def bits(model, ids, length=64):
    model.eval()
    total, count, state = 0.0, 0, None
    with torch.no_grad():
        for x, y in chunks(ids, 4, length):
            logits, state = model(x, state)
            total += nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="sum").item()
            count += y.numel()
    return total / count / math.log(2)


@torch.no_grad()
def write(model, letters, start, n, generator):
    model.eval()
    ids, state = letters.encode(start), None
    logits, state = model(ids[None], state)
    out = ids.tolist()
    for _ in range(n):
        chances = torch.softmax(logits[0, -1] / 0.7, dim=-1)
        out.append(torch.multinomial(chances, 1, generator=generator).item())
        logits, state = model(torch.tensor([[out[-1]]]), state)
    return letters.decode(out)


def main():
    torch.manual_seed(55)
    rows = lines(500, seed=1)
    train_text, test_text = "\n".join(rows[:420]), "\n".join(rows[420:])
    letters = Letters(train_text)
    train, test = letters.encode(train_text), letters.encode(test_text)
    model = CharLM(len(letters.all))
    optimizer = torch.optim.Adam(model.parameters(), lr=8e-3)
    for epoch in range(10):
        model.train()
        state, seen = None, []
        for x, y in chunks(train, rows=16, length=32):
            logits, state = model(x, state)
            state = tuple(s.detach() for s in state)
            loss = nn.functional.cross_entropy(logits.transpose(1, 2), y)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            seen.append(loss.item())
        print(f"epoch {epoch + 1:2d}  bits per letter {sum(seen) / len(seen) / math.log(2):.3f}")
    print(f"kept lines: {bits(model, test):.3f} bits per letter")
    print(write(model, letters, "the cat ", 60, torch.Generator().manual_seed(4)))


if __name__ == "__main__":
    main()
