# expect: nothing
"""Mixed precision on the CPU with a GradScaler and clipping after unscale."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(10)
g = torch.Generator().manual_seed(0)
W = torch.randn(12, 3, generator=g)


def dataset(n):
    x = torch.randn(n, 12)
    return TensorDataset(x, (x @ W + 0.3 * torch.randn(n, 3)).argmax(1))


train = DataLoader(dataset(900), batch_size=45, shuffle=True)
test = DataLoader(dataset(300), batch_size=300)
model = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Linear(48, 3))
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)

for epoch in range(10):
    model.train()
    total = 0.0
    for x, y in train:
        opt.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = nn.functional.cross_entropy(model(x), y)
        scaler.scale(loss).backward()
        scaler.unscale_(opt)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(opt)
        scaler.update()
        total += loss.item()
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {total / len(train):.4f} scale {scaler.get_scale():.0f}")

model.eval()
with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
    acc = sum((model(x).argmax(1) == y).float().mean().item() for x, y in test)
print(f"test accuracy {acc:.3f}")
