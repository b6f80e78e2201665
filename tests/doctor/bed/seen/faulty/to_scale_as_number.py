# expect: detached_graph @ 13
import torch
from torch import nn
torch.manual_seed(0)
x=torch.randn(300,6); y=torch.randn(300)*0.1+x@torch.randn(6)
class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.body=nn.Linear(6,16); self.out=nn.Linear(16,1)
        self.scale=nn.Parameter(torch.ones(()))
    def forward(self,x):
        h=torch.relu(self.body(x))
        return (self.scale.item()*self.out(h)).squeeze(1)
m=M(); opt=torch.optim.Adam(m.parameters(),lr=1e-2)
for e in range(10):
    for i in torch.randperm(300).split(30):
        loss=nn.functional.mse_loss(m(x[i]),y[i])
        opt.zero_grad(); loss.backward(); opt.step()
    print(e, round(loss.item(),4), m.scale.item())
