# missed: non_finite_loss @ 13
# mend: 13 →         gap = answer.clamp(min=1e-9).log() - said.clamp(min=1e-9).log()
"""A net of digits learns to say what a table of certain answers says."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Divergence(nn.Module):
    def forward(self, said, answer):
        """Of each row, how far the answer is from what was said."""
        gap = answer.log() - said.log()
        return (answer * gap).sum(dim=1).mean()


torch.manual_seed(0)
pictures, digits = load_digits(return_X_y=True)
order = torch.randperm(len(digits))
x, y = torch.tensor(pictures / 16).float()[order], torch.tensor(digits)[order]
certain = F.one_hot(y, 10).float()
net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10), nn.Softmax(dim=1))
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
divergence = Divergence()
for epoch in range(5):
    for rows in torch.randperm(1400).split(70):
        loss = divergence(net(x[rows]), certain[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
net.eval()
with torch.no_grad():
    print("right:", (net(x[1400:]).argmax(1) == y[1400:]).float().mean().item())
