# expect: nothing
"""REINFORCE for a contextual bandit, softmax policy, running baseline, entropy bonus."""
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(3)
CONTEXT, ARMS = 6, 4
TRUTH = torch.randn(CONTEXT, ARMS)


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(CONTEXT, 32), nn.Tanh(), nn.Linear(32, ARMS))

    def forward(self, x):
        return torch.softmax(self.net(x), dim=-1)


def reward(x, a):
    return (x @ TRUTH).gather(1, a[:, None]).squeeze(1) + 0.1 * torch.randn(len(a))


policy = Policy()
opt = torch.optim.Adam(policy.parameters(), lr=1e-2)
baseline = 0.0
for it in range(300):
    x = torch.randn(64, CONTEXT)
    dist = Categorical(probs=policy(x))
    a = dist.sample()
    r = reward(x, a)
    loss = -(dist.log_prob(a) * (r - baseline)).mean() - 0.01 * dist.entropy().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    baseline = 0.9 * baseline + 0.1 * r.mean().item()
    if it % 75 == 74:
        print(f"iteration {it + 1} mean reward {baseline:.3f}")

policy.eval()
with torch.no_grad():
    x = torch.randn(2000, CONTEXT)
    value = x @ TRUTH
    got = value.gather(1, policy(x).argmax(-1, keepdim=True)).mean().item()
print(f"greedy reward {got:.3f}, best possible {value.max(1).values.mean().item():.3f}")
