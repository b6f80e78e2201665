# expect: nothing
# Word-level language model: tied LSTM, clipped SGD, rate cut when the validation loss stalls.
import copy
import math
import random

import torch
import torch.nn as nn

random.seed(1111)
torch.manual_seed(1111)

NOUNS = "farmer sailor river engine window letter garden king lamp horse".split()
ADJS = "old green silent broken tall warm heavy".split()
VERBS = "carries repairs watches paints forgets hides".split()
PREPS = "near behind under beside".split()


def noun_phrase():
    words = [random.choice(["the", "a", "this"])]
    if random.random() < 0.6:
        words.append(random.choice(ADJS))
    words.append(random.choice(NOUNS))
    return words


def write(n):
    words = []
    for _ in range(n):
        words += noun_phrase() + [random.choice(VERBS)] + noun_phrase()
        words += [random.choice(PREPS)] + noun_phrase() + ["<eos>"]
    return words


train_words, val_words, test_words = write(1000), write(150), write(150)
itos = ["<unk>"] + sorted(set(train_words))
stoi = {w: i for i, w in enumerate(itos)}
ntokens = len(itos)


def batchify(words, bsz):
    ids = torch.tensor([stoi.get(w, 0) for w in words])
    nbatch = ids.size(0) // bsz
    return ids[:nbatch * bsz].view(bsz, -1).t().contiguous()


class RNNModel(nn.Module):
    def __init__(self, ninp=40, dropout=0.1):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntokens, ninp)
        self.rnn = nn.LSTM(ninp, ninp)
        self.decoder = nn.Linear(ninp, ntokens)
        self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, x, hidden):
        out, hidden = self.rnn(self.drop(self.encoder(x)), hidden)
        return self.decoder(self.drop(out)).view(-1, ntokens), hidden

    def init_hidden(self, bsz):
        w = next(self.parameters())
        return w.new_zeros(1, bsz, 40), w.new_zeros(1, bsz, 40)


def repackage_hidden(h):
    return tuple(v.detach() for v in h)


bptt = 15
train_data, val_data, test_data = batchify(train_words, 10), batchify(val_words, 10), batchify(test_words, 10)
model = RNNModel()
criterion = nn.CrossEntropyLoss()


def get_batch(source, i):
    seq_len = min(bptt, len(source) - 1 - i)
    return source[i:i + seq_len], source[i + 1:i + 1 + seq_len].reshape(-1)


def evaluate(source):
    model.eval()
    total, hidden = 0.0, model.init_hidden(source.size(1))
    with torch.no_grad():
        for i in range(0, source.size(0) - 1, bptt):
            data, targets = get_batch(source, i)
            output, hidden = model(data, hidden)
            total += len(data) * criterion(output, targets).item()
    return total / (len(source) - 1)


lr, best_val, best_state = 5.0, float("inf"), None
optimizer = torch.optim.SGD(model.parameters(), lr=lr)
for epoch in range(1, 8):
    model.train()
    hidden = model.init_hidden(10)
    for i in range(0, train_data.size(0) - 1, bptt):
        data, targets = get_batch(train_data, i)
        hidden = repackage_hidden(hidden)
        optimizer.zero_grad()
        output, hidden = model(data, hidden)
        loss = criterion(output, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()
    val_loss = evaluate(val_data)
    print(f"| epoch {epoch:2d} | lr {lr:.3f} | valid loss {val_loss:.3f} | valid ppl {math.exp(val_loss):.2f}")
    if val_loss < best_val:
        best_val, best_state = val_loss, copy.deepcopy(model.state_dict())
    else:
        lr /= 4.0
        for group in optimizer.param_groups:
            group["lr"] = lr

model.load_state_dict(best_state)
test_loss = evaluate(test_data)
print(f"| end | test loss {test_loss:.3f} | test ppl {math.exp(test_loss):.2f}")
