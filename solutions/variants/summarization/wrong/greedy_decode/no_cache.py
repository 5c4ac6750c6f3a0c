# misconception: you gave all tokens again at each step, without the cache
def greedy_decode(model, input_ids, max_length):
    return naive_decode(model, input_ids, max_length)
