# expect: nothing
# looks suspicious: probabilities from softmax are used inside a cross-entropy: the focal factor and an
# entropy bonus need them, while the log-likelihood itself comes from log_softmax. Classes are 9:1.
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class FocalLoss(nn.Module):
    def __init__(self, gamma=2.0, alpha=(0.25, 0.75)):
        super().__init__()
        self.gamma = gamma
        self.register_buffer("alpha", torch.tensor(alpha))

    def forward(self, logits, target):
        logpt = F.log_softmax(logits, 1).gather(1, target[:, None]).squeeze(1)
        pt = F.softmax(logits, 1).gather(1, target[:, None]).squeeze(1)
        return -(self.alpha[target] * (1 - pt) ** self.gamma * logpt).mean()


x = torch.randn(1500, 5)
rare = (x[:, 0] + 0.8 * x[:, 1] > 1.65).long()
print("share of the rare class", rare.float().mean().item())
net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 2))
focal = FocalLoss()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(12):
    for rows in torch.randperm(1200).split(60):
        logits = net(x[rows])
        p = F.softmax(logits, dim=1)
        entropy = -(p * F.log_softmax(logits, dim=1)).sum(1).mean()
        loss = focal(logits, rare[rows]) - 0.001 * entropy
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 4 == 3:
        print(epoch + 1, f"{loss.item():.5f}")

with torch.no_grad():
    guess, truth = net(x[1200:]).argmax(1), rare[1200:]
recall = (guess[truth == 1] == 1).float().mean().item()
specificity = (guess[truth == 0] == 0).float().mean().item()
print(f"recall {recall:.3f} specificity {specificity:.3f} balanced {0.5 * (recall + specificity):.3f}")
