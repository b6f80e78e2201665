# expect: nothing
"""Next-value model for a sum of seasonal waves: LSTM, plain SGD with momentum, gradient clipping."""
import argparse
import math

import torch
import torch.nn as nn

parser = argparse.ArgumentParser(description="Seasonal series LSTM")
parser.add_argument("--nhid", type=int, default=32)
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--momentum", type=float, default=0.9)
parser.add_argument("--clip", type=float, default=0.5, help="gradient clipping")
parser.add_argument("--epochs", type=int, default=12)
parser.add_argument("--batch_size", type=int, default=32)
parser.add_argument("--bptt", type=int, default=36)
parser.add_argument("--seed", type=int, default=1111)
args = parser.parse_args()
torch.manual_seed(args.seed)


class SeriesModel(nn.Module):
    def __init__(self, nhid):
        super().__init__()
        self.rnn = nn.LSTM(1, nhid, batch_first=True)
        self.decoder = nn.Linear(nhid, 1)

    def forward(self, x):
        output, _ = self.rnn(x.unsqueeze(-1))
        return self.decoder(output).squeeze(-1)


def build_series(length):
    t = torch.arange(length).float()
    daily = torch.sin(2 * math.pi * t / 12)
    weekly = 0.6 * torch.sin(2 * math.pi * t / 31 + 0.7)
    return daily + weekly + 0.1 * torch.randn(length)


def windows(series, bptt):
    pieces = series.unfold(0, bptt + 1, 6)
    return pieces[:, :-1].contiguous(), pieces[:, 1:].contiguous()


series = build_series(6000)
train_part, test_part = series[:4800], series[4800:]
mean, std = train_part.mean(), train_part.std()
train_x, train_y = windows((train_part - mean) / std, args.bptt)
test_x, test_y = windows((test_part - mean) / std, args.bptt)

model = SeriesModel(args.nhid)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=args.momentum)


def train_one_epoch():
    model.train()
    total_loss = 0.0
    for idx in torch.randperm(len(train_x)).split(args.batch_size):
        optimizer.zero_grad()
        loss = criterion(model(train_x[idx]), train_y[idx])
        loss.backward()
        # `clip_grad_norm` helps prevent the exploding gradient problem in RNNs / LSTMs.
        torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        optimizer.step()
        total_loss += loss.item() * len(idx)
    return total_loss / len(train_x)


def evaluate():
    model.eval()
    with torch.no_grad():
        return criterion(model(test_x), test_y).item()


for epoch in range(1, args.epochs + 1):
    loss = train_one_epoch()
    if epoch % 3 == 0:
        print(f"| end of epoch {epoch:3d} | train loss {loss:.4f}")
print(f"| end of training | test loss {evaluate():.4f}")
