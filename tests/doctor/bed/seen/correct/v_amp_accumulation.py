# expect: nothing
"""Gradient accumulation with a GradScaler on CPU, unscaled clipping and a warm-up schedule."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(4)
ACCUM, EPOCHS = 4, 12


def signals(n):
    k = torch.randint(0, 3, (n,))
    t = torch.linspace(0, 6.28, 32)
    x = torch.sin(t * (k[:, None] + 1) + torch.rand(n, 1) * 6.28) + 0.5 * torch.randn(n, 32)
    return TensorDataset(x.unsqueeze(1), k)


train, test = DataLoader(signals(960), batch_size=16, shuffle=True), signals(300).tensors
model = nn.Sequential(
    nn.Conv1d(1, 16, 5, padding=2), nn.GroupNorm(4, 16), nn.ReLU(),
    nn.Conv1d(16, 16, 5, padding=2), nn.ReLU(), nn.AdaptiveMaxPool1d(4), nn.Flatten(), nn.Linear(64, 3),
)
optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
updates = EPOCHS * len(train) // ACCUM
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min((s + 1) / 10, max(0.0, (updates - s) / updates)))
scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for i, (x, y) in enumerate(train):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = nn.functional.cross_entropy(model(x), y)
        scaler.scale(loss / ACCUM).backward()
        total += loss.item()
        if (i + 1) % ACCUM == 0:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
            schedule.step()
    if epoch % 4 == 3:
        print(f"epoch {epoch} loss {total / len(train):.4f}")
model.eval()
with torch.no_grad():
    print(f"test accuracy {(model(test[0]).argmax(1) == test[1]).float().mean().item():.3f}")
