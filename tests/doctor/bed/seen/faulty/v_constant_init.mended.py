# expect: nothing
"""XOR-like problem in five dimensions with weights set by an init function."""
import torch
import torch.nn as nn

torch.manual_seed(29)


def init_weights(m, gain=0.05):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


class XorNet(nn.Module):
    def __init__(self, d=5, hidden=32):
        super().__init__()
        self.fc1 = nn.Linear(d, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.fc3 = nn.Linear(hidden, 1)
        self.apply(init_weights)

    def forward(self, x):
        x = torch.tanh(self.fc1(x))
        x = torch.tanh(self.fc2(x))
        return self.fc3(x).squeeze(-1)


def stream(n_batches, size, g):
    for _ in range(n_batches):
        x = torch.randn(size, 5, generator=g)
        yield x, ((x[:, 0] * x[:, 1]) > 0).float()


gen = torch.Generator().manual_seed(0)
model = XorNet()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
bce = nn.BCEWithLogitsLoss()

for epoch in range(10):
    model.train()
    running = 0.0
    for x, y in stream(40, 64, gen):
        loss = bce(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item()
    if epoch % 3 == 0:
        print(f"epoch {epoch} bce {running / 40:.4f}")

model.eval()
with torch.no_grad():
    x, y = next(stream(1, 2000, gen))
    print("accuracy", ((model(x) > 0).float() == y).float().mean().item())
