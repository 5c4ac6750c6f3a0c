# misconception: you called beam_search with one beam; when its text ends, it goes on with the second best token
def greedy_decode(model, input_ids, max_length):
    return beam_search(model, input_ids, 1, max_length)
