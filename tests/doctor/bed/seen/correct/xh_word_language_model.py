# expect: nothing

import argparse
import math
import random
import torch
import torch.nn as nn

parser = argparse.ArgumentParser(description="word-level language model")
parser.add_argument("--emsize", type=int, default=24)
parser.add_argument("--nhid", type=int, default=32)
parser.add_argument("--lr", type=float, default=5e-3)
parser.add_argument("--clip", type=float, default=0.5)
parser.add_argument("--epochs", type=int, default=6)
parser.add_argument("--bptt", type=int, default=16)
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=1111)
args = parser.parse_args()

torch.manual_seed(args.seed)
random.seed(args.seed)


def sentence():
    who, verb = random.choice([("cat", "sleeps"), ("dog", "barks"), ("bird", "sings"), ("man", "reads")])
    return ["a", random.choice(["big", "small", "old"]), who, verb,
            random.choice(["here", "there", "outside"]), "<eos>"]


def corpus(n):
    return [w for _ in range(n) for w in sentence()]


train_words, val_words, test_words = corpus(1500), corpus(200), corpus(200)
word2idx = {w: i for i, w in enumerate(sorted(set(train_words)))}
ntokens = len(word2idx)


def batchify(words, bsz):
    ids = torch.tensor([word2idx[w] for w in words])
    nbatch = len(ids) // bsz
    return ids[:nbatch * bsz].view(bsz, -1).t().contiguous()


train_data = batchify(train_words, 20)
val_data, test_data = batchify(val_words, 10), batchify(test_words, 10)


class RNNModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(args.dropout)
        self.encoder = nn.Embedding(ntokens, args.emsize)
        self.rnn = nn.LSTM(args.emsize, args.nhid)
        self.decoder = nn.Linear(args.nhid, ntokens)

    def forward(self, x, hidden):
        output, hidden = self.rnn(self.drop(self.encoder(x)), hidden)
        return self.decoder(self.drop(output)).view(-1, ntokens), hidden

    def init_hidden(self, bsz):
        w = next(self.parameters())
        return w.new_zeros(1, bsz, args.nhid), w.new_zeros(1, bsz, args.nhid)


def repackage_hidden(h):
    return tuple(v.detach() for v in h)


def get_batch(source, i):
    n = min(args.bptt, len(source) - 1 - i)
    return source[i:i + n], source[i + 1:i + 1 + n].reshape(-1)


model = RNNModel()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)


def evaluate(source):
    model.eval()
    total = 0.0
    hidden = model.init_hidden(source.size(1))
    with torch.no_grad():
        for i in range(0, len(source) - 1, args.bptt):
            data, targets = get_batch(source, i)
            output, hidden = model(data, hidden)
            total += len(data) * criterion(output, targets).item()
    return total / (len(source) - 1)


for epoch in range(1, args.epochs + 1):
    model.train()
    hidden = model.init_hidden(train_data.size(1))
    for i in range(0, len(train_data) - 1, args.bptt):
        data, targets = get_batch(train_data, i)
        hidden = repackage_hidden(hidden)
        optimizer.zero_grad()
        output, hidden = model(data, hidden)
        loss = criterion(output, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        optimizer.step()
    val_loss = evaluate(val_data)
    print(f"| end of epoch {epoch} | valid loss {val_loss:5.3f} | valid ppl {math.exp(val_loss):6.2f}")

test_loss = evaluate(test_data)
print(f"| end of training | test loss {test_loss:5.3f} | test ppl {math.exp(test_loss):6.2f}")
