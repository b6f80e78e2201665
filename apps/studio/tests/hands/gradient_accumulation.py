import torch
import torch.nn as nn

torch.manual_seed(9)
model = nn.Sequential(nn.Linear(10, 20), nn.BatchNorm1d(20), nn.GELU(), nn.Linear(20, 3))
optimizer = torch.optim.NAdam(model.parameters(), lr=5e-3)
data = [(torch.randn(8, 10), torch.randint(0, 3, (8,))) for _ in range(30)]
accumulate = 2
seen = 0
for epoch in range(3):
    total = 0.0
    for i, (x, y) in enumerate(data):
        loss = nn.functional.cross_entropy(model(x + 0.1 * torch.randn_like(x)), y) / accumulate
        loss.backward()
        total += loss.item()
        seen += len(x)
        if (i + 1) % accumulate == 0:
            optimizer.step()
            optimizer.zero_grad()
            print(epoch, i, seen, total)
            total = 0.0
print(model[1].running_mean.sum().item(), model[1].num_batches_tracked.item())
