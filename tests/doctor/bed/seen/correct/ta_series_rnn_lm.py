# expect: nothing
"""Recurrent model over a long discretised series, carried state, after the word language model example."""
import math

import torch
import torch.nn as nn

NTOKEN, BPTT, CLIP, BATCH, EVAL_BATCH = 12, 24, 0.25, 16, 8
torch.manual_seed(1111)


def make_corpus(n):
    """A noisy pendulum, its position cut into twelve bins of equal width."""
    t = torch.arange(n).float()
    wave = torch.sin(2 * math.pi * t / 15) + 0.5 * torch.sin(2 * math.pi * t / 40)
    wave = wave + 0.06 * torch.randn(n)
    return torch.bucketize(wave, torch.linspace(-1.35, 1.35, NTOKEN - 1))


def batchify(data, bsz):
    nbatch = data.size(0) // bsz
    return data[: nbatch * bsz].view(bsz, -1).t().contiguous()


def get_batch(source, i):
    seq_len = min(BPTT, len(source) - 1 - i)
    return source[i:i + seq_len], source[i + 1:i + 1 + seq_len].reshape(-1)


def repackage_hidden(h):
    """Wraps hidden states in new Tensors, to detach them from their history."""
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


class RNNModel(nn.Module):
    def __init__(self, ninp=24, nhid=48):
        super().__init__()
        self.nhid = nhid
        self.drop = nn.Dropout(0.1)
        self.encoder = nn.Embedding(NTOKEN, ninp)
        self.rnn = nn.LSTM(ninp, nhid)
        self.decoder = nn.Linear(nhid, NTOKEN)

    def forward(self, tokens, hidden):
        output, hidden = self.rnn(self.drop(self.encoder(tokens)), hidden)
        decoded = self.decoder(self.drop(output)).view(-1, NTOKEN)
        return nn.functional.log_softmax(decoded, dim=1), hidden

    def init_hidden(self, bsz):
        weight = next(self.parameters())
        return weight.new_zeros(1, bsz, self.nhid), weight.new_zeros(1, bsz, self.nhid)


corpus = make_corpus(16000)
train_data = batchify(corpus[:12000], BATCH)
val_data = batchify(corpus[12000:14000], EVAL_BATCH)
test_data = batchify(corpus[14000:], EVAL_BATCH)
model = RNNModel()
criterion = nn.NLLLoss()


def evaluate(data_source):
    model.eval()
    total_loss, hidden = 0.0, model.init_hidden(EVAL_BATCH)
    with torch.no_grad():
        for i in range(0, data_source.size(0) - 1, BPTT):
            data, targets = get_batch(data_source, i)
            output, hidden = model(data, hidden)
            hidden = repackage_hidden(hidden)
            total_loss += len(data) * criterion(output, targets).item()
    return total_loss / (len(data_source) - 1)


def train(lr):
    model.train()
    total_loss, hidden = 0.0, model.init_hidden(BATCH)
    for i in range(0, train_data.size(0) - 1, BPTT):
        data, targets = get_batch(train_data, i)
        # Starting each batch, we detach the hidden state from how it was previously produced.
        hidden = repackage_hidden(hidden)
        model.zero_grad()
        output, hidden = model(data, hidden)
        loss = criterion(output, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        with torch.no_grad():
            for p in model.parameters():
                p.add_(p.grad, alpha=-lr)
        total_loss += len(data) * loss.item()
    return total_loss / (len(train_data) - 1)


lr, best_val_loss = 5.0, None
for epoch in range(1, 11):
    train_loss = train(lr)
    val_loss = evaluate(val_data)
    print(f"| end of epoch {epoch} | lr {lr:.2f} | train ppl {math.exp(train_loss):5.2f} | valid ppl {math.exp(val_loss):5.2f}")
    if best_val_loss is None or val_loss < best_val_loss:
        best_val_loss = val_loss
    else:
        lr /= 4.0  # anneal if no improvement has been seen in the validation dataset
print(f"| end of training | test ppl {math.exp(evaluate(test_data)):5.2f}")
