# expect: nothing
"""Word-level language model in the old style: LSTM, SGD, truncated BPTT, learning-rate decay on plateau."""
import math
import random
from types import SimpleNamespace

import torch
import torch.nn as nn

args = SimpleNamespace(
    emsize=48,
    nhid=96,
    lr=4.0,
    clip=0.25,
    epochs=7,
    batch_size=16,
    bptt=20,
    seed=1111,
)
torch.manual_seed(args.seed)
random.seed(args.seed)

DET = ["the", "a", "every", "some"]
ADJ = ["old", "quiet", "green", "hungry", "clever", "tiny"]
NOUN = ["sailor", "fox", "teacher", "river", "engine", "king", "gardener"]
VERB = {"sees": "near", "follows": "along", "builds": "beside", "paints": "under", "sells": "behind"}


def clause():
    verb = random.choice(list(VERB))
    words = [random.choice(DET), random.choice(ADJ), random.choice(NOUN), verb]
    words += [random.choice(DET), random.choice(NOUN), VERB[verb], random.choice(DET), random.choice(NOUN), "<eos>"]
    return words


class Corpus:
    def __init__(self, sentences):
        train, valid, test = (sum((clause() for _ in range(n)), []) for n in sentences)
        self.word2idx = {w: i for i, w in enumerate(sorted(set(train)))}
        self.train, self.valid, self.test = (self.tokenize(part) for part in (train, valid, test))

    def tokenize(self, words):
        return torch.tensor([self.word2idx[w] for w in words])


def batchify(data, bsz):
    nbatch = data.size(0) // bsz
    return data[: nbatch * bsz].view(bsz, -1).t().contiguous()


def get_batch(source, i):
    n = min(args.bptt, len(source) - 1 - i)
    return source[i:i + n], source[i + 1:i + 1 + n].reshape(-1)


class RNNModel(nn.Module):
    def __init__(self, ntoken):
        super().__init__()
        self.encoder = nn.Embedding(ntoken, args.emsize)
        self.rnn = nn.LSTM(args.emsize, args.nhid)
        self.decoder = nn.Linear(args.nhid, ntoken)

    def forward(self, x, hidden):
        out, hidden = self.rnn(self.encoder(x), hidden)
        return self.decoder(out).flatten(0, 1), hidden


def evaluate(source):
    model.eval()
    total, hidden = 0.0, None
    with torch.no_grad():
        for i in range(0, len(source) - 1, args.bptt):
            data, targets = get_batch(source, i)
            output, hidden = model(data, hidden)
            total += len(data) * criterion(output, targets).item()
    return total / (len(source) - 1)


def train():
    model.train()
    hidden = None
    for i in range(0, len(train_data) - 1, args.bptt):
        data, targets = get_batch(train_data, i)
        if hidden is not None:
            hidden = tuple(h.detach() for h in hidden)
        optimizer.zero_grad()
        output, hidden = model(data, hidden)
        loss = criterion(output, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        optimizer.step()


corpus = Corpus((2600, 300, 300))
train_data, val_data, test_data = (batchify(d, args.batch_size) for d in (corpus.train, corpus.valid, corpus.test))
model = RNNModel(len(corpus.word2idx))
criterion = nn.CrossEntropyLoss()

optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.25, patience=0)

for epoch in range(1, args.epochs + 1):
    train()
    val_loss = evaluate(val_data)
    lr = optimizer.param_groups[0]["lr"]
    print(f"| end of epoch {epoch} | lr {lr:.2f} | valid loss {val_loss:5.2f} | valid ppl {math.exp(val_loss):7.2f}")
    scheduler.step(val_loss)
test_loss = evaluate(test_data)
print(f"| test loss {test_loss:5.2f} | test ppl {math.exp(test_loss):7.2f}")
