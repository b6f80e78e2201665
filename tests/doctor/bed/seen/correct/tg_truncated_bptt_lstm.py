# expect: nothing
"""Word-language-model example in small: an LSTM with carried, repackaged hidden state on a seasonal series."""
import argparse
import math

import torch
import torch.nn as nn


class RNNModel(nn.Module):
    def __init__(self, nhid: int) -> None:
        super().__init__()
        self.nhid = nhid
        self.rnn = nn.LSTM(1, nhid)
        self.decoder = nn.Linear(nhid, 1)

    def forward(self, x, hidden):
        output, hidden = self.rnn(x, hidden)
        return self.decoder(output), hidden

    def init_hidden(self, bsz: int):
        return torch.zeros(1, bsz, self.nhid), torch.zeros(1, bsz, self.nhid)


def repackage_hidden(h):
    return h.detach() if isinstance(h, torch.Tensor) else tuple(repackage_hidden(v) for v in h)


def batchify(series: torch.Tensor, bsz: int) -> torch.Tensor:
    n = len(series) // bsz
    return series[:n * bsz].view(bsz, n).t().contiguous().unsqueeze(-1)


def get_batch(source: torch.Tensor, i: int, bptt: int):
    n = min(bptt, len(source) - 1 - i)
    return source[i:i + n], source[i + 1:i + 1 + n]


def train(model, source, optimizer, args) -> float:
    model.train()
    total, steps = 0.0, 0
    hidden = model.init_hidden(source.size(1))
    for i in range(0, len(source) - 1, args.bptt):
        data, targets = get_batch(source, i, args.bptt)
        hidden = repackage_hidden(hidden)
        optimizer.zero_grad()
        output, hidden = model(data, hidden)
        loss = nn.functional.mse_loss(output, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        optimizer.step()
        total, steps = total + loss.item(), steps + 1
    return total / steps


@torch.no_grad()
def evaluate(model, source) -> float:
    model.eval()
    output, _ = model(source[:-1], model.init_hidden(source.size(1)))
    return nn.functional.mse_loss(output, source[1:]).item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--nhid", type=int, default=24)
    parser.add_argument("--bptt", type=int, default=25)
    parser.add_argument("--clip", type=float, default=1.0)
    parser.add_argument("--epochs", type=int, default=12)
    args = parser.parse_args()
    torch.manual_seed(1111)
    t = torch.arange(4000, dtype=torch.float32)
    series = torch.sin(2 * math.pi * t / 24) + 0.5 * torch.sin(2 * math.pi * t / 168) + 0.1 * torch.randn(4000)
    past, future = series[:3200], series[3200:]
    mean, std = past.mean(), past.std()
    train_data, test_data = batchify((past - mean) / std, 16), batchify((future - mean) / std, 2)
    model = RNNModel(args.nhid)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(1, args.epochs + 1):
        loss = train(model, train_data, optimizer, args)
        if epoch % 4 == 0:
            print(f"| epoch {epoch:3d} | loss {loss:.4f}")
    print(f"| End of training | test loss {evaluate(model, test_data):.4f}")
