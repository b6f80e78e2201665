# expect: selection_on_test @ 19
"""Index lists; the validation rows are the test rows by a slip of the slice."""
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(1)
data = load_breast_cancer()
x = torch.tensor(data.data, dtype=torch.float32)
y = torch.tensor(data.target, dtype=torch.float32)
order = torch.randperm(len(x))
a, b = 300, 430
x = (x - x[order[:a]].mean(0)) / x[order[:a]].std(0)
full = TensorDataset(x, y)
train_rows = order[:a]


val_rows = order[b:]
test_rows = order[b:]
loaders = [DataLoader(Subset(full, r.tolist()), batch_size=50, shuffle=i == 0) for i, r in enumerate((train_rows, val_rows, test_rows))]
train_loader, val_loader, test_loader = loaders
net = nn.Sequential(nn.Linear(30, 8), nn.ReLU(), nn.Linear(8, 1))


def loss_on(loader):
    net.eval()
    with torch.no_grad():
        return sum(nn.functional.binary_cross_entropy_with_logits(net(p).squeeze(1), q, reduction="sum").item() for p, q in loader) / len(loader.dataset)


opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
history = []
for epoch in range(20):
    net.train()
    for p, q in train_loader:
        opt.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(net(p).squeeze(1), q).backward()
        opt.step()
    history.append(loss_on(val_loader))
    if history[-1] <= min(history):
        best = epoch
        kept = {k: v.clone() for k, v in net.state_dict().items()}
net.load_state_dict(kept)
print(f"best epoch {best}: test loss {loss_on(test_loader):.4f}")
