# expect: clip_too_small @ 70
# allowed: clip_too_small @ 71
# allowed: clip_too_small @ 80
# allowed: clip_too_small @ 83
# needs: torch>=2.3
# mend: 69 +         self.scaler.unscale_(self.optimizer)
"""Tone classification from short synthetic waveforms: 1-D CNN, autocast + GradScaler, accumulated micro-batches."""
import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


@dataclass
class Hparams:
    classes: int = 4
    length: int = 128
    micro_batch: int = 16
    accumulate: int = 2
    epochs: int = 8
    lr: float = 0.05
    momentum: float = 0.9
    max_grad_norm: float = 1.0
    seed: int = 31


class Tones(Dataset):
    """Pure tone with a random phase and loudness, plus noise; unit variance per clip."""

    def __init__(self, n, hp, generator):
        self.label = torch.randint(hp.classes, (n,), generator=generator)
        t = torch.arange(hp.length) / hp.length
        freq = 4.0 + 5.0 * self.label[:, None]
        phase = 2 * math.pi * torch.rand(n, 1, generator=generator)
        wave = torch.sin(2 * math.pi * freq * t + phase) + 0.6 * torch.randn(n, hp.length, generator=generator)
        self.wave = ((wave - wave.mean(1, keepdim=True)) / wave.std(1, keepdim=True)).unsqueeze(1)

    def __len__(self):
        return len(self.label)

    def __getitem__(self, i):
        return self.wave[i], self.label[i]


class ToneNet(nn.Module):
    def __init__(self, hp):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(1, 16, 16, stride=4), nn.ReLU(), nn.Conv1d(16, 24, 5, stride=2), nn.ReLU())
        self.classifier = nn.Linear(24, hp.classes)

    def forward(self, wave):
        return self.classifier(self.features(wave).amax(dim=-1))


class MixedPrecisionTrainer:
    def __init__(self, model, hp):
        self.model, self.hp = model, hp
        self.optimizer = torch.optim.SGD(model.parameters(), lr=hp.lr, momentum=hp.momentum)
        self.scaler = torch.amp.GradScaler("cpu")

    def _forward(self, wave, label):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.model(wave)
        return nn.functional.cross_entropy(logits.float(), label)

    def _update(self):
        nn.utils.clip_grad_norm_(self.model.parameters(), self.hp.max_grad_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad()

    def train_epoch(self, loader):
        self.model.train()
        total = 0.0
        for k, (wave, label) in enumerate(loader, start=1):
            loss = self._forward(wave, label)
            self.scaler.scale(loss / self.hp.accumulate).backward()
            total += loss.item()
            if k % self.hp.accumulate == 0 or k == len(loader):
                self._update()
        return total / len(loader)

    @torch.no_grad()
    def accuracy(self, loader):
        self.model.eval()
        hits = sum((self.model(w).argmax(1) == y).sum().item() for w, y in loader)
        return hits / len(loader.dataset)


def main(hp=Hparams()):
    torch.manual_seed(hp.seed)
    generator = torch.Generator().manual_seed(hp.seed)
    train_set, test_set = Tones(512, hp, generator), Tones(256, hp, generator)
    train_loader = DataLoader(train_set, hp.micro_batch, shuffle=True)
    test_loader = DataLoader(test_set, 128)
    trainer = MixedPrecisionTrainer(ToneNet(hp), hp)
    for epoch in range(hp.epochs):
        print(f"epoch {epoch + 1}: loss {trainer.train_epoch(train_loader):.4f}")
    print(f"test accuracy {trainer.accuracy(test_loader):.3f} (chance {1 / hp.classes:.2f})")


if __name__ == "__main__":
    main()
