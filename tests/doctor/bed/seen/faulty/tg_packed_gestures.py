# expect: label_misaligned @ 29
# allowed: label_misaligned @ 28
"""Gesture recognition from accelerometer traces of varying length: packed LSTM with its own collate function."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset


class Traces(Dataset):
    def __init__(self, n, gen):
        self.rows = []
        for k in torch.randint(4, (n,), generator=gen).tolist():
            steps = int(torch.randint(10, 26, (1,), generator=gen))
            t = torch.linspace(0, 1, steps)
            x, y = [(t, t), (t, -t), (torch.sin(6 * t), torch.cos(6 * t)), (torch.sin(12 * t), t)][k]
            self.rows.append((torch.stack([x, y], 1) + 0.2 * torch.randn(steps, 2, generator=gen), k))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i]


def collate(batch):
    labels = torch.tensor([k for _, k in batch])
    batch = sorted(batch, key=lambda row: len(row[0]), reverse=True)
    lengths = torch.tensor([len(trace) for trace, _ in batch])
    padded = pad_sequence([trace for trace, _ in batch], batch_first=True)
    return padded, lengths, labels


class GestureNet(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(2, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 4)

    def forward(self, x, lengths):
        _, (h, _) = self.lstm(pack_padded_sequence(x, lengths, batch_first=True))
        return self.fc(h[-1])


torch.manual_seed(9)
gen = torch.Generator().manual_seed(9)
train_loader = DataLoader(Traces(640, gen), batch_size=32, shuffle=True, collate_fn=collate, generator=gen)
test_loader = DataLoader(Traces(200, gen), batch_size=50, collate_fn=collate)
net = GestureNet()
opt = torch.optim.Adam(net.parameters(), lr=8e-3)
for epoch in range(8):
    net.train()
    for x, n, k in train_loader:
        opt.zero_grad()
        loss = F.cross_entropy(net(x, n), k)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
    print(f"epoch {epoch + 1}  loss {loss.item():.4f}")
net.eval()
with torch.no_grad():
    hits = sum((net(x, n).argmax(1) == k).sum().item() for x, n, k in test_loader)
print(f"test accuracy {hits / 200:.3f}")
