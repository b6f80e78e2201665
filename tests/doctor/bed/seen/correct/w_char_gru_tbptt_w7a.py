# expect: nothing
"""Character GRU read in running order with truncated backpropagation; the state is carried from chunk to chunk."""
import math
import random

import torch
from torch import nn

SUBJECTS = "the miller,the baker,the old judge,a sailor,the tall nurse,a quiet child".split(",")
VERBS = "sold,found,carried,painted,forgot,mended".split(",")
OBJECTS = "a wooden boat,the blue door,three apples,the broken clock,a long letter,some bread".split(",")
PLACES = "near the river,in the market,behind the mill,at night,after the storm".split(",")


def write_text(sentences, rng):
    parts = [
        f"{rng.choice(SUBJECTS)} {rng.choice(VERBS)} {rng.choice(OBJECTS)} {rng.choice(PLACES)}. "
        for _ in range(sentences)
    ]
    return "".join(parts)


def streams(ids, lanes):
    """Cuts the text into equally long lanes that run side by side."""
    width = len(ids) // lanes
    return ids[: width * lanes].view(lanes, width)


def chunks(lanes, span):
    for start in range(0, lanes.shape[1] - 1, span):
        stop = min(start + span, lanes.shape[1] - 1)
        yield lanes[:, start:stop], lanes[:, start + 1:stop + 1]


class CharGRU(nn.Module):
    def __init__(self, vocab, dim=24, hidden=96):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.gru = nn.GRU(dim, hidden, batch_first=True)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(hidden, vocab)

    def forward(self, x, state):
        h, state = self.gru(self.embed(x), state)
        return self.out(self.drop(h)), state


def run(model, lanes, span, optimizer=None):
    loss_fn = nn.CrossEntropyLoss()
    state, total, count = None, 0.0, 0
    for x, y in chunks(lanes, span):
        logits, state = model(x, state)
        state = state.detach()
        loss = loss_fn(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        total += loss.item() * y.numel()
        count += y.numel()
    return total / count


def main():
    torch.manual_seed(31)
    rng = random.Random(31)
    text = write_text(560, rng)
    vocab = sorted(set(text))
    ids = torch.tensor([vocab.index(c) for c in text])
    cut = int(0.85 * len(ids))
    train, held = streams(ids[:cut], 16), streams(ids[cut:], 4)

    model = CharGRU(len(vocab))
    optimizer = torch.optim.Adam(model.parameters(), lr=6e-3)
    decay = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)
    for epoch in range(5):
        model.train()
        loss = run(model, train, span=32, optimizer=optimizer)
        decay.step()
        model.eval()
        with torch.no_grad():
            held_loss = run(model, held, span=64)
        print(f"epoch {epoch + 1}  train {loss:.4f}  held-out {held_loss:.4f}")
    print(f"held-out perplexity {math.exp(held_loss):.3f} over {len(vocab)} characters")


if __name__ == "__main__":
    main()
