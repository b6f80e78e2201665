# expect: label_misaligned @ 39
# allowed: label_misaligned @ 38
"""Is a trip by bicycle, bus or car? Speed records of different length, packed for an LSTM."""
import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

MODES = ("bicycle", "bus", "car")


class Trips(Dataset):
    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.trips, self.modes = [], []
        for _ in range(n):
            mode = int(rng.integers(3))
            minutes = int(rng.integers(12, 40))
            t = np.arange(minutes)
            if mode == 0:
                speed = 16 + 2 * rng.normal(size=minutes)
            elif mode == 1:
                speed = 18 + 14 * np.sign(np.sin(2 * np.pi * (t + rng.integers(6)) / 6)) + 3 * rng.normal(size=minutes)
            else:
                speed = 36 + 10 * np.sin(2 * np.pi * t / rng.uniform(15, 30)) + 4 * rng.normal(size=minutes)
            self.trips.append(torch.tensor((speed - 25) / 12, dtype=torch.float32).unsqueeze(1))
            self.modes.append(mode)

    def __len__(self):
        return len(self.trips)

    def __getitem__(self, i):
        return self.trips[i], self.modes[i]


def collate(batch):
    trips, modes = zip(*batch)
    trips = sorted(trips, key=len, reverse=True)
    lengths = torch.tensor([len(trip) for trip in trips])
    return pad_sequence(trips, batch_first=True), lengths, torch.tensor(modes)


class TripNet(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, len(MODES))

    def forward(self, padded, lengths):
        packed = pack_padded_sequence(padded, lengths, batch_first=True)
        _, (last, _) = self.lstm(packed)
        return self.head(last[-1])


def run_epoch(model, loader, optimizer=None):
    model.train(optimizer is not None)
    loss_sum = right = seen = 0
    with torch.set_grad_enabled(optimizer is not None):
        for padded, lengths, modes in loader:
            logits = model(padded, lengths)
            loss = nn.functional.cross_entropy(logits, modes)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
            loss_sum += loss.item() * len(modes)
            right += (logits.argmax(1) == modes).sum().item()
            seen += len(modes)
    return loss_sum / seen, right / seen


if __name__ == "__main__":
    torch.manual_seed(10)
    train = DataLoader(Trips(600, seed=10), batch_size=32, shuffle=True, collate_fn=collate)
    test = DataLoader(Trips(200, seed=11), batch_size=50, collate_fn=collate)
    model = TripNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(8):
        loss, accuracy = run_epoch(model, train, optimizer)
        print(f"epoch {epoch + 1}: loss {loss:.4f} accuracy {accuracy:.3f}")
    print("test: loss {:.4f} accuracy {:.3f}".format(*run_epoch(model, test)))
