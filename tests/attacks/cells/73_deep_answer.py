# attack: returns an answer that is nested five thousand deep
def standardize(x, eps=0.0):
    answer = []
    for _ in range(5000):
        answer = [answer]
    return answer
