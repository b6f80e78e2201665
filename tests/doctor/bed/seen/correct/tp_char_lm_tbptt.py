# expect: nothing
"""Character language model with truncated back-propagation through time; the hidden state is carried on."""
import math
import random
import torch
import torch.nn as nn
import torch.nn.functional as F

SUBJECTS = ["the cat", "a small dog", "my neighbour", "the old teacher", "one student"]
VERBS = ["sees", "likes", "follows", "paints", "remembers"]
OBJECTS = ["the river", "a red house", "the quiet garden", "an apple tree", "the long road"]
ENDS = ["today", "every morning", "in winter", "without a word"]


def make_corpus(n_sentences, seed):
    rnd = random.Random(seed)
    return " ".join(f"{rnd.choice(SUBJECTS)} {rnd.choice(VERBS)} {rnd.choice(OBJECTS)} {rnd.choice(ENDS)}."
                    for _ in range(n_sentences))


def batchify(ids, batch_size):
    n = len(ids) // batch_size
    return ids[: n * batch_size].view(batch_size, n).t().contiguous()


class CharGRU(nn.Module):
    def __init__(self, vocab, emb=24, hidden=64, dropout=0.1):
        super().__init__()
        self.hidden = hidden
        self.embed, self.drop = nn.Embedding(vocab, emb), nn.Dropout(dropout)
        self.gru = nn.GRU(emb, hidden)
        self.decoder = nn.Linear(hidden, vocab)

    def forward(self, x, state):
        out, state = self.gru(self.drop(self.embed(x)), state)
        return F.log_softmax(self.decoder(self.drop(out)), dim=-1), state

    def init_state(self, batch):
        return torch.zeros(1, batch, self.hidden)


def windows(data, bptt):
    for i in range(0, len(data) - 1, bptt):
        n = min(bptt, len(data) - 1 - i)
        yield data[i:i + n], data[i + 1:i + 1 + n]


def train_epoch(model, data, optimizer, bptt, clip):
    model.train()
    state, total, count = model.init_state(data.size(1)), 0.0, 0
    for x, y in windows(data, bptt):
        state = state.detach()
        logp, state = model(x, state)
        loss = F.nll_loss(logp.flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        total, count = total + loss.item() * y.numel(), count + y.numel()
    return total / count


@torch.no_grad()
def evaluate(model, data, bptt):
    model.eval()
    state, total, count = model.init_state(data.size(1)), 0.0, 0
    for x, y in windows(data, bptt):
        logp, state = model(x, state)
        total += F.nll_loss(logp.flatten(0, 1), y.flatten(), reduction="sum").item()
        count += y.numel()
    return total / count


def main():
    torch.manual_seed(1)
    text = make_corpus(450, seed=5)
    chars = sorted(set(text))
    ids = torch.tensor([chars.index(c) for c in text])
    cut = int(0.85 * len(ids))
    train, test = batchify(ids[:cut], 20), batchify(ids[cut:], 10)
    model = CharGRU(len(chars))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    print(f"untrained bits/char {evaluate(model, test, 40) / math.log(2):.3f}")
    for epoch in range(1, 9):
        loss = train_epoch(model, train, optimizer, bptt=40, clip=1.0)
        if epoch % 2 == 0:
            print(f"epoch {epoch} train bits/char {loss / math.log(2):.3f}")
    print(f"test bits/char {evaluate(model, test, 40) / math.log(2):.3f}")


if __name__ == "__main__":
    main()
