# expect: clip_too_small @ 13
# allowed: clip_too_small @ 44
# mend: 13 →     "max_norm": 1.0,
"""LSTM telling which of two markers came last; SGD with gradient clipping inside a step closure."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

HPARAMS = {
    "hidden": 32,
    "lr": 0.5,
    "momentum": 0.9,
    "max_norm": 1e-4,
    "epochs": 12,
}


def sequences(n, length=12):
    x = torch.randint(2, 8, (n, length))
    order = torch.rand(n, length).argsort(1)[:, :2]
    x.scatter_(1, order[:, :1], 0)
    x.scatter_(1, order[:, 1:], 1)
    return TensorDataset(x, (order[:, 1] > order[:, 0]).long())


class LastMarker(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.emb = nn.Embedding(8, 12)
        self.lstm = nn.LSTM(12, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 2)

    def forward(self, x):
        out, _ = self.lstm(self.emb(x))
        return self.fc(out[:, -1])


def make_step(model, opt, max_norm):
    def step(x, y):
        model.train()
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        opt.step()
        return loss.item()

    return step


torch.manual_seed(1)
train = DataLoader(sequences(1000), batch_size=50, shuffle=True)
x_val, y_val = sequences(300).tensors
model = LastMarker(HPARAMS["hidden"])
opt = torch.optim.SGD(model.parameters(), lr=HPARAMS["lr"], momentum=HPARAMS["momentum"])
step = make_step(model, opt, HPARAMS["max_norm"])
for epoch in range(HPARAMS["epochs"]):
    losses = [step(x, y) for x, y in train]
    if epoch % 4 == 3:
        model.eval()
        with torch.no_grad():
            acc = (model(x_val).argmax(1) == y_val).float().mean().item()
        print(f"epoch {epoch} loss {sum(losses) / len(losses):.4f} val acc {acc:.3f}")
