# expect: missing_no_grad @ 23
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
d=load_digits(); X=torch.tensor(d.data/16,dtype=torch.float32); y=torch.tensor(d.target)
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1=nn.Linear(64,64); self.relu=nn.ReLU(); self.fc2=nn.Linear(64,10)
    def forward(self,x):
        out=self.fc1(x); out=self.relu(out); return self.fc2(out)
net=Net()
opt=torch.optim.Adam(net.parameters(),lr=1e-3)
loader=torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1200],y[:1200]),50,shuffle=True)
test=torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[1200:],y[1200:]),100)
for e in range(5):
    for a,b in loader:
        opt.zero_grad(); l=F.cross_entropy(net(a),b); l.backward(); opt.step()
correct=0; total=0
for images, labels in test:
    outputs = net(images)
    _, predicted = torch.max(outputs.data, 1)
    total += labels.size(0)
    correct += (predicted == labels).sum()
print(100*correct/total)
