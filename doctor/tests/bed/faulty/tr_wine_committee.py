# expect: softmax_before_cross_entropy @ 24
# mend: 30 →         loss = F.nll_loss(vote(xa[rows]).clamp_min(1e-8).log(), ya[rows])
"""Three small nets vote on a wine's cultivar; the mean of their votes is trained as one."""
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn import functional as F

torch.manual_seed(3)
data, cultivar = load_wine(return_X_y=True)
xa, xb, ya, yb = train_test_split(data, cultivar, test_size=0.3, random_state=3, stratify=cultivar)
scaler = StandardScaler().fit(xa)
xa, xb = (torch.tensor(scaler.transform(part), dtype=torch.float32) for part in (xa, xb))
ya, yb = torch.tensor(ya), torch.tensor(yb)

members = nn.ModuleList(nn.Sequential(nn.Linear(13, 12), nn.Tanh(), nn.Linear(12, 3)) for _ in range(3))
optimizer = torch.optim.Adam(members.parameters(), lr=5e-3)


def vote(x):
    """What the committee says, averaged."""
    votes = [F.softmax(member(x), dim=1) for member in members]
    return torch.stack(votes).mean(0)


for epoch in range(40):
    for rows in torch.randperm(len(ya)).split(31):
        loss = F.cross_entropy(vote(xa[rows]), ya[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
with torch.no_grad():
    print(f"loss {loss.item():.4f}, test accuracy {(vote(xb).argmax(1) == yb).float().mean().item():.3f}")
