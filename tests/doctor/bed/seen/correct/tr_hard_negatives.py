# expect: nothing
# looks suspicious: the reader is in training mode where it meets the frozen index without gradients: the
# nearest wrong passages are drawn anew for its next steps, nobody makes a figure of them.
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(19)
topics = torch.randn(30, 12)
passages = topics.repeat_interleave(8, 0) + 0.4 * torch.randn(240, 12)
index = nn.Sequential(nn.Linear(12, 16), nn.Dropout(0.1)).requires_grad_(False).eval()
reader = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 16))
optimizer = torch.optim.Adam(reader.parameters(), lr=3e-3)
reader.train()
for step in range(150):
    rows = torch.randint(240, (32,))
    asked = passages[rows] + 0.2 * torch.randn(32, 12)
    with torch.no_grad():
        near = reader(asked) @ index(passages).T
        near[torch.arange(32), rows] = -1e9
        hard = near.topk(4, dim=1).indices
        keys = index(passages)
    said = reader(asked)
    right = (said * keys[rows]).sum(1, keepdim=True)
    wrong = torch.einsum("bd,bkd->bk", said, keys[hard])
    loss = F.cross_entropy(torch.cat([right, wrong], 1) / 4, torch.zeros(32, dtype=torch.long))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
reader.eval()
with torch.no_grad():
    first = (reader(passages) @ index(passages).T).argmax(1)
print(f"loss {loss.item():.3f}, own passage first {(first == torch.arange(240)).float().mean().item():.3f}")
