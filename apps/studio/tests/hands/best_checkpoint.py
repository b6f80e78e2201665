import os

import torch
from torch import nn

torch.manual_seed(12)
model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
x, x_val = torch.randn(20, 3), torch.randn(20, 3)
best = float("inf")
for epoch in range(40):
    optimizer.zero_grad()
    ((model(x) - x.norm(dim=1, keepdim=True)) ** 2).mean().backward()
    optimizer.step()
    with torch.no_grad():
        val = ((model(x_val) - x_val.norm(dim=1, keepdim=True)) ** 2).mean().item()
    if val < best:
        best = val
        torch.save({"epoch": epoch, "model": model.state_dict(), "best": best}, "best.pt")
    torch.save(optimizer.state_dict(), "last.tmp")
    os.replace("last.tmp", "last.pt")
    print(f"{epoch:2d} val {val:.6f} best {torch.load('best.pt')['best']:.6f}")
checkpoint = torch.load("best.pt")
model.load_state_dict(checkpoint["model"])
print("reloaded epoch", checkpoint["epoch"], model(x_val).sum().item())
