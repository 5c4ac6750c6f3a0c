# alternative: with plain loops over documents and hypotheses
def beam_search(model, input_ids, num_beams, max_length, length_penalty=1.0):
    start, end, pad = model.config.decoder_start_token_id, model.config.eos_token_id, model.config.pad_token_id
    documents = len(input_ids)
    mask = (input_ids != pad).long()
    with torch.no_grad():
        states = model.get_encoder()(input_ids=input_ids, attention_mask=mask)
        live = [[(0.0, [])] for _ in range(documents)]  # (sum of log P, tokens)
        done = [[] for _ in range(documents)]
        rows = torch.arange(documents)
        new, cache = torch.full((documents, 1), start), None
        states_now, mask_now = states, mask
        for length in range(1, max_length + 1):
            out = model(
                encoder_outputs=states_now,
                attention_mask=mask_now,
                decoder_input_ids=new,
                past_key_values=cache,
                use_cache=True,
            )
            log_p = torch.log_softmax(out.logits[:, -1], dim=-1)
            row, picked, tokens, owner = 0, [], [], []
            for d in range(documents):
                options = []
                for value, text in live[d]:
                    top = log_p[row].topk(min(2 * num_beams, log_p.shape[1]))
                    for gain, token in zip(top.values.tolist(), top.indices.tolist()):
                        options.append((value + gain, row, text + [token]))
                    row += 1
                options.sort(key=lambda option: -option[0])
                live[d] = []
                for rank, (value, parent, text) in enumerate(options[: 2 * num_beams]):
                    if text[-1] == end:
                        if rank < num_beams:
                            done[d].append((value / length**length_penalty, text))
                    elif len(live[d]) < num_beams:
                        live[d].append((value, text))
                        picked.append(parent)
                        tokens.append(text[-1])
                        owner.append(d)
            if not picked:
                break
            picked, owner = torch.tensor(picked), torch.tensor(owner)
            cache = select_rows(out.past_key_values, picked)
            states_now, mask_now = select_rows(model_states(states, owner), torch.arange(len(owner))), mask[owner]
            new = torch.tensor(tokens)[:, None]
    for d in range(documents):
        for value, text in live[d]:
            if len(text) == max_length:
                done[d].append((value / max_length**length_penalty, text))
    return padded([max(each)[1] for each in done], pad)


def model_states(states, owner):
    return select_rows(states, owner)
