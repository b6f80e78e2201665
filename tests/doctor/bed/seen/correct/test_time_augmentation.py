# expect: nothing
# looks suspicious: test rows are transformed several times: deliberate test-time augmentation, whose
# averaged probabilities are reported beside the plain figure.
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
x = torch.tensor(d.images / 16, dtype=torch.float32).unsqueeze(1)
y = torch.tensor(d.target)
perm = torch.randperm(len(y))
tr, te = perm[:1400], perm[1400:]


def shift(v, dy, dx):
    return nn.functional.pad(v, (1, 1, 1, 1))[..., 1 + dy : 9 + dy, 1 + dx : 9 + dx]


net = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(192, 10)
)
opt = torch.optim.Adam(net.parameters(), lr=2e-2)
for epoch in range(6):
    net.train()
    for rows in tr[torch.randperm(len(tr))].split(70):
        dy, dx = torch.randint(-1, 2, (2,)).tolist()
        loss = nn.functional.cross_entropy(net(shift(x[rows], dy, dx)), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")

net.eval()
with torch.no_grad():
    plain = net(x[te]).softmax(1)
    views = [shift(x[te], dy, dx) for dy, dx in ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))]
    averaged = torch.stack([net(v).softmax(1) for v in views]).mean(0)
print("plain", (plain.argmax(1) == y[te]).float().mean().item())
print("with tta", (averaged.argmax(1) == y[te]).float().mean().item())
