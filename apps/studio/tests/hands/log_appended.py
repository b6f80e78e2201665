import os
from pathlib import Path

import torch

os.makedirs("runs", exist_ok=True)
torch.manual_seed(10)
weights = torch.nn.Parameter(torch.randn(5))
target = torch.arange(5.0)
opt = torch.optim.Adamax([weights], lr=0.2)
for epoch in range(40):
    opt.zero_grad()
    loss = (weights - target).pow(2).sum()
    loss.backward()
    opt.step()
    with open("runs/log.txt", "a") as f:
        f.write(f"epoch {epoch}: {loss.item():.6f}\n")
    if epoch % 10 == 9:
        Path(f"runs/epoch-{epoch}").mkdir()
        Path("runs", f"epoch-{epoch}", "weights.txt").write_text(str(weights.tolist()))
    print(epoch, os.path.getsize("runs/log.txt"), sorted(os.listdir("runs")))
