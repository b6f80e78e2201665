# expect: nothing
"""Model that ends in log_softmax and is trained with cross_entropy: harmless, as it is idempotent."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(13, 32)
        self.drop = nn.Dropout(0.2)
        self.fc2 = nn.Linear(32, 3)

    def forward(self, x):
        return F.log_softmax(self.fc2(self.drop(F.relu(self.fc1(x)))), dim=1)


torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=2)
prep = make_pipeline(PowerTransformer(), StandardScaler())
X_train = torch.tensor(prep.fit_transform(X_train), dtype=torch.float32)
X_test = torch.tensor(prep.transform(X_test), dtype=torch.float32)
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
net = Net()
opt = torch.optim.RMSprop(net.parameters(), lr=2e-3)
for epoch in range(30):
    net.train()
    for idx in torch.randperm(len(X_train)).split(16):
        opt.zero_grad()
        loss = F.cross_entropy(net(X_train[idx]), y_train[idx])
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    print(f"loss {loss.item():.3f} test accuracy {(net(X_test).argmax(1) == y_test).float().mean():.3f}")
