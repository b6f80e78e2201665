# expect: nothing
"""Full batch, few steps, float target by hand-made churn table."""
import torch
import torch.nn.functional as F
from sklearn.datasets import make_classification
X, y = make_classification(n_samples=900, n_features=12, n_informative=4, n_redundant=4, weights=[0.9], flip_y=0.03, class_sep=0.7, random_state=2)
x = torch.tensor(X, dtype=torch.float32); y = torch.tensor(y).float()
torch.manual_seed(3)
net = torch.nn.Linear(12, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(25):
    opt.zero_grad()
    loss = F.binary_cross_entropy_with_logits(net(x)[:, 0], y)
    loss.backward()
    opt.step()
print(loss.item())
