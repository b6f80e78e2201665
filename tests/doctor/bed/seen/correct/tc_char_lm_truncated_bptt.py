# expect: nothing
"""Character language model with truncated backpropagation: the LSTM state is carried from chunk to chunk without its history."""
import math
import random

import torch
from torch import nn
from torch.nn import functional as F


def rhymes(n, seed):
    rnd = random.Random(seed)
    animals, verbs, places = ["cat", "dog", "goat", "hen"], ["sat", "slept", "sang", "danced"], ["hill", "mat", "roof", "cart"]
    return " ".join(f"the {rnd.choice(animals)} {rnd.choice(verbs)} on the {rnd.choice(places)}." for _ in range(n))


class CharLSTM(nn.Module):
    def __init__(self, vocab, emb=16, hidden=64):
        super().__init__()
        self.embed = nn.Embedding(vocab, emb)
        self.lstm = nn.LSTM(emb, hidden)
        self.decoder = nn.Linear(hidden, vocab)

    def forward(self, tokens, state=None):
        out, state = self.lstm(self.embed(tokens), state)
        return F.log_softmax(self.decoder(out), dim=-1), state


def batchify(text, table, columns):
    ids = torch.tensor([table[c] for c in text])
    rows = len(ids) // columns
    return ids[:rows * columns].view(columns, rows).t().contiguous()


def chunks(data, bptt):
    for start in range(0, len(data) - 1, bptt):
        end = min(start + bptt, len(data) - 1)
        yield data[start:end], data[start + 1:end + 1]


def repackage(state):
    return tuple(part.detach() for part in state)


def main():
    torch.manual_seed(50)
    train_text, test_text = rhymes(900, seed=0), rhymes(150, seed=1)
    table = {c: i for i, c in enumerate(sorted(set(train_text)))}
    train, test = batchify(train_text, table, 20), batchify(test_text, table, 10)
    model = CharLSTM(len(table))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(1, 5):
        model.train()
        state, total = None, 0.0
        for tokens, targets in chunks(train, bptt=30):
            if state is not None:
                state = repackage(state)
            log_probs, state = model(tokens, state)
            loss = F.nll_loss(log_probs.flatten(0, 1), targets.flatten())
            model.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            total += loss.item() * len(tokens)
        print(f"epoch {epoch}: {total / (len(train) - 1):.4f}")

    model.eval()
    state, total = None, 0.0
    with torch.no_grad():
        for tokens, targets in chunks(test, bptt=30):
            log_probs, state = model(tokens, state)
            total += F.nll_loss(log_probs.flatten(0, 1), targets.flatten()).item() * len(tokens)
    mean = total / (len(test) - 1)
    print(f"test {mean:.4f} nats, perplexity {math.exp(mean):.3f}, of {len(table)} characters")


if __name__ == "__main__":
    main()
