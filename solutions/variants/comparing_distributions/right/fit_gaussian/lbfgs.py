# alternative: a quasi-Newton method from five starts
def fit_gaussian(log_p, grid, direction):
    x = grid.double()
    log_p = torch.log_softmax(log_p.double(), 0)
    p = log_p.exp()
    mean = float(p @ x)
    std = math.sqrt(float(p @ (x - mean) ** 2))
    if direction == "forward":
        return mean, std
    found = []
    for start in (mean - std, mean - std / 2, mean, mean + std / 2, mean + std):
        theta = torch.tensor([start, math.log(std / 4)], dtype=torch.float64, requires_grad=True)
        search = torch.optim.LBFGS([theta], lr=0.3, max_iter=200, tolerance_change=1e-12)

        def loss(theta=theta, search=search):
            search.zero_grad()
            log_q = torch.log_softmax(-0.5 * ((x - theta[0]) / theta[1].exp()) ** 2, 0)
            value = log_q.exp() @ (log_q - log_p)
            value.backward()
            return value

        search.step(loss)
        found.append((loss().item(), theta[0].item(), math.exp(theta[1].item())))
    return min(found)[1:]
