# expect: nothing
"""Mean teacher on heartbeats: sixty labelled traces, many unlabelled, teacher as moving average of the student."""
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F


def heartbeats(n, length=64):
    kind = torch.randint(0, 3, (n,))
    t = torch.linspace(0, 1, length)
    centre = 0.4 + 0.1 * torch.rand(n, 1)
    beat = torch.exp(-((t - centre) / 0.03) ** 2)
    wave_t = 0.35 * torch.exp(-((t - centre - 0.25) / 0.06) ** 2)
    wave_t = torch.where((kind == 1).unsqueeze(1), -wave_t, wave_t)
    dip = torch.where((kind == 2).unsqueeze(1), 0.5 * torch.exp(-((t - centre + 0.09) / 0.03) ** 2), torch.zeros(n, length))
    return (beat + wave_t - dip + 0.15 * torch.randn(n, length)).unsqueeze(1) / 0.3, kind


def augment(x):
    shift = int(torch.randint(-3, 4, ()))
    return x.roll(shift, dims=-1) + 0.3 * torch.randn_like(x)


class BeatNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(1, 12, 9, stride=2, padding=4), nn.GroupNorm(3, 12), nn.ReLU(),
            nn.Conv1d(12, 24, 7, stride=2, padding=3), nn.GroupNorm(3, 24), nn.ReLU(), nn.Dropout(0.2),
        )
        self.out = nn.Linear(24 * 16, 3)

    def forward(self, x):
        return self.out(self.features(x).flatten(1))


class MeanTeacher:
    def __init__(self, student, decay=0.98):
        self.student, self.decay = student, decay
        self.teacher = copy.deepcopy(student)
        for p in self.teacher.parameters():
            p.requires_grad = False

    @torch.no_grad()
    def update(self):
        for slow, fast in zip(self.teacher.parameters(), self.student.parameters()):
            slow.mul_(self.decay).add_(fast, alpha=1 - self.decay)

    def consistency(self, x):
        with torch.no_grad():
            goal = self.teacher(augment(x)).softmax(dim=1)
        return F.mse_loss(self.student(augment(x)).softmax(dim=1), goal)


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


def main():
    torch.manual_seed(17)
    x_labelled, y_labelled = heartbeats(60)
    x_free, _ = heartbeats(800)
    x_test, y_test = heartbeats(300)
    pair = MeanTeacher(BeatNet())
    optimizer = torch.optim.Adam(pair.student.parameters(), lr=2e-3)
    for epoch in range(8):
        pair.student.train()
        pair.teacher.train()
        ramp = min(1.0, (epoch + 1) / 5)
        sums = [0.0, 0.0]
        for rows in torch.randperm(len(x_free)).split(40):
            pick = torch.randint(0, len(x_labelled), (20,))
            supervised = F.cross_entropy(pair.student(augment(x_labelled[pick])), y_labelled[pick])
            agreement = pair.consistency(x_free[rows])
            loss = supervised + 3.0 * ramp * agreement
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            pair.update()
            sums[0] += supervised.item() / 20
            sums[1] += agreement.item() / 20
        if epoch % 2 == 1:
            print(f"epoch {epoch + 1}: supervised {sums[0]:.3f} consistency {sums[1]:.4f}")
    print(f"student {accuracy(pair.student, x_test, y_test):.3f} teacher {accuracy(pair.teacher, x_test, y_test):.3f}")


if __name__ == "__main__":
    main()
