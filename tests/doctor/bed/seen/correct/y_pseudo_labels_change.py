# expect: nothing
# looks suspicious: one and the same row has another label in a later round: pseudo-labels of unlabelled
# rows, drawn anew by the better net; test rows are none of them.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16).float(), torch.tensor(d.target)
order = torch.randperm(len(x))
labelled, unlabelled, test = order[:150], order[150:1300], order[1300:]
labelled_set = TensorDataset(x[labelled], y[labelled])


def fit(dataset, epochs):
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(epochs):
        for xb, yb in DataLoader(dataset, batch_size=50, shuffle=True):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()
    model.eval()
    return model, loss.item()


model, loss = fit(labelled_set, epochs=40)
for stage in range(3):
    with torch.no_grad():
        accuracy = (model(x[test]).argmax(1) == y[test]).float().mean().item()
        confidence, guess = model(x[unlabelled]).softmax(1).max(1)
    sure = confidence > 0.9
    print(f"round {stage}: loss {loss:.3f}, accuracy {accuracy:.3f}, {int(sure.sum())} pseudo-labels")
    pseudo_set = TensorDataset(x[unlabelled][sure], guess[sure])
    model, loss = fit(ConcatDataset([labelled_set, pseudo_set]), epochs=12)
