# expect: nothing
# looks suspicious: gradients are multiplied by hand between backward and step, the criterion has parameters
# of its own with their own optimizer at lr 0.5, two losses share one backward.
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class CenterLoss(nn.Module):
    def __init__(self, num_classes=10, feat_dim=2):
        super().__init__()
        self.num_classes = num_classes
        self.centers = nn.Parameter(torch.randn(num_classes, feat_dim))

    def forward(self, x, labels):
        distmat = torch.cdist(x, self.centers).pow(2)
        mask = labels.unsqueeze(1).eq(torch.arange(self.num_classes))
        return (distmat * mask.float()).clamp(min=1e-12, max=1e12).sum() / x.size(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 12, 3), nn.PReLU(), nn.Conv2d(12, 12, 3), nn.PReLU(), nn.Flatten()
        )
        self.fc1 = nn.Linear(192, 2)
        self.fc2 = nn.Linear(2, 10)

    def forward(self, x):
        features = self.fc1(self.conv(x))
        return features, self.fc2(features)


def main(weight_cent=0.05, max_epoch=4):
    torch.manual_seed(1)
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    trainloader = DataLoader(TensorDataset(images, torch.tensor(digits.target)), batch_size=64, shuffle=True)
    model = Net()
    criterion_xent, criterion_cent = nn.CrossEntropyLoss(), CenterLoss()
    optimizer_model = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=5e-4)
    optimizer_centloss = torch.optim.SGD(criterion_cent.parameters(), lr=0.5)
    for epoch in range(max_epoch):
        model.train()
        for data, labels in trainloader:
            features, outputs = model(data)
            loss_xent = criterion_xent(outputs, labels)
            loss_cent = criterion_cent(features, labels) * weight_cent
            loss = loss_xent + loss_cent
            optimizer_model.zero_grad()
            optimizer_centloss.zero_grad()
            loss.backward()
            optimizer_model.step()
            # the weight of the centre loss must not slow the centres down
            for param in criterion_cent.parameters():
                param.grad.data *= 1.0 / weight_cent
            optimizer_centloss.step()
        print(
            f"Epoch {epoch + 1}/{max_epoch} XentLoss {loss_xent.item():.4f} CenterLoss {loss_cent.item():.4f}"
        )


if __name__ == "__main__":
    main()
