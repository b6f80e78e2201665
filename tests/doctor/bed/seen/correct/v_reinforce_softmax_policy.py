# expect: nothing
"""REINFORCE for a contextual bandit with a softmax policy and a learned baseline."""
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)
CONTEXTS, ARMS = 6, 4
PAY = torch.rand(CONTEXTS, ARMS, generator=torch.Generator().manual_seed(3))


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(CONTEXTS, 32), nn.Tanh())
        self.actor = nn.Linear(32, ARMS)
        self.critic = nn.Linear(32, 1)

    def forward(self, s):
        h = self.body(s)
        return torch.softmax(self.actor(h), dim=-1), self.critic(h).squeeze(-1)


agent = Agent()
opt = torch.optim.Adam(agent.parameters(), lr=1e-2)
for it in range(400):
    c = torch.randint(0, CONTEXTS, (64,))
    probs, value = agent(nn.functional.one_hot(c, CONTEXTS).float())
    dist = Categorical(probs=probs)
    arm = dist.sample()
    reward = torch.bernoulli(PAY[c, arm])
    advantage = (reward - value).detach()
    loss = -(dist.log_prob(arm) * advantage).mean() + 0.5 * ((reward - value) ** 2).mean() - 0.01 * dist.entropy().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 100 == 99:
        with torch.no_grad():
            p, _ = agent(torch.eye(CONTEXTS))
        print(f"it {it + 1} expected pay {(p * PAY).sum(1).mean():.3f} best {PAY.max(1).values.mean():.3f}")
