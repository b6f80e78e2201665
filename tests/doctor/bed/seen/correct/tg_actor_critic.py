# expect: nothing
"""Advantage actor-critic on a batch of balancing carts, simulated with tensors; one optimizer for both heads."""
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(29)
FORCE = torch.tensor([-1.0, 0.0, 1.0])
HORIZON, GAMMA = 20, 0.9


def physics(state, action):
    pos, vel = state.unbind(1)
    vel = 0.95 * vel + 0.3 * FORCE[action]
    pos = pos + 0.3 * vel
    return torch.stack([pos, vel], dim=1), -(pos.square() + 0.1 * vel.square()).clamp(max=4.0)


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(2, 48), nn.Tanh())
        self.actor, self.critic = nn.Linear(48, 3), nn.Linear(48, 1)

    def forward(self, s):
        h = self.trunk(s)
        return Categorical(logits=self.actor(h)), self.critic(h).squeeze(-1)


def rollout(agent, n):
    state, logs, values, rewards, ents = 2 * torch.rand(n, 2) - 1, [], [], [], []
    for _ in range(HORIZON):
        dist, value = agent(state)
        action = dist.sample()
        state, reward = physics(state, action)
        logs.append(dist.log_prob(action))
        values.append(value)
        rewards.append(reward)
        ents.append(dist.entropy())
    return map(torch.stack, (logs, values, rewards, ents))


@torch.no_grad()
def greedy_return(agent, starts):
    agent.eval()
    state, total = starts, torch.zeros(len(starts))
    for _ in range(HORIZON):
        state, reward = physics(state, agent(state)[0].probs.argmax(dim=-1))
        total += reward
    return total.mean().item()


agent = Agent()
opt = torch.optim.Adam(agent.parameters(), lr=5e-3)
starts = 2 * torch.rand(200, 2) - 1
print(f"before: greedy return {greedy_return(agent, starts):.2f}")
for update in range(150):
    agent.train()
    logs, values, rewards, ents = rollout(agent, 64)
    returns, running = torch.zeros_like(rewards), torch.zeros(64)
    for t in reversed(range(HORIZON)):
        running = rewards[t] + GAMMA * running
        returns[t] = running
    adv = returns - values.detach()
    adv = (adv - adv.mean()) / (adv.std() + 1e-6)
    loss = -(logs * adv).mean() + 0.5 * (values - returns).square().mean() - 0.01 * ents.mean()
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(agent.parameters(), 1.0)
    opt.step()
    if update % 50 == 49:
        print(f"update {update + 1}: mean reward {rewards.mean().item():.3f}")
print(f"after: greedy return {greedy_return(agent, starts):.2f}")
