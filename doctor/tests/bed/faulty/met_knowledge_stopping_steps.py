# expect: selection_on_test @ 48
# mend: 4 → # A recommender-like trainer keeps the epoch with the best recall of the test users and stops by it. Mended.
# mend: 48 →     recall = evaluate(model, valid_x, valid_y)
# A recommender-like trainer keeps the epoch with the best recall of the test users and stops by it.
import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--stopping_steps", type=int, default=4)
parser.add_argument("--n_epoch", type=int, default=25)
args = parser.parse_args()
torch.manual_seed(7)
features = torch.randn(1500, 10)
wanted = ((features @ torch.randn(10, 6)) + 1.2 * torch.randn(1500, 6) > 1.0).float()
train_x, train_y = features[:900], wanted[:900]
valid_x, valid_y = features[900:1200], wanted[900:1200]
test_x, test_y = features[1200:], wanted[1200:]


def early_stopping(recall_list, stopping_steps):
    best_recall = max(recall_list)
    best_step = recall_list.index(best_recall)
    should_stop = len(recall_list) - best_step - 1 >= stopping_steps
    return best_recall, should_stop


def evaluate(model, x, y, k=2):
    model.eval()
    with torch.no_grad():
        top = model(x).topk(k, 1).indices
    hits = y.gather(1, top).sum(1)
    return (hits / y.sum(1).clamp(min=1)).mean().item()


model = nn.Sequential(nn.Linear(10, 128), nn.ReLU(), nn.Linear(128, 6))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
criterion = nn.BCEWithLogitsLoss()
recall_list, best_epoch = [], -1
for epoch in range(1, args.n_epoch + 1):
    model.train()
    for rows in torch.randperm(900).split(90):
        optimizer.zero_grad()
        loss = criterion(model(train_x[rows]), train_y[rows])
        loss.backward()
        optimizer.step()
    recall = evaluate(model, test_x, test_y)
    recall_list.append(recall)
    best_recall, should_stop = early_stopping(recall_list, args.stopping_steps)
    if recall_list.index(best_recall) == len(recall_list) - 1:
        best_epoch = epoch
        best_state = {k: v.clone() for k, v in model.state_dict().items()}
    if should_stop:
        break
model.load_state_dict(best_state)
print("best epoch", best_epoch, "recall@2", evaluate(model, test_x, test_y))
