# expect: nothing
# looks suspicious: target_net is in no optimizer and only changed by load_state_dict; inputs come in
# temporal order from one environment; the network acts under no_grad in train mode between updates.
import random
from collections import deque, namedtuple

import torch
from torch import nn, optim

random.seed(0)
torch.manual_seed(0)
Transition = namedtuple("Transition", "state action reward next_state done")
N = 6  # corridor: start on the left, reward on the right


def one_hot(s):
    return torch.nn.functional.one_hot(torch.tensor(s), N).float()


def env_step(s, a):
    s = min(max(s + (1 if a == 1 else -1), 0), N - 1)
    return s, (1.0 if s == N - 1 else -0.02), s == N - 1


policy_net = nn.Sequential(nn.Linear(N, 32), nn.ReLU(), nn.Linear(32, 2))
target_net = nn.Sequential(nn.Linear(N, 32), nn.ReLU(), nn.Linear(32, 2))
target_net.load_state_dict(policy_net.state_dict())
optimizer = optim.AdamW(policy_net.parameters(), lr=5e-3, amsgrad=True)
memory = deque(maxlen=2000)
steps_done = 0


def optimize_model(batch_size=32, gamma=0.9):
    if len(memory) < batch_size:
        return None
    batch = Transition(*zip(*random.sample(memory, batch_size), strict=True))
    state, nxt = torch.stack(batch.state), torch.stack(batch.next_state)
    action = torch.tensor(batch.action).unsqueeze(1)
    reward, done = torch.tensor(batch.reward), torch.tensor(batch.done).float()
    q = policy_net(state).gather(1, action).squeeze(1)
    with torch.no_grad():
        target = reward + gamma * (1 - done) * target_net(nxt).max(1).values
    loss = nn.functional.smooth_l1_loss(q, target)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(policy_net.parameters(), 100)
    optimizer.step()
    return loss.item()


for episode in range(40):
    s, ret, loss = 0, 0.0, None
    for _ in range(30):
        eps = max(0.05, 0.9 - steps_done / 250)
        if random.random() < eps:
            a = random.randrange(2)
        else:
            with torch.no_grad():
                a = policy_net(one_hot(s)).argmax().item()
        nxt, r, done = env_step(s, a)
        memory.append(Transition(one_hot(s), a, r, one_hot(nxt), done))
        s, ret, steps_done = nxt, ret + r, steps_done + 1
        loss = optimize_model()
        if steps_done % 25 == 0:
            target_net.load_state_dict(policy_net.state_dict())
        if done:
            break
    if episode % 10 == 9:
        print(f"episode {episode} return {ret:.2f} loss {loss}")
