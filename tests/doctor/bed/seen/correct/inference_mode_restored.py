# expect: nothing
# looks suspicious: evaluation happens in the middle of an epoch; the decorated helper remembers the mode
# and puts it back, and dropout is the functional one with training=self.training.
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(30, 64)
        self.b = nn.Linear(64, 2)

    def forward(self, x):
        return self.b(F.dropout(F.relu(self.a(x)), 0.3, training=self.training))


@torch.inference_mode()
def evaluate(net, x, y):
    was_training = net.training
    net.eval()
    logits = net(x)
    net.train(was_training)
    return F.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


X, y = load_breast_cancer(return_X_y=True)
X1, X2, y1, y2 = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)
sc = StandardScaler().fit(X1)
X1, X2 = torch.tensor(sc.transform(X1)).float(), torch.tensor(sc.transform(X2)).float()
y1, y2 = torch.tensor(y1), torch.tensor(y2)
net = Net().train()
opt = torch.optim.SGD(net.parameters(), lr=0.1)
step = 0
for _ in range(5):
    for rows in torch.randperm(len(y1)).split(16):
        opt.zero_grad()
        loss = F.cross_entropy(net(X1[rows]), y1[rows])
        loss.backward()
        opt.step()
        step += 1
        if step % 20 == 0:
            val_loss, val_acc = evaluate(net, X2, y2)
            print(f"step {step} train {loss.item():.4f} val {val_loss:.4f} acc {val_acc:.4f}")
