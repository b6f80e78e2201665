# expect: scheduler_misuse @ 99
# allowed: scheduler_misuse @ 82
# allowed: scheduler_misuse @ 89
# allowed: scheduler_misuse @ 101
"""Denoising autoencoder for low-quality glyph scans, run by a small event engine with handlers for logging and the learning rate."""
import math
from collections import defaultdict
from enum import Enum

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader

EPOCHS, WARMUP_STEPS, PEAK_LR, NOISE = 15, 40, 3e-3, 0.35


class Event(Enum):
    STARTED = "started"
    ITERATION_COMPLETED = "iteration_completed"
    EPOCH_COMPLETED = "epoch_completed"


class Engine:
    """Calls `process` on every batch and fires events; handlers are attached with the `on` decorator."""

    def __init__(self, process):
        self.process, self.handlers = process, defaultdict(list)
        self.epoch = self.iteration = 0
        self.losses = []

    def on(self, event):
        def register(fn):
            self.handlers[event].append(fn)
            return fn
        return register

    def fire(self, event):
        for fn in self.handlers[event]:
            fn(self)

    def run(self, loader, epochs):
        self.fire(Event.STARTED)
        for self.epoch in range(1, epochs + 1):
            self.losses = []
            for batch in loader:
                self.losses.append(self.process(batch))
                self.iteration += 1
                self.fire(Event.ITERATION_COMPLETED)
            self.fire(Event.EPOCH_COMPLETED)


class Denoiser(nn.Module):
    def __init__(self, side=64, width=128, code=32):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(side, width), nn.GELU(), nn.Linear(width, code), nn.GELU())
        self.decode = nn.Sequential(nn.Linear(code, width), nn.GELU(), nn.Linear(width, side))

    def forward(self, x):
        return self.decode(self.encode(x))


def warmup_cosine(total_steps):
    def factor(step):
        if step < WARMUP_STEPS:
            return (step + 1) / WARMUP_STEPS
        progress = (step - WARMUP_STEPS) / max(1, total_steps - WARMUP_STEPS)
        return 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
    return factor


def main():
    torch.manual_seed(29)
    pixels = torch.tensor(load_digits().data, dtype=torch.float32) / 16.0
    train, test = (torch.stack(list(part)) for part in train_test_split(pixels, test_size=0.2, random_state=29))
    loader = DataLoader(train, batch_size=64, shuffle=True)
    test_noisy = test + NOISE * torch.randn_like(test)

    model = Denoiser()
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_LR, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, warmup_cosine(EPOCHS * len(loader)))

    def process(clean):
        model.train()
        loss = nn.functional.mse_loss(model(clean + NOISE * torch.randn_like(clean)), clean)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    trainer = Engine(process)

    @trainer.on(Event.EPOCH_COMPLETED)
    def log(engine):
        if engine.epoch % 3 == 0:
            print(f"epoch {engine.epoch:2d}  loss {sum(engine.losses) / len(engine.losses):.4f}")

    @trainer.on(Event.EPOCH_COMPLETED)
    def advance_lr(engine):
        scheduler.step()

    trainer.run(loader, EPOCHS)

    model.eval()
    with torch.no_grad():
        restored = nn.functional.mse_loss(model(test_noisy), test).item()
    raw = nn.functional.mse_loss(test_noisy, test).item()
    print(f"test error: noisy scan {raw:.4f}, restored {restored:.4f}")


if __name__ == "__main__":
    main()
