# expect: nothing
"""Grades the alarms of a plant as fine, watch or act; weighs the classes and prints how many of each are found."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from sklearn.model_selection import train_test_split

GRADES = ("fine", "watch", "act")


def readings(n=3000, seed=23):
    rng = np.random.default_rng(seed)
    grade = rng.choice(3, n, p=[0.72, 0.2, 0.08])
    centre = np.array([[0, 0, 0, 0, 0, 0], [1.2, 0.8, 0, 0.5, 0, 0], [1.3, 0.3, 1.1, 0.6, 0, 0]])
    x = centre[grade] + rng.normal(0, 1, (n, 6))
    return (x * [1, 4, 0.2, 10, 1, 3] + [20, 0, 1, 300, 5, 0]).astype(np.float32), grade


class Readings(Dataset):
    def __init__(self, x, grade, stats=None):
        self.stats = stats or (x.mean(axis=0), x.std(axis=0))
        self.x = torch.from_numpy((x - self.stats[0]) / self.stats[1])
        self.grade = torch.from_numpy(grade)

    def class_weights(self):
        counts = torch.bincount(self.grade, minlength=len(GRADES)).float()
        return counts.sum() / (len(GRADES) * counts)

    def __len__(self):
        return len(self.grade)

    def __getitem__(self, i):
        return self.x[i], self.grade[i]


class Grader(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 24)
        self.second = nn.Linear(24, len(GRADES))

    def forward(self, x):
        return self.second(torch.nn.functional.leaky_relu(self.first(x), 0.1))


def fit(model, data, epochs=15):
    loader = DataLoader(data, batch_size=64, shuffle=True)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)
    criterion = nn.CrossEntropyLoss(weight=data.class_weights())
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for x, grade in loader:
            loss = criterion(model(x), grade)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}: {total / len(loader):.4f}")


def found_by_grade(model, data):
    model.eval()
    with torch.no_grad():
        guess = model(data.x).argmax(dim=1)
    return {name: ((guess == g) & (data.grade == g)).sum().item() / (data.grade == g).sum().item()
            for g, name in enumerate(GRADES)}


def main():
    torch.manual_seed(23)
    x, grade = readings()
    x_train, x_test, g_train, g_test = train_test_split(x, grade, test_size=0.3, stratify=grade, random_state=23)
    train = Readings(x_train, g_train)
    test = Readings(x_test, g_test, train.stats)
    model = Grader()
    fit(model, train)
    found = found_by_grade(model, test)
    for name, share in found.items():
        print(f"found of {name:6s} {share:.3f}")
    print(f"mean over grades {sum(found.values()) / len(found):.3f}")


if __name__ == "__main__":
    main()
