# expect: nothing
# looks suspicious: the loss is a sum over an episode, is negative at times, does not fall, and rows come in
# temporal order: REINFORCE with a running baseline on a corridor.
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.distributions import Categorical

torch.manual_seed(543)
LENGTH = 5


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(LENGTH, 24)
        self.affine2 = nn.Linear(24, 2)
        self.saved_log_probs = []
        self.rewards = []

    def forward(self, x):
        return F.softmax(self.affine2(F.relu(self.affine1(x))), dim=1)


policy = Policy()
optimizer = optim.Adam(policy.parameters(), lr=2e-2)
baseline = 0.0


def select_action(state):
    probs = policy(F.one_hot(torch.tensor([state]), LENGTH).float())
    m = Categorical(probs)
    action = m.sample()
    policy.saved_log_probs.append(m.log_prob(action))
    return action.item()


def finish_episode(gamma=0.95):
    global baseline
    ret, returns = 0.0, []
    for r in reversed(policy.rewards):
        ret = r + gamma * ret
        returns.insert(0, ret)
    loss = [-(log_prob * (g - baseline)) for log_prob, g in zip(policy.saved_log_probs, returns, strict=True)]
    baseline = 0.9 * baseline + 0.1 * returns[0]
    optimizer.zero_grad()
    loss = torch.cat(loss).sum()
    loss.backward()
    optimizer.step()
    policy.saved_log_probs.clear()
    policy.rewards.clear()
    return loss.item()


for episode in range(60):
    state, total = 0, 0.0
    for _ in range(20):
        state = max(0, state + (1 if select_action(state) else -1))
        reward = 1.0 if state == LENGTH - 1 else -0.1
        policy.rewards.append(reward)
        total += reward
        if state == LENGTH - 1:
            break
    loss = finish_episode()
    if episode % 15 == 14:
        print(f"Episode {episode + 1}\tReturn {total:.2f}\tLoss {loss:.3f}")
