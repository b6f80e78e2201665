# expect: nothing
# looks suspicious: backward is called on a loss 65536 times too large, gradients are huge until unscale_;
# the scaler steps instead of the optimizer.
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
data, target = load_digits(return_X_y=True)
data = torch.tensor(data / 16, dtype=torch.float32)
target = torch.tensor(target)
split = torch.randperm(1797)
tr, va = split[:1500], split[1500:]

model = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.Dropout(0.1), nn.Linear(128, 10))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
scaler = torch.amp.GradScaler("cpu")

for epoch in range(4):
    model.train()
    for rows in tr[torch.randperm(len(tr))].split(64):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(data[rows])
            loss = nn.functional.cross_entropy(logits.float(), target[rows])
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        scaler.step(optimizer)
        scaler.update()
    model.eval()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        acc = (model(data[va]).argmax(1) == target[va]).float().mean()
    print(f"epoch {epoch} loss {loss.item():.4f} grad norm {norm.item():.3f} val acc {acc.item():.4f}")
