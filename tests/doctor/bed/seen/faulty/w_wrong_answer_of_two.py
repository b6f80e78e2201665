# expect: softmax_before_cross_entropy @ 37
"""Kinds of wine by a net that answers with scores and with shares of the kinds."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


class Kinds(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 3))

    def forward(self, x):
        scores = self.body(x)
        return {"scores": scores, "shares": F.softmax(scores, dim=-1)}


def tensors(seed):
    x, y = load_wine(return_X_y=True)
    xa, xb, ya, yb = train_test_split(x, y, test_size=0.3, random_state=seed, stratify=y)
    scaler = StandardScaler().fit(xa)
    return (torch.tensor(scaler.transform(a)).float() for a in (xa, xb)), torch.tensor(ya), torch.tensor(yb)


torch.manual_seed(2)
(xa, xb), ya, yb = tensors(2)
net = Kinds()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(20):
    net.train()
    for rows in torch.randperm(len(xa)).split(31):
        optimizer.zero_grad()
        answer = net(xa[rows])
        loss = F.cross_entropy(answer["shares"], ya[rows])
        loss.backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    print(f"accuracy {(net(xb)['shares'].argmax(1) == yb).float().mean().item():.3f}")
