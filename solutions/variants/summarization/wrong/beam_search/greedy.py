# misconception: you used greedy decoding
def beam_search(model, input_ids, num_beams, max_length, length_penalty=1.0):
    return greedy_decode(model, input_ids, max_length)
