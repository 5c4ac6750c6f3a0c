# alternative: keeps all tokens in one tensor and calls the model with the last column
def greedy_decode(model, input_ids, max_length):
    start, end, pad = (getattr(model.config, f"{n}_token_id") for n in ("decoder_start", "eos", "pad"))
    mask = input_ids.ne(pad).long()
    tokens = torch.full((input_ids.shape[0], max_length + 1), pad, dtype=torch.long, device=input_ids.device)
    tokens[:, 0] = start
    alive = torch.ones(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)
    cache = None
    with torch.inference_mode():
        states = model.get_encoder()(input_ids=input_ids, attention_mask=mask)
        for t in range(max_length):
            out = model(
                encoder_outputs=states,
                attention_mask=mask,
                decoder_input_ids=tokens[:, t : t + 1],
                past_key_values=cache,
                use_cache=True,
            )
            cache = out.past_key_values
            best = out.logits[:, -1, :].log_softmax(-1).max(-1).indices
            tokens[:, t + 1] = torch.where(alive, best, pad)
            alive = alive & (best != end)
            if not alive.any():
                break
    return tokens[:, 1:]
