# expect: metric_wrong_axis @ 56
"""Frame-wise sound event tagging (silence, hum, chirp, click) with a dilated temporal ConvNet."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EVENTS = ["silence", "hum", "chirp", "click"]
BANDS, FRAMES = 12, 48


def synth_clip(rng):
    """One clip as a band x frame map, with the one-hot event of each frame."""
    events = np.zeros(FRAMES, dtype=np.int64)
    spectrum = rng.normal(0, 0.5, (BANDS, FRAMES))
    start = 0
    while start < FRAMES:
        kind, span = rng.integers(0, 4), rng.integers(6, 14)
        part = slice(start, min(start + span, FRAMES))
        width = part.stop - part.start
        events[part] = kind
        if kind == 1:
            spectrum[1:4, part] += 1.3
        elif kind == 2:
            rows = (4 + np.arange(width) // 2) % BANDS
            spectrum[rows, np.arange(part.start, part.stop)] += 2.2
        elif kind == 3:
            spectrum[:, part] += 1.0 * (np.arange(width) % 3 == 0)
        start += span
    return spectrum, np.eye(4)[events].T


def make_split(n, rng):
    clips = [synth_clip(rng) for _ in range(n)]
    x = torch.tensor(np.array([c[0] for c in clips]), dtype=torch.float32)
    y = torch.tensor(np.array([c[1] for c in clips]), dtype=torch.float32)
    return TensorDataset(x, y)


def tcn(channels=32):
    layers, width = [], BANDS
    for dilation in (1, 2, 4):
        layers += [nn.Conv1d(width, channels, 3, padding=dilation, dilation=dilation),
                   nn.BatchNorm1d(channels), nn.ReLU()]
        width = channels
    return nn.Sequential(*layers, nn.Dropout(0.1), nn.Conv1d(width, len(EVENTS), 1))


def frame_loss(logits, target, smoothing=0.05):
    soft = target * (1 - smoothing) + smoothing / len(EVENTS)
    return -(soft * F.log_softmax(logits, dim=1)).sum(dim=1).mean()


def frame_accuracy(logits, target):
    return (logits.argmax(dim=-1) == target.argmax(dim=-1)).float().mean().item()


def train_epoch(model, loader, optimizer, scheduler):
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = frame_loss(model(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item()
    return total / len(loader)


@torch.inference_mode()
def test(model, loader):
    model.eval()
    scores = [frame_accuracy(model(x), y) for x, y in loader]
    return sum(scores) / len(scores)


def main():
    torch.manual_seed(4)
    rng = np.random.default_rng(4)
    train_loader = DataLoader(make_split(256, rng), batch_size=32, shuffle=True)
    test_loader = DataLoader(make_split(96, rng), batch_size=32)
    model, epochs = tcn(24), 6
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=1e-2, total_steps=epochs * len(train_loader))
    for epoch in range(epochs):
        print(f"epoch {epoch + 1:2d}: loss {train_epoch(model, train_loader, optimizer, scheduler):.4f}")
    print(f"frame accuracy on test clips: {test(model, test_loader):.3f}")


if __name__ == "__main__":
    main()
