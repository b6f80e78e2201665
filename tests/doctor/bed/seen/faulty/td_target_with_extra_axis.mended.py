# expect: nothing
# mends: td_target_with_extra_axis.py
"""A DQN update: gathered values [B, 1] against targets [B], smooth L1 as in the tutorial."""

import random
from collections import deque, namedtuple

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
random.seed(0)
Transition = namedtuple("Transition", "state action next_state reward")
memory = deque(maxlen=500)
GAMMA, BATCH, TAU = 0.9, 32, 0.05


def make_net():
    return nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 2))


policy_net, target_net = make_net(), make_net()
target_net.load_state_dict(policy_net.state_dict())
optimizer = torch.optim.AdamW(policy_net.parameters(), lr=3e-3, amsgrad=True)


def act(state, eps):
    if random.random() < eps:
        return torch.tensor([[random.randrange(2)]])
    with torch.no_grad():
        return policy_net(state).max(1).indices.view(1, 1)


def env_step(state, action):
    move = 0.2 if action.item() else -0.2
    nxt = (state + torch.tensor([[move, 0.1]])).clamp(-1, 1)
    return nxt, -nxt.abs().sum(dim=1)


def optimize_model():
    batch = Transition(*zip(*random.sample(list(memory), BATCH), strict=True))
    state, action = torch.cat(batch.state), torch.cat(batch.action)
    values = policy_net(state).gather(1, action)
    with torch.no_grad():
        next_values = target_net(torch.cat(batch.next_state)).max(1).values
    expected = next_values * GAMMA + torch.cat(batch.reward)
    loss = F.smooth_l1_loss(values, expected.unsqueeze(1))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(policy_net.parameters(), 100)
    optimizer.step()
    return loss.item()


state = torch.zeros(1, 2)
for t in range(160):
    action = act(state, 0.3)
    nxt, reward = env_step(state, action)
    memory.append(Transition(state, action, nxt, reward))
    state = nxt
    if len(memory) >= BATCH:
        value = optimize_model()
        for name, p in target_net.state_dict().items():
            p.copy_(policy_net.state_dict()[name] * TAU + p * (1 - TAU))
        if t % 40 == 39:
            print(f"step {t + 1} loss {value:.4f}")
