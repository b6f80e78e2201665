# expect: nothing
"""Where in the recording is the chirp? Bidirectional GRU with attention pooling tells its pitch class."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Chirps(Dataset):
    """60 samples of noise with a short tone of one of four pitches somewhere inside."""

    periods = (3.0, 5.0, 8.0, 13.0)

    def __init__(self, n, seed, length=60, burst=20):
        g = torch.Generator().manual_seed(seed)
        self.y = torch.randint(0, len(self.periods), (n,), generator=g)
        self.x = 0.25 * torch.randn(n, length, generator=g)
        start = torch.randint(0, length - burst, (n,), generator=g)
        t = torch.arange(burst).float()
        for i in range(n):
            phase = torch.rand((), generator=g) * 6.28
            tone = torch.sin(6.2832 * t / self.periods[self.y[i]] + phase)
            self.x[i, start[i]:start[i] + burst] += tone

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class AttentionPool(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.project = nn.Linear(dim, dim // 2)
        self.query = nn.Linear(dim // 2, 1, bias=False)

    def forward(self, states):
        # states: batch x time x dim
        scores = self.query(torch.tanh(self.project(states))).squeeze(-1)
        weights = torch.softmax(scores, dim=1)
        return torch.einsum("bt,btd->bd", weights, states), weights


class ChirpNet(nn.Module):
    def __init__(self, hidden=24, classes=4):
        super().__init__()
        self.conv = nn.Conv1d(1, 16, kernel_size=5, padding=2)
        self.gru = nn.GRU(16, hidden, batch_first=True, bidirectional=True)
        self.pool = AttentionPool(2 * hidden)
        self.head = nn.Linear(2 * hidden, classes)

    def forward(self, x):
        features = torch.relu(self.conv(x.unsqueeze(1))).transpose(1, 2)
        states, _ = self.gru(features)
        pooled, weights = self.pool(states)
        return self.head(pooled), weights


def run_epoch(model, loader, optimizer=None):
    training = optimizer is not None
    model.train(training)
    loss_sum, hits, count = 0.0, 0, 0
    with torch.set_grad_enabled(training):
        for x, y in loader:
            logits, _ = model(x)
            loss = nn.functional.cross_entropy(logits, y)
            if training:
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 2.0)
                optimizer.step()
            loss_sum += loss.item() * len(y)
            hits += (logits.argmax(1) == y).sum().item()
            count += len(y)
    return loss_sum / count, hits / count


torch.manual_seed(23)
train_loader = DataLoader(Chirps(800, seed=100), batch_size=50, shuffle=True)
test_loader = DataLoader(Chirps(300, seed=200), batch_size=100)
model = ChirpNet()
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
for epoch in range(1, 7):
    loss, acc = run_epoch(model, train_loader, optimizer)
    if epoch % 2 == 0:
        print(f"{epoch:02d} train loss {loss:.3f} acc {acc:.3f}")
print("test loss %.3f acc %.3f" % run_epoch(model, test_loader))
