# expect: nothing
"""Read the angle of a drawn bar from a 14x14 image (regression on sine and cosine of the double angle)."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Subset, TensorDataset


def draw_bar(angle, rng, size=14):
    centre = (size - 1) / 2 + rng.uniform(-1, 1, 2)
    yy, xx = np.mgrid[:size, :size]
    dy, dx = yy - centre[0], xx - centre[1]
    along = dx * np.cos(angle) + dy * np.sin(angle)
    across = -dx * np.sin(angle) + dy * np.cos(angle)
    image = np.exp(-across ** 2) * (np.abs(along) < 5)
    return image + 0.15 * rng.standard_normal((size, size))


def make_dataset(n, rng):
    angles = np.linspace(0, 0.75 * np.pi, n)
    images = np.stack([draw_bar(a, rng) for a in angles])
    targets = np.stack([np.sin(2 * angles), np.cos(2 * angles)], axis=1)
    return TensorDataset(torch.tensor(images, dtype=torch.float32).unsqueeze(1),
                         torch.tensor(targets, dtype=torch.float32))


def split(dataset, fraction, rng):
    n_train = int(len(dataset) * fraction)
    index = rng.permutation(len(dataset))
    return Subset(dataset, index[:n_train].tolist()), Subset(dataset, index[n_train:].tolist())


def degrees(vector):
    return torch.rad2deg(torch.atan2(vector[:, 0], vector[:, 1]) / 2)


def angle_error(model, loader):
    model.eval()
    errors = []
    with torch.no_grad():
        for images, targets in loader:
            diff = (degrees(model(images)) - degrees(targets)).abs()
            errors.append(torch.minimum(diff, 180 - diff))
    return torch.cat(errors).mean().item()


def main():
    torch.manual_seed(9)
    rng = np.random.default_rng(9)
    dataset = make_dataset(1000, rng)
    train_set, test_set = split(dataset, 0.75, rng)
    train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=250)

    model = nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(8 * 25, 48), nn.ReLU(), nn.Linear(48, 2))
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    loss_fn = nn.MSELoss()
    for epoch in range(1, 11):
        model.train()
        total = 0.0
        for images, targets in train_loader:
            loss = loss_fn(model(images), targets)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(images)
        if epoch % 2 == 0:
            print(f"epoch {epoch:2d}: training loss {total / len(train_set):.4f}")
    print(f"mean error on training bars {angle_error(model, train_loader):.2f} degrees")
    print(f"mean error on test bars     {angle_error(model, test_loader):.2f} degrees")


if __name__ == "__main__":
    main()
