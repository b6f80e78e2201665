# expect: nothing
"""Stateful character model in the manner of the PyTorch word_language_model example: hidden state carried over chunks."""
import argparse
import math
import random

import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--emsize", type=int, default=24)
parser.add_argument("--nhid", type=int, default=64)
parser.add_argument("--bptt", type=int, default=30)
parser.add_argument("--batch_size", type=int, default=16)
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--lr", type=float, default=4e-3)
parser.add_argument("--clip", type=float, default=1.0)
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=1111)


def babble(sentences, r):
    nouns, verbs = "dog cat bird child farmer".split(), "chases feeds follows watches".split()
    return "".join(f"the {r.choice(nouns)} {r.choice(verbs)} the {r.choice(nouns)}. " for _ in range(sentences))


def batchify(data, bsz):
    rows = data.size(0) // bsz
    return data[:rows * bsz].view(bsz, rows).t().contiguous()


def get_batch(source, i, bptt):
    n = min(bptt, len(source) - 1 - i)
    return source[i:i + n], source[i + 1:i + 1 + n].reshape(-1)


def repackage_hidden(h):
    """Wraps hidden states in new tensors, to detach them from their history."""
    return h.detach() if isinstance(h, torch.Tensor) else tuple(repackage_hidden(v) for v in h)


class RNNModel(nn.Module):
    def __init__(self, ntoken, ninp, nhid, dropout):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid)
        self.decoder = nn.Linear(nhid, ntoken)
        self.nhid = nhid

    def forward(self, tokens, hidden):
        output, hidden = self.rnn(self.drop(self.encoder(tokens)), hidden)
        return self.decoder(self.drop(output)).flatten(0, 1), hidden

    def init_hidden(self, bsz):
        weight = next(self.parameters())
        return weight.new_zeros(1, bsz, self.nhid), weight.new_zeros(1, bsz, self.nhid)


def evaluate(model, source, criterion, bptt):
    model.eval()
    total, hidden = 0.0, model.init_hidden(source.size(1))
    with torch.no_grad():
        for i in range(0, source.size(0) - 1, bptt):
            data, targets = get_batch(source, i, bptt)
            output, hidden = model(data, hidden)
            total += len(data) * criterion(output, targets).item()
    return total / (len(source) - 1)


def main():
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    r = random.Random(args.seed)
    train_text, test_text = babble(700, r), babble(150, r)
    chars = sorted(set(train_text))
    encode = lambda text: torch.tensor([chars.index(c) for c in text])
    train_data, test_data = batchify(encode(train_text), args.batch_size), batchify(encode(test_text), 10)
    model = RNNModel(len(chars), args.emsize, args.nhid, args.dropout)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(1, args.epochs + 1):
        model.train()
        total, hidden = 0.0, model.init_hidden(args.batch_size)
        for i in range(0, train_data.size(0) - 1, args.bptt):
            data, targets = get_batch(train_data, i, args.bptt)
            model.zero_grad()
            hidden = repackage_hidden(hidden)
            output, hidden = model(data, hidden)
            loss = criterion(output, targets)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip)
            optimizer.step()
            total += loss.item() * len(data)
        print(f"| epoch {epoch} | train ppl {math.exp(total / (len(train_data) - 1)):.3f}")
    print(f"| test ppl {math.exp(evaluate(model, test_data, criterion, args.bptt)):.3f} of {len(chars)} characters")


if __name__ == "__main__":
    main()
