# expect: nothing
"""Fitted value iteration: a critic learns discounted returns of a random walk from stored transitions."""
import torch
import torch.nn as nn

torch.manual_seed(17)
STATES, GAMMA = 11, 0.9


def collect(n):
    s = torch.randint(1, STATES - 1, (n,))
    nxt = s + torch.randint(0, 2, (n,)) * 2 - 1
    done = (nxt == 0) | (nxt == STATES - 1)
    reward = (nxt == STATES - 1).float()
    return s, reward, nxt, done.float()


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Embedding(STATES, 24), nn.Tanh(), nn.Linear(24, 1))

    def forward(self, s):
        return self.net(s)


class ValueLearner:
    def __init__(self):
        self.critic, self.frozen = Critic(), Critic()
        self.frozen.load_state_dict(self.critic.state_dict())
        self.opt = torch.optim.Adam(self.critic.parameters(), lr=1e-2)

    def targets(self, reward, nxt, done):
        with torch.no_grad():
            return reward + GAMMA * (1 - done) * self.frozen(nxt).squeeze(-1)

    def update(self, s, reward, nxt, done):
        value = self.critic(s).squeeze(-1)
        goal = self.targets(reward, nxt, done)
        loss = ((value - goal) ** 2).mean()
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return loss.item()

    def sync(self, tau=0.05):
        with torch.no_grad():
            for p, q in zip(self.frozen.parameters(), self.critic.parameters()):
                p.lerp_(q, tau)


def exact_values():
    v = torch.zeros(STATES)
    for _ in range(500):
        up, down = v.roll(-1), v.roll(1)
        new = 0.5 * GAMMA * (up + down)
        new[STATES - 2] = 0.5 * (1 + GAMMA * v[STATES - 3])
        new[0] = new[-1] = 0.0
        v = new
    return v


memory = collect(3000)
learner = ValueLearner()
for epoch in range(25):
    for idx in torch.randperm(3000).split(60):
        loss = learner.update(*(m[idx] for m in memory))
        learner.sync()
with torch.no_grad():
    learned = learner.critic(torch.arange(STATES)).squeeze(-1)
error = (learned - exact_values())[1:-1].abs().mean().item()
print(f"td loss {loss:.5f}  mean abs error of values {error:.4f}")
