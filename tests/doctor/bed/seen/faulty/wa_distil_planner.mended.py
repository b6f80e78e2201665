# expect: nothing
"""
Distil an expensive planner into a tiny Q-network.

The planner scores the five moves (stay, N, S, E, W) of a point that wants to reach a goal past a hill.
The student sees (position, goal) and mimics the planner's soft ranking.
"""
import torch
import torch.nn.functional as F
from torch import nn

MOVES = torch.tensor([[0.0, 0.0], [0.0, 1.0], [0.0, -1.0], [1.0, 0.0], [-1.0, 0.0]]) * 0.12
HILL = torch.tensor([0.1, -0.1])
TEMPERATURE = 0.04


def terrain_cost(pos):
    return 0.35 * torch.exp(-((pos - HILL) ** 2).sum(-1) / 0.08)


def planner_q(state):
    """Scores for [..., 4] states -> [..., 5]."""
    pos, goal = state[..., :2], state[..., 2:]
    nxt = (pos.unsqueeze(-2) + MOVES).clamp(-1, 1)
    dist = (nxt - goal.unsqueeze(-2)).norm(dim=-1)
    return -(dist + terrain_cost(nxt))


def greedy(q):
    return q.argmax(dim=-1)


def sample_states(n, gen):
    return torch.rand(n, 4, generator=gen) * 2 - 1


class Student(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(4, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
        self.value = nn.Linear(hidden, 1)
        self.advantage = nn.Linear(hidden, len(MOVES))

    def forward(self, s):
        h = self.trunk(s)
        adv = self.advantage(h)
        return self.value(h) + adv - adv.mean(dim=-1, keepdim=True)


def distil_loss(student_q, teacher_q, tau=TEMPERATURE):
    soft = F.softmax(teacher_q / tau, dim=-1)
    ranking = F.kl_div(F.log_softmax(student_q / tau, dim=-1), soft, reduction="batchmean")
    return ranking + F.smooth_l1_loss(student_q, teacher_q)


@torch.no_grad()
def agreement(student, states):
    student.eval()
    same = greedy(student(states)) == greedy(planner_q(states))
    return same.float().mean().item()


@torch.no_grad()
def walk(student, start, steps=30):
    """Follow the student from one start; returns the distance left."""
    student.eval()
    state = start.clone()
    for _ in range(steps):
        move = MOVES[greedy(student(state))]
        state[:2] = (state[:2] + move).clamp(-1, 1)
    return (state[:2] - state[2:]).norm().item()


def main():
    torch.manual_seed(8)
    gen = torch.Generator().manual_seed(80)
    train_states, test_states = sample_states(4000, gen), sample_states(800, gen)
    student = Student()
    opt = torch.optim.AdamW(student.parameters(), lr=3e-3, weight_decay=1e-4)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=1e-2, total_steps=12 * 40)

    for epoch in range(12):
        student.train()
        total = 0.0
        order = torch.randperm(len(train_states), generator=gen)
        for idx in order.split(100):
            batch = train_states[idx]
            loss = distil_loss(student(batch), planner_q(batch))
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
            total += loss.item() * len(idx)
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d}  loss {total / len(train_states):.4f}")

    print(f"same move as the planner on unseen states: {agreement(student, test_states):.3f}")
    left = [walk(student, s) for s in test_states[:20]]
    print(f"mean distance left after a walk: {sum(left) / len(left):.3f}")


if __name__ == "__main__":
    main()
