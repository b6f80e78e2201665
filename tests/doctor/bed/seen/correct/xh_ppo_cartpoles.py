# expect: nothing
# PPO on a vectorised cart-pole written in numpy
import numpy as np
import torch
import torch.nn as nn
from torch.distributions import Categorical

seed, num_envs, num_steps, num_iterations = 1, 8, 128, 14
gamma, gae_lambda, clip_coef, ent_coef, vf_coef, lr = 0.99, 0.95, 0.2, 0.01, 0.5, 2e-3
update_epochs, num_minibatches, max_grad_norm, max_len = 4, 4, 0.5, 200
rng = np.random.default_rng(seed)
torch.manual_seed(seed)


class CartPoles:
    def __init__(self, n):
        self.s, self.t = rng.uniform(-0.05, 0.05, (n, 4)), np.zeros(n, int)

    def obs(self):
        return torch.tensor(self.s, dtype=torch.float32)

    def step(self, action):
        x, v, th, w = self.s.T
        force = np.where(action == 1, 10.0, -10.0)
        tmp = (force + 0.05 * w**2 * np.sin(th)) / 1.1
        acc_th = (9.8 * np.sin(th) - np.cos(th) * tmp) / (0.5 * (4 / 3 - 0.1 * np.cos(th) ** 2 / 1.1))
        acc = tmp - 0.05 * acc_th * np.cos(th) / 1.1
        self.s = np.stack([x + 0.02 * v, v + 0.02 * acc, th + 0.02 * w, w + 0.02 * acc_th], 1)
        self.t += 1
        terminated = (np.abs(self.s[:, 0]) > 2.4) | (np.abs(self.s[:, 2]) > 0.2095)
        truncated = (self.t >= max_len) & ~terminated
        final_obs, lengths = self.obs(), self.t.copy()
        over = terminated | truncated
        self.s[over] = rng.uniform(-0.05, 0.05, (over.sum(), 4))
        self.t[over] = 0
        return final_obs, terminated, truncated, lengths[over]


def layer_init(layer, std=np.sqrt(2), bias_const=0.0):
    nn.init.orthogonal_(layer.weight, std)
    nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Sequential(layer_init(nn.Linear(4, 64)), nn.Tanh(),
                                    layer_init(nn.Linear(64, 64)), nn.Tanh(), layer_init(nn.Linear(64, 1), std=1.0))
        self.actor = nn.Sequential(layer_init(nn.Linear(4, 64)), nn.Tanh(),
                                   layer_init(nn.Linear(64, 64)), nn.Tanh(), layer_init(nn.Linear(64, 2), std=0.01))

    def get_value(self, x):
        return self.critic(x).squeeze(-1)

    def get_action_and_value(self, x, action=None):
        probs = Categorical(logits=self.actor(x))
        if action is None:
            action = probs.sample()
        return action, probs.log_prob(action), probs.entropy(), self.get_value(x)


agent, envs = Agent(), CartPoles(num_envs)
optimizer = torch.optim.Adam(agent.parameters(), lr=lr, eps=1e-5)
obs = torch.zeros(num_steps, num_envs, 4)
actions = torch.zeros(num_steps, num_envs, dtype=torch.long)
logprobs, rewards, values, next_values, ends = (torch.zeros(num_steps, num_envs) for _ in range(5))
next_obs = envs.obs()

for iteration in range(1, num_iterations + 1):
    optimizer.param_groups[0]["lr"] = (1.0 - (iteration - 1) / num_iterations) * lr
    finished = []
    for step in range(num_steps):
        obs[step] = next_obs
        with torch.no_grad():
            actions[step], logprobs[step], _, values[step] = agent.get_action_and_value(next_obs)
        final_obs, terminated, truncated, lengths = envs.step(actions[step].numpy())
        with torch.no_grad():
            next_values[step] = agent.get_value(final_obs) * torch.tensor(~terminated)
        rewards[step] = 1.0
        ends[step] = torch.tensor(terminated | truncated).float()
        finished += lengths.tolist()
        next_obs = envs.obs()

    advantages, lastgaelam = torch.zeros_like(rewards), torch.zeros(num_envs)
    for t in reversed(range(num_steps)):
        delta = rewards[t] + gamma * next_values[t] - values[t]
        lastgaelam = delta + gamma * gae_lambda * (1.0 - ends[t]) * lastgaelam
        advantages[t] = lastgaelam
    returns = advantages + values

    b_obs, b_actions = obs.reshape(-1, 4), actions.reshape(-1)
    b_logprobs, b_adv, b_returns = logprobs.reshape(-1), advantages.reshape(-1), returns.reshape(-1)
    for epoch in range(update_epochs):
        for mb in torch.randperm(num_envs * num_steps).chunk(num_minibatches):
            _, newlogprob, entropy, newvalue = agent.get_action_and_value(b_obs[mb], b_actions[mb])
            ratio = (newlogprob - b_logprobs[mb]).exp()
            adv = (b_adv[mb] - b_adv[mb].mean()) / (b_adv[mb].std() + 1e-8)
            pg_loss = torch.max(-adv * ratio, -adv * ratio.clamp(1 - clip_coef, 1 + clip_coef)).mean()
            v_loss = 0.5 * ((newvalue - b_returns[mb]) ** 2).mean()
            loss = pg_loss - ent_coef * entropy.mean() + vf_coef * v_loss
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), max_grad_norm)
            optimizer.step()
    print(f"iteration {iteration:2d}  episodes {len(finished):3d}  mean length {np.mean(finished):6.1f}  v_loss {v_loss.item():.3f}")
