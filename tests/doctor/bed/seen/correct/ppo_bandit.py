# expect: nothing
# looks suspicious: softmax outputs make the loss, several epochs run over the same rollout in one
# optimizer, gradients are clipped at 0.5 and old log-probabilities are detached: PPO.
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.base = nn.Sequential(nn.Linear(4, 32), nn.Tanh())
        self.pi = nn.Linear(32, 3)
        self.v = nn.Linear(32, 1)
        nn.init.orthogonal_(self.pi.weight, 0.01)
        nn.init.zeros_(self.pi.bias)

    def forward(self, x):
        h = self.base(x)
        return Categorical(probs=F.softmax(self.pi(h), dim=-1)), self.v(h).squeeze(-1)


agent = ActorCritic()
optimizer = torch.optim.Adam(agent.parameters(), lr=1e-2, eps=1e-5)
best = torch.randn(4, 3)

for update in range(12):
    obs = torch.randn(128, 4)
    with torch.no_grad():
        dist, value = agent(obs)
        action = dist.sample()
        logp_old = dist.log_prob(action)
    reward = (action == (obs @ best).argmax(1)).float()
    advantage = reward - value
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)

    for _ in range(4):
        for rows in torch.randperm(128).split(32):
            dist, value = agent(obs[rows])
            ratio = (dist.log_prob(action[rows]) - logp_old[rows]).exp()
            adv = advantage[rows]
            pg_loss = torch.max(-adv * ratio, -adv * ratio.clamp(0.8, 1.2)).mean()
            v_loss = 0.5 * (value - reward[rows]).square().mean()
            loss = pg_loss + 0.5 * v_loss - 0.01 * dist.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()
    print(f"update {update} mean reward {reward.mean().item():.3f} loss {loss.item():.4f}")
