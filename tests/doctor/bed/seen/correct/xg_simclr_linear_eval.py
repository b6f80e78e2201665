# expect: nothing
# SimCLR in small: NT-Xent on unlabeled digits, then a linear probe.
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


class ContrastiveViewGenerator:
    """Random shift, gain and noise; called twice per batch."""

    def __init__(self, n_views=2):
        self.n_views = n_views

    def transform(self, x):
        n = len(x)
        padded = F.pad(x, (1, 1, 1, 1))
        patches = padded.unfold(2, 8, 1).unfold(3, 8, 1)  # n, 1, 3, 3, 8, 8
        dy, dx = torch.randint(0, 3, (n,)), torch.randint(0, 3, (n,))
        out = patches[torch.arange(n), :, dy, dx]
        gain = torch.empty(n, 1, 1, 1).uniform_(0.6, 1.4)
        return out * gain + 0.1 * torch.randn_like(out)

    def __call__(self, x):
        return [self.transform(x) for _ in range(self.n_views)]


class SimCLR(nn.Module):
    def __init__(self, feat_dim=64, proj_dim=32):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Flatten(), nn.Linear(32 * 16, feat_dim), nn.ReLU(),
        )
        self.projector = nn.Sequential(
            nn.Linear(feat_dim, feat_dim), nn.ReLU(), nn.Linear(feat_dim, proj_dim))

    def forward(self, x):
        return self.projector(self.backbone(x))


def info_nce_logits(features, batch_size, temperature, n_views=2):
    labels = torch.cat([torch.arange(batch_size) for _ in range(n_views)], dim=0)
    labels = (labels.unsqueeze(0) == labels.unsqueeze(1)).float()
    features = F.normalize(features, dim=1)
    similarity_matrix = features @ features.T
    mask = torch.eye(labels.shape[0], dtype=torch.bool)
    labels = labels[~mask].view(labels.shape[0], -1)
    similarity_matrix = similarity_matrix[~mask].view(similarity_matrix.shape[0], -1)
    positives = similarity_matrix[labels.bool()].view(labels.shape[0], -1)
    negatives = similarity_matrix[~labels.bool()].view(similarity_matrix.shape[0], -1)
    logits = torch.cat([positives, negatives], dim=1) / temperature
    return logits, torch.zeros(logits.shape[0], dtype=torch.long)


@torch.no_grad()
def extract(model, x):
    model.eval()
    return model.backbone(x).numpy()


def main():
    torch.manual_seed(4)
    d = load_digits()
    x = torch.tensor(d.images, dtype=torch.float32)[:, None] / 16.0
    x_train, x_test, y_train, y_test = train_test_split(
        x, d.target, test_size=0.3, stratify=d.target, random_state=4)
    loader = DataLoader(TensorDataset(x_train), batch_size=128, shuffle=True, drop_last=True)

    model = SimCLR()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-5)
    epochs = 15
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    views = ContrastiveViewGenerator()
    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        for (batch,) in loader:
            features = model(torch.cat(views(batch), dim=0))
            logits, labels = info_nce_logits(features, len(batch), temperature=0.3)
            loss = F.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        scheduler.step()
        if epoch % 5 == 0:
            print(f"Epoch {epoch}: NT-Xent {total / len(loader):.4f}")

    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, C=0.1))
    probe.fit(extract(model, x_train), y_train)
    print(f"linear probe: train {probe.score(extract(model, x_train), y_train):.4f} "
          f"test {probe.score(extract(model, x_test), y_test):.4f}")


if __name__ == "__main__":
    main()
