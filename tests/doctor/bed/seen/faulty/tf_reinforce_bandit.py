# expect: detached_loss @ 51
"""REINFORCE with a moving baseline on the wine table read as a contextual bandit (reward 1 for the right cultivar)."""
import torch
from torch import nn
from torch.distributions import Categorical
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


class BanditEnv:
    """Shows one bottle at a time; an action is a guess at its cultivar."""

    def __init__(self, contexts, labels, generator):
        self.contexts, self.labels, self.gen = contexts, labels, generator

    def reset(self):
        self.i = torch.randint(len(self.contexts), (1,), generator=self.gen).item()
        return self.contexts[self.i]

    def step(self, action):
        return 1.0 if action == self.labels[self.i].item() else 0.0


class Policy(nn.Module):
    def __init__(self, d, n_actions):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d, 32), nn.Tanh(), nn.Linear(32, n_actions))

    def forward(self, s):
        return Categorical(logits=self.net(s))


class Agent:
    def __init__(self, policy, lr=2e-2):
        self.policy = policy
        self.opt = torch.optim.Adam(policy.parameters(), lr=lr)
        self.baseline = 0.0

    def rollout(self, env, steps):
        log_probs, rewards = [], []
        for _ in range(steps):
            dist = self.policy(env.reset())
            action = dist.sample()
            rewards.append(env.step(action.item()))
            log_probs.append(dist.log_prob(action))
        return log_probs, rewards

    def update(self, log_probs, rewards):
        returns = torch.tensor(rewards) - self.baseline
        log_probs = torch.tensor([lp.item() for lp in log_probs], requires_grad=True)
        loss = -(log_probs * returns).mean()
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.baseline = 0.9 * self.baseline + 0.1 * sum(rewards) / len(rewards)
        return loss.item()


def greedy_accuracy(policy, x, y):
    policy.eval()
    with torch.no_grad():
        acc = (policy(x).probs.argmax(dim=-1) == y).float().mean().item()
    policy.train()
    return acc


torch.manual_seed(3)
X, y = load_wine(return_X_y=True)
x_tr, x_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, stratify=y, random_state=3)
sc = StandardScaler().fit(x_tr)
x_tr, x_te = (torch.tensor(sc.transform(a), dtype=torch.float32) for a in (x_tr, x_te))
y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)

env = BanditEnv(x_tr, y_tr, torch.Generator().manual_seed(3))
agent = Agent(Policy(x_tr.shape[1], 3))
for it in range(1, 81):
    lps, rs = agent.rollout(env, 32)
    loss = agent.update(lps, rs)
    if it % 20 == 0:
        print(f"iter {it:3d}  reward {sum(rs) / len(rs):.3f}  surrogate {loss:+.4f}")
print(f"greedy accuracy on held-out bottles {greedy_accuracy(agent.policy, x_te, y_te):.3f}")
