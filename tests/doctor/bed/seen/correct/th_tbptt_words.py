# expect: nothing
"""Word language model in the manner of the PyTorch examples: carried hidden state, tied weights, summed totals, gradient clipping."""
import math
import random

import torch
import torch.nn as nn

SUBJECTS = "the_cat the_dog a_child my_neighbour the_teacher".split()
VERBS = {"the_cat": ["hunts", "watches"], "the_dog": ["chases", "smells"], "a_child": ["draws", "watches"],
         "my_neighbour": ["paints", "sells"], "the_teacher": ["explains", "draws"]}
OBJECTS = {"hunts": ["mice", "birds"], "watches": ["birds", "clouds"], "chases": ["cars", "mice"], "smells": ["bread"],
           "draws": ["clouds", "maps"], "paints": ["fences"], "sells": ["cars", "bread"], "explains": ["maps", "sums"]}


def corpus(n, seed):
    rnd = random.Random(seed)
    words = []
    for _ in range(n):
        s = rnd.choice(SUBJECTS)
        v = rnd.choice(VERBS[s])
        words += [s, v, rnd.choice(OBJECTS[v]), "<eos>"]
    return words


def batchify(ids, bsz):
    n = len(ids) // bsz
    return ids[:n * bsz].view(bsz, n).t().contiguous()


class RNNModel(nn.Module):
    def __init__(self, ntoken, nhid, dropout=0.1):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, nhid)
        self.rnn = nn.LSTM(nhid, nhid)
        self.decoder = nn.Linear(nhid, ntoken)
        self.decoder.weight = self.encoder.weight
        self.nhid = nhid
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, x, hidden):
        out, hidden = self.rnn(self.drop(self.encoder(x)), hidden)
        return self.decoder(self.drop(out)).flatten(0, 1), hidden

    def init_hidden(self, bsz):
        w = next(self.parameters())
        return w.new_zeros(1, bsz, self.nhid), w.new_zeros(1, bsz, self.nhid)


def repackage(h):
    return tuple(v.detach() for v in h)


def chunks(source, bptt):
    for i in range(0, source.size(0) - 1, bptt):
        n = min(bptt, source.size(0) - 1 - i)
        yield source[i:i + n], source[i + 1:i + 1 + n].reshape(-1)


def evaluate(model, source, bptt, criterion):
    model.eval()
    total, hidden = 0.0, model.init_hidden(source.size(1))
    with torch.no_grad():
        for data, targets in chunks(source, bptt):
            output, hidden = model(data, hidden)
            total += len(data) * criterion(output, targets).item()
    return total / (len(source) - 1)


def train(model, source, bptt, criterion, optimizer, clip):
    model.train()
    total, hidden = 0.0, model.init_hidden(source.size(1))
    for data, targets in chunks(source, bptt):
        optimizer.zero_grad()
        hidden = repackage(hidden)
        output, hidden = model(data, hidden)
        loss = criterion(output, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        total += len(data) * loss.item()
    return total / (len(source) - 1)


torch.manual_seed(1111)
train_words, val_words, test_words = corpus(1600, 1), corpus(200, 2), corpus(300, 3)
vocab = {w: i for i, w in enumerate(sorted(set(train_words)))}
parts = [torch.tensor([vocab[w] for w in part]) for part in (train_words, val_words, test_words)]
train_data, val_data, test_data = batchify(parts[0], 16), batchify(parts[1], 10), batchify(parts[2], 10)

BPTT = 20
model = RNNModel(len(vocab), 40)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=5.0)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.25, patience=0)
for epoch in range(1, 9):
    train_loss = train(model, train_data, BPTT, criterion, optimizer, clip=0.25)
    val_loss = evaluate(model, val_data, BPTT, criterion)
    scheduler.step(val_loss)
    print(f"epoch {epoch} train loss {train_loss:.3f} valid ppl {math.exp(val_loss):.3f}")
print(f"test ppl {math.exp(evaluate(model, test_data, BPTT, criterion)):.3f}")
