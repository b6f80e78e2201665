# expect: missing_zero_grad @ 31
# needs: torch>=2.3
# mend: 35 +         optimizer.zero_grad(set_to_none=True)
"""Mixed precision with autocast and GradScaler, switched off by itself where there is no GPU."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
use_amp = torch.cuda.is_available()
device = "cuda" if use_amp else "cpu"
X, y = load_digits(return_X_y=True)
loader = DataLoader(
    TensorDataset(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)),
    batch_size=128,
    shuffle=True,
)
model = nn.Sequential(nn.Linear(64, 96), nn.GELU(), nn.Linear(96, 10)).to(device)
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
scaler = torch.amp.GradScaler(device, enabled=use_amp)
loss_fn = nn.CrossEntropyLoss(label_smoothing=0.05)

for epoch in range(4):
    running = 0.0
    for inputs, labels in loader:
        inputs, labels = inputs.to(device), labels.to(device)
        with torch.autocast(device_type=device, dtype=torch.bfloat16):
            loss = loss_fn(model(inputs), labels)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        scaler.step(optimizer)
        scaler.update()
        running += loss.item()
    print(f"epoch {epoch}: {running / len(loader):.4f}")
