# needs: lightning
# expect: nothing
# looks suspicious: the net and the optimizer are wrapped by Fabric, backward is Fabric's, and steps come only
# every second batch (no_backward_sync).
"""An own loop with Lightning Fabric: accumulation, clipping, a schedule by epoch, validation."""

import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def main():
    fabric = L.Fabric(accelerator="cpu", devices=1)
    fabric.launch()
    fabric.seed_everything(0, verbose=False)
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)
    order = torch.randperm(len(y))
    fit, held = order[:1400], order[1400:]
    train = DataLoader(TensorDataset(x[fit], y[fit]), batch_size=32, shuffle=True)
    val = DataLoader(TensorDataset(x[held], y[held]), batch_size=128)
    model = nn.Sequential(
        nn.Linear(64, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.2), nn.Linear(48, 10)
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    model, optimizer = fabric.setup(model, optimizer)
    train, val = fabric.setup_dataloaders(train, val)
    for epoch in range(4):
        model.train()
        total = 0.0
        for i, (a, b) in enumerate(train):
            accumulating = i % 2 == 0 and i + 1 < len(train)
            with fabric.no_backward_sync(model, enabled=accumulating):
                loss = F.cross_entropy(model(a), b)
                fabric.backward(loss / 2)
            total += loss.item()
            if not accumulating:
                fabric.clip_gradients(model, optimizer, max_norm=1.0)
                optimizer.step()
                optimizer.zero_grad()
        scheduler.step()
        model.eval()
        right = 0
        with torch.no_grad():
            for a, b in val:
                right += (model(a).argmax(1) == b).sum().item()
        fabric.print(f"epoch {epoch} loss {total / len(train):.4f} accuracy {right / len(held):.3f}")


if __name__ == "__main__":
    main()
