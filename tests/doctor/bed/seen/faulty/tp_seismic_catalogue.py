# expect: sorted_split @ 43
# allowed: sorted_split @ 37
# allowed: sorted_split @ 41
# allowed: sorted_split @ 42
"""Earthquake, quarry blast or footstep? A geophone catalogue read class by class, spectrogram features, small MLP."""
import numpy as np
import torch
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

EVENTS = {"earthquake": (3.0, 0.35, 260), "blast": (8.0, 0.12, 240), "footstep": (14.0, 0.05, 250)}
RATE, SECONDS = 50, 4


def record(freq, decay, rng):
    t = np.arange(RATE * SECONDS) / RATE
    onset = rng.uniform(0.3, 1.5)
    f = freq * rng.lognormal(0, 0.25)
    envelope = np.where(t > onset, np.exp(-(t - onset) / (decay * rng.uniform(2, 6))), 0)
    return envelope * np.sin(2 * np.pi * f * t + rng.uniform(0, 6)) + rng.normal(0, 0.15, t.size)


def features(trace):
    frames = np.lib.stride_tricks.sliding_window_view(trace, 40)[::20] * np.hanning(40)
    return np.log(np.abs(np.fft.rfft(frames, axis=1)) + 1e-2).ravel()


def read_catalogue(seed):
    rng = np.random.default_rng(seed)
    rows, labels = [], []
    for code, (freq, decay, count) in enumerate(EVENTS.values()):
        for _ in range(count):
            rows.append(features(record(freq, decay, rng)))
            labels.append(code)
    return np.array(rows, dtype=np.float32), np.array(labels)


def loaders(seed, batch_size):
    x, y = read_catalogue(seed)
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, test_size=0.25, shuffle=False)
    mean, std = x_train.mean(0), x_train.std(0)
    for part, target, train in ((x_train, y_train, True), (x_test, y_test, False)):
        dataset = TensorDataset(torch.from_numpy((part - mean) / std), torch.from_numpy(target))
        yield DataLoader(dataset, batch_size=batch_size, shuffle=train)


def main(seed=8):
    torch.manual_seed(seed)
    train, test = loaders(seed, batch_size=32)
    n_in = train.dataset.tensors[0].shape[1]
    net = nn.Sequential(nn.Linear(n_in, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, len(EVENTS)))
    criterion = nn.CrossEntropyLoss()
    opt = optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-2)
    for epoch in range(10):
        net.train()
        running = 0.0
        for x, y in train:
            opt.zero_grad()
            loss = criterion(net(x), y)
            loss.backward()
            opt.step()
            running += loss.item() * len(y)
        print(f"epoch {epoch} loss {running / len(train.dataset):.4f}")

    net.eval()
    truth, guess = [], []
    with torch.no_grad():
        for x, y in test:
            truth.append(y)
            guess.append(net(x).argmax(dim=1))
    truth, guess = torch.cat(truth), torch.cat(guess)
    print("accuracy", round((truth == guess).float().mean().item(), 3))
    print(confusion_matrix(truth, guess, labels=range(len(EVENTS))))


if __name__ == "__main__":
    main()
