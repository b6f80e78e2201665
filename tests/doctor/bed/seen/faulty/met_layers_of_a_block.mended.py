# expect: nothing
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
d=load_digits(); X=torch.tensor(d.data/16,dtype=torch.float32); y=torch.tensor(d.target)
torch.manual_seed(0)
class Block(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(n, n), nn.Linear(n, n), nn.Linear(n, n)
        self.out, self.norm = nn.Linear(n, n), nn.LayerNorm(n)
    def forward(self, x):
        a = (self.q(x) @ self.k(x).transpose(1,2) / 8**0.5).softmax(-1) @ self.v(x)
        out = self.out(a)
        return self.norm(out + x)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block(8)
        self.head = nn.Linear(64, 10)
    def forward(self,x):
        return self.head(self.block(x.view(-1,8,8)).flatten(1))
net=Net()
opt=torch.optim.Adam(net.parameters(),lr=1e-3)
loader=torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1200],y[:1200]),50,shuffle=True)
for e in range(5):
    for a,b in loader:
        opt.zero_grad(); l=F.cross_entropy(net(a),b); l.backward(); opt.step()
    print(l.item())
