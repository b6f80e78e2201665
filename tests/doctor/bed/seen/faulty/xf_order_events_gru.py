# expect: params_not_in_optimizer @ 43
# allowed: params_not_in_optimizer @ 46
# allowed: params_not_in_optimizer @ 49
# allowed: params_not_in_optimizer @ 74
"""Does event A come before event B in a log? GRU over event ids, AdamW with decay groups."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(13)
N_EVENTS, LENGTH = 10, 16


def make_logs(n):
    x = torch.randint(2, N_EVENTS, (n, LENGTH))
    y = torch.arange(n) % 2
    spots = torch.rand(n, LENGTH).argsort(1)[:, :2].sort(1).values
    rows = torch.arange(n)
    x[rows, spots[:, 0]] = 1 - y
    x[rows, spots[:, 1]] = y
    return TensorDataset(x, y)


class LogReader(nn.Module):
    def __init__(self, dim=4, hidden=10):
        super().__init__()
        self.emb = nn.Embedding(N_EVENTS, dim)
        self.gru = nn.GRU(dim, hidden, batch_first=True)
        self.norm = nn.LayerNorm(hidden)
        self.head = nn.Linear(hidden, 2)

    def forward(self, x):
        _, h = self.gru(self.emb(x))
        return self.head(self.norm(h[-1]))


def build_optimizer(model, lr, weight_decay):
    """Weights are decayed, biases and norms are not."""
    decay, plain = [], []
    for name, p in model.named_parameters():
        if p.dim() < 2:
            plain.append(p)
        elif name.endswith(".weight"):
            decay.append(p)
    groups = [
        {"params": decay, "weight_decay": weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=lr)


def run_epoch(model, loader, optimizer):
    model.train()
    total = 0.0
    for x, y in loader:
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.inference_mode()
def score(model, loader):
    model.eval()
    return sum((model(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)


train_dl = DataLoader(make_logs(1600), batch_size=40, shuffle=True)
test_dl = DataLoader(make_logs(500), batch_size=250)
model = LogReader()
optimizer = build_optimizer(model, lr=1e-2, weight_decay=0.01)
for epoch in range(4):
    loss = run_epoch(model, train_dl, optimizer)
    print(f"epoch {epoch + 1}: loss {loss:.4f}")
print(f"held-out accuracy {score(model, test_dl):.3f}")
