# expect: nothing
"""Character language model with truncated back-propagation through time, hidden state carried across chunks."""
import math
import random

import torch
import torch.nn as nn

SUBJECTS = ["the gene", "a protein", "the cell", "an enzyme", "the virus"]
VERBS = ["binds", "cleaves", "signals to", "silences", "copies"]
OBJECTS = ["the membrane", "a ligand", "the promoter", "its receptor", "the genome"]


def write_text(n, rng):
    parts = [" ".join((rng.choice(SUBJECTS), rng.choice(VERBS), rng.choice(OBJECTS))) + ". " for _ in range(n)]
    return "".join(parts)


def batchify(ids, bsz):
    n = len(ids) // bsz
    return ids[:n * bsz].view(bsz, n).t().contiguous()


def get_batch(source, i, bptt):
    length = min(bptt, len(source) - 1 - i)
    return source[i:i + length], source[i + 1:i + 1 + length].reshape(-1)


class CharLM(nn.Module):
    def __init__(self, n_tokens, n_hidden, dropout=0.1):
        super().__init__()
        self.n_hidden = n_hidden
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(n_tokens, n_hidden)
        self.rnn = nn.LSTM(n_hidden, n_hidden)
        self.decoder = nn.Linear(n_hidden, n_tokens)
        self.decoder.weight = self.encoder.weight

    def forward(self, x, hidden):
        out, hidden = self.rnn(self.drop(self.encoder(x)), hidden)
        return self.decoder(self.drop(out)).flatten(0, 1), hidden

    def init_hidden(self, bsz):
        return torch.zeros(1, bsz, self.n_hidden), torch.zeros(1, bsz, self.n_hidden)


def repackage(hidden):
    return tuple(h.detach() for h in hidden)


def evaluate(model, source, criterion, bptt):
    model.eval()
    hidden = model.init_hidden(source.size(1))
    total = 0.0
    with torch.no_grad():
        for i in range(0, len(source) - 1, bptt):
            data, targets = get_batch(source, i, bptt)
            output, hidden = model(data, hidden)
            total += len(data) * criterion(output, targets).item()
    return total / (len(source) - 1)


def main():
    torch.manual_seed(1111)
    rng = random.Random(1111)
    text = write_text(1000, rng)
    vocab = {c: i for i, c in enumerate(sorted(set(text)))}
    ids = torch.tensor([vocab[c] for c in text])
    cut = int(0.85 * len(ids))
    train_data, test_data = batchify(ids[:cut], 16), batchify(ids[cut:], 8)

    bptt = 35
    model = CharLM(len(vocab), 48)
    nn.init.uniform_(model.encoder.weight, -0.1, 0.1)
    nn.init.zeros_(model.decoder.bias)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)

    for epoch in range(1, 6):
        model.train()
        hidden = model.init_hidden(train_data.size(1))
        total = 0.0
        for i in range(0, len(train_data) - 1, bptt):
            data, targets = get_batch(train_data, i, bptt)
            hidden = repackage(hidden)
            model.zero_grad()
            output, hidden = model(data, hidden)
            loss = criterion(output, targets)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += len(data) * loss.item()
        scheduler.step()
        print(f"| epoch {epoch} | lr {scheduler.get_last_lr()[0]:.4f} | ppl {math.exp(total / (len(train_data) - 1)):.3f}")
    print(f"| test ppl {math.exp(evaluate(model, test_data, criterion, bptt)):.3f}")


if __name__ == "__main__":
    main()
