# expect: nothing
"""REINFORCE with a value baseline on a contextual bandit (which of four adverts does a visitor click?)."""
import torch
from torch import nn
from torch.distributions import Categorical

ADS, FEATURES = 4, 6


class Visitors:
    def __init__(self, seed):
        self.g = torch.Generator().manual_seed(seed)
        self.taste = 1.5 * torch.randn(ADS, FEATURES, generator=torch.Generator().manual_seed(0))

    def arrive(self, n):
        return torch.randn(n, FEATURES, generator=self.g)

    def click_rate(self, visitors):
        return torch.sigmoid(visitors @ self.taste.T - 1.0)

    def clicks(self, visitors, ads):
        rate = self.click_rate(visitors).gather(1, ads.unsqueeze(1)).squeeze(1)
        return (torch.rand(len(ads), generator=self.g) < rate).float()


class ActorCritic(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(FEATURES, hidden), nn.Tanh())
        self.policy, self.value = nn.Linear(hidden, ADS), nn.Linear(hidden, 1)

    def forward(self, x):
        h = self.shared(x)
        return Categorical(logits=self.policy(h)), self.value(h).squeeze(-1)


def train(agent, world, rounds=500, batch=64, entropy_weight=0.01):
    optimizer = torch.optim.Adam(agent.parameters(), lr=5e-3)
    mean_click = 0.0
    for k in range(1, rounds + 1):
        visitors = world.arrive(batch)
        choice, value = agent(visitors)
        ads = choice.sample()
        reward = world.clicks(visitors, ads)
        advantage = reward - value.detach()
        policy_loss = -(choice.log_prob(ads) * advantage).mean()
        value_loss = (value - reward).pow(2).mean()
        loss = policy_loss + 0.5 * value_loss - entropy_weight * choice.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean_click += reward.mean().item()
        if k % 100 == 0:
            print(f"round {k}: clicks per visit {mean_click / 100:.3f}")
            mean_click = 0.0


def main():
    torch.manual_seed(2)
    agent = ActorCritic()
    train(agent, Visitors(seed=1))
    agent.eval()
    world = Visitors(seed=99)
    visitors = world.arrive(2000)
    rate = world.click_rate(visitors)
    with torch.no_grad():
        chosen = agent(visitors)[0].probs.argmax(dim=1)
    reached = rate.gather(1, chosen.unsqueeze(1)).mean().item()
    print(f"expected clicks: ours {reached:.3f}, by chance {rate.mean().item():.3f}, best possible {rate.max(1).values.mean().item():.3f}")


if __name__ == "__main__":
    main()
