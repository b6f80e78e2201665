# expect: lr_too_low @ 32
# allowed: lr_too_low @ 28
# mend: 28 →     "lr": 3e-3,
"""Sentiment-like sequences with a rate too small by five orders."""

import torch
from torch import nn

torch.manual_seed(0)
words = torch.randint(1, 40, (600, 9))
label = ((words < 10).sum(1) > (words > 30).sum(1)).float()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(40, 16)
        self.rnn = nn.GRU(16, 24, batch_first=True)
        self.fc = nn.Linear(24, 1)

    def forward(self, w):
        _, h = self.rnn(self.emb(w))
        return self.fc(h[-1]).squeeze(-1)


config = {
    "epochs": 6,
    "lr": 1e-8,
    "batch": 50,
}
net = Net()
optimizer = torch.optim.RMSprop(net.parameters(), lr=config["lr"])
bce = nn.BCEWithLogitsLoss()
for epoch in range(config["epochs"]):
    net.train()
    for rows in torch.randperm(500).split(config["batch"]):
        loss = bce(net(words[rows]), label[rows])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
    net.eval()
    with torch.no_grad():
        acc = ((net(words[500:]) > 0) == (label[500:] > 0.5)).float().mean().item()
    print(epoch, loss.item(), acc)
