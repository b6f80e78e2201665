# expect: symmetric_init @ 21
# mend: 21 →                 nn.init.xavier_uniform_(p)
"""Is the sum of a sequence positive? An LSTM whose parameters all start at the same number."""

import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self, hidden=12):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 2)
        self.init_weights()

    def init_weights(self):
        for name, p in self.named_parameters():
            if "bias" in name:
                nn.init.zeros_(p)
            else:
                nn.init.constant_(p, 0.05)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1])


def make(n):
    x = torch.randn(n, 8, 1)
    return x, (x.sum((1, 2)) > 0).long()


def main():
    torch.manual_seed(15)
    net = Classifier()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    criterion = nn.CrossEntropyLoss()
    for it in range(81):
        x, y = make(64)
        loss = criterion(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if it % 20 == 0:
            print(f"iteration {it} loss {loss.item():.4f}")
    net.eval()
    with torch.no_grad():
        x, y = make(500)
        print("accuracy", (net(x).argmax(1) == y).float().mean().item())
    units = net.lstm.weight_hh_l0.detach()[:12]
    print("spread between the units:", units.std(0).mean().item())


main()
