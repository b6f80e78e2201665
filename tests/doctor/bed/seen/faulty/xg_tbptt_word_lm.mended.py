# expect: nothing
"""Truncated BPTT language model on a made-up grammar, hidden state carried over."""
import random

import torch
from torch import nn

random.seed(11)
torch.manual_seed(11)

DET = "the a my our every".split()
ADJ = "old small red quiet happy strange blue cold".split()
NOUN = "cat dog friend teacher house moon river bird baker tree".split()
VERB = "sees likes finds follows paints".split()
ADV = "every day|at night|in winter|again".split("|")


def phrase():
    return f"{random.choice(DET)} {random.choice(ADJ)} {random.choice(NOUN)}"


def corpus(n):
    out = []
    for _ in range(n):
        s = f"{phrase()} {random.choice(VERB)} {phrase()}"
        if random.random() < 0.5:
            s += " " + random.choice(ADV)
        out.extend((s + " .").split())
    return out


train_words, valid_words = corpus(1500), corpus(300)
vocab = {w: i for i, w in enumerate(["<unk>"] + sorted(set(train_words)))}


def batchify(words, bsz):
    ids = torch.tensor([vocab.get(w, 0) for w in words])
    n = ids.size(0) // bsz
    return ids[: n * bsz].view(bsz, n).t().contiguous()


class WordLSTM(nn.Module):
    def __init__(self, n_tokens, emb=24, hid=48):
        super().__init__()
        self.emb = nn.Embedding(n_tokens, emb)
        self.lstm = nn.LSTM(emb, hid)
        self.out = nn.Linear(hid, n_tokens)

    def forward(self, x, state):
        y, state = self.lstm(self.emb(x), state)
        return self.out(y), state


bptt, bsz = 12, 20
train_data, valid_data = batchify(train_words, bsz), batchify(valid_words, bsz)
model = WordLSTM(len(vocab))
loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.SGD(model.parameters(), lr=2.0)


def evaluate():
    model.eval()
    state, total, count = None, 0.0, 0
    with torch.no_grad():
        for i in range(0, valid_data.size(0) - 1, bptt):
            k = min(bptt, valid_data.size(0) - 1 - i)
            logits, state = model(valid_data[i:i + k], state)
            target = valid_data[i + 1:i + 1 + k].reshape(-1)
            total += loss_fn(logits.view(-1, len(vocab)), target).item() * target.numel()
            count += target.numel()
    return total / count


for epoch in range(10):
    model.train()
    state = None
    for i in range(0, train_data.size(0) - 1, bptt):
        k = min(bptt, train_data.size(0) - 1 - i)
        x, y = train_data[i:i + k], train_data[i + 1:i + 1 + k].reshape(-1)
        if state is not None:
            state = tuple(s.detach() for s in state)
        logits, state = model(x, state)
        loss = loss_fn(logits.view(-1, len(vocab)), y)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
    print(f"epoch {epoch + 1:2d}  train {loss.item():.3f}  valid nll {evaluate():.3f}")
