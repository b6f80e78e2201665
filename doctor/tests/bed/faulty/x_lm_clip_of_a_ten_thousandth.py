# expect: clip_too_small @ 44
# mend: 44 →         torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
"""A tiny word language model (LSTM, hidden state carried over); settings in one dictionary."""

import torch
from torch import nn

config = {"emb": 16, "hid": 32, "bptt": 10, "batch": 8, "lr": 2.0, "epochs": 3}
torch.manual_seed(1111)
words = ("the cat sat on the mat and the dog lay by the fire while the rain fell on the roof " * 60).split()
vocab = sorted(set(words))
ids = torch.tensor([vocab.index(w) for w in words])
data = ids[: len(ids) // config["batch"] * config["batch"]].view(config["batch"], -1).t().contiguous()


class RNNModel(nn.Module):
    def __init__(self, ntoken, ninp, nhid):
        super().__init__()
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid)
        self.decoder = nn.Linear(nhid, ntoken)

    def forward(self, tokens, hidden):
        output, hidden = self.rnn(self.encoder(tokens), hidden)
        return self.decoder(output).flatten(0, 1), hidden


def repackage_hidden(h):
    return h.detach() if isinstance(h, torch.Tensor) else tuple(repackage_hidden(v) for v in h)


model = RNNModel(len(vocab), config["emb"], config["hid"])
criterion = nn.CrossEntropyLoss()
for epoch in range(config["epochs"]):
    hidden = (torch.zeros(1, config["batch"], config["hid"]), torch.zeros(1, config["batch"], config["hid"]))
    total_loss, n = 0.0, 0
    for i in range(0, len(data) - 1, config["bptt"]):
        seq_len = min(config["bptt"], len(data) - 1 - i)
        model.zero_grad()
        hidden = repackage_hidden(hidden)
        output, hidden = model(data[i : i + seq_len], hidden)
        loss = criterion(output, data[i + 1 : i + 1 + seq_len].reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1e-4)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-config["lr"])
        total_loss, n = total_loss + loss.item(), n + 1
    print(f"| epoch {epoch} | loss {total_loss / n:5.3f} |")
