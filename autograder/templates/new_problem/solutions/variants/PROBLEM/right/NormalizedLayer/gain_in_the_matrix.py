# alternative: the gain as part of the matrix
class NormalizedLayer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(inputs))
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        return (rms_normalize(x) @ (self.linear.weight * self.gain).T + self.linear.bias).clamp(min=0)
