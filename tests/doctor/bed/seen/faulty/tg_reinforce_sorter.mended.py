# expect: nothing
"""REINFORCE with a running baseline: a sorting robot looks at a bottle's measurements and picks one of three bins."""
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(3)
X, y = load_wine(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.3, stratify=y, random_state=3)
sc = StandardScaler().fit(Xtr)
Xtr, Xte = (torch.tensor(sc.transform(a), dtype=torch.float32) for a in (Xtr, Xte))
ytr, yte = torch.tensor(ytr), torch.tensor(yte)


class BinEnv:
    """One-step episodes: reward 1 for the right bin, else 0."""

    def __init__(self, obs, bins):
        self.obs, self.bins = obs, bins

    def reset(self):
        self.i = torch.randint(len(self.obs), ()).item()
        return self.obs[self.i]

    def step(self, action):
        return float(action == self.bins[self.i])


policy = nn.Sequential(nn.Linear(13, 32), nn.Tanh(), nn.Linear(32, 3))
opt = torch.optim.Adam(policy.parameters(), lr=1e-2)
env, baseline = BinEnv(Xtr, ytr), 0.33

for update in range(120):
    log_probs, rewards = [], []
    for _ in range(24):
        dist = Categorical(logits=policy(env.reset()))
        action = dist.sample()
        log_probs.append(dist.log_prob(action))
        rewards.append(env.step(action))
    advantages = [r - baseline for r in rewards]
    terms = [-lp * adv for lp, adv in zip(log_probs, advantages)]
    loss = torch.stack(terms).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    mean_reward = sum(rewards) / len(rewards)
    baseline = 0.9 * baseline + 0.1 * mean_reward
    if (update + 1) % 30 == 0:
        print(f"update {update + 1:3d}  reward {mean_reward:.2f}  baseline {baseline:.2f}")

policy.eval()
with torch.no_grad():
    greedy = policy(Xte).argmax(dim=-1)
print(f"greedy policy on unseen bottles: {(greedy == yte).float().mean():.3f}")
