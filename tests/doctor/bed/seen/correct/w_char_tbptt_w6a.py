# expect: nothing
"""Character GRU over one long text, truncated back-propagation, perplexity on the last part of the text."""
import math
import random

import torch
from torch import nn

SUBJECTS = ["cat", "sailor", "neighbour", "judge", "baker", "aunt", "doctor", "thief"]
PLACES = ["in the town", "by the sea", "from the hills", "on the stairs", "near the mill", "of the village"]
ADJECTIVES = ["tall", "quiet", "sleepy", "clever", "young", "proud", "pale", "busy"]
VERBS = ["sees", "paints", "forgets", "sells", "carries"]
OBJECTS = ["the moon", "a red boat", "three letters", "the garden gate", "some bread"]
ENDS = [".", " again.", " at night.", " with great care."]


def write_text(sentences, seed):
    rng = random.Random(seed)
    return " ".join(
        f"the {rng.choice(ADJECTIVES)} {rng.choice(SUBJECTS)} {rng.choice(PLACES)} {rng.choice(VERBS)} {rng.choice(OBJECTS)}{rng.choice(ENDS)}" for _ in range(sentences))


class CharGRU(nn.Module):
    def __init__(self, n_chars, hidden=72):
        super().__init__()
        self.n_chars = n_chars
        self.gru = nn.GRU(n_chars, hidden)
        self.head = nn.Linear(hidden, n_chars)

    def forward(self, ids, h):
        one_hot = nn.functional.one_hot(ids, self.n_chars).float()
        out, h = self.gru(one_hot, h)
        return self.head(out), h


def to_columns(ids, columns):
    """[time, columns]: each column is a contiguous stretch of the text."""
    rows = len(ids) // columns
    return ids[:rows * columns].view(columns, rows).t().contiguous()


def chunks(data, bptt):
    for start in range(0, len(data) - 1, bptt):
        size = min(bptt, len(data) - 1 - start)
        yield data[start:start + size], data[start + 1:start + 1 + size]


def train_epoch(model, data, criterion, optimizer, bptt):
    model.train()
    h, total, count = None, 0.0, 0
    for x, y in chunks(data, bptt):
        if h is not None:
            h = h.detach()
        optimizer.zero_grad()
        logits, h = model(x, h)
        loss = criterion(logits.view(-1, model.n_chars), y.reshape(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item() * y.numel()
        count += y.numel()
    return total / count


@torch.no_grad()
def evaluate(model, data, criterion, bptt):
    model.eval()
    h, total, count = None, 0.0, 0
    for x, y in chunks(data, bptt):
        logits, h = model(x, h)
        total += criterion(logits.view(-1, model.n_chars), y.reshape(-1)).item() * y.numel()
        count += y.numel()
    return total / count


def main():
    torch.manual_seed(31)
    text = write_text(800, seed=31)
    alphabet = sorted(set(text))
    ids = torch.tensor([alphabet.index(c) for c in text])
    a, b = int(0.8 * len(ids)), int(0.9 * len(ids))
    train, val, test = to_columns(ids[:a], 24), to_columns(ids[a:b], 8), to_columns(ids[b:], 8)
    model = CharGRU(len(alphabet))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    for epoch in range(1, 6):
        loss = train_epoch(model, train, criterion, optimizer, bptt=30)
        val_loss = evaluate(model, val, criterion, bptt=30)
        plateau.step(val_loss)
        print(f"epoch {epoch}  train {loss:.4f}  val {val_loss:.4f}")
    print(f"test perplexity {math.exp(evaluate(model, test, criterion, bptt=30)):.3f}")


if __name__ == "__main__":
    main()
