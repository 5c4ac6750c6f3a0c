# misconception: you left out the ReLU, so that a network of these layers is hardly more than one linear map
class NormalizedLayer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(inputs))
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.linear(self.gain * rms_normalize(x))
