# alternative: a generator of columns, lists of tokens, a boolean mask, inference mode
def greedy_decode(model, input_ids, max_length):
    from itertools import islice

    config = model.config

    def columns():
        mask = input_ids != config.pad_token_id
        documents = model.get_encoder()(input_ids, mask)
        new, past, alive = [config.decoder_start_token_id] * len(input_ids), None, [True] * len(input_ids)
        while any(alive):
            answer = model(
                encoder_outputs=documents,
                attention_mask=mask,
                decoder_input_ids=torch.tensor(new, device=input_ids.device)[:, None],
                past_key_values=past,
                use_cache=True,
            )
            past = answer.past_key_values
            best = answer.logits[:, -1].max(dim=1).indices.tolist()
            new = [token if on else config.pad_token_id for token, on in zip(best, alive, strict=True)]
            yield new
            alive = [on and token != config.eos_token_id for token, on in zip(new, alive, strict=True)]

    with torch.inference_mode():
        return torch.tensor(list(islice(columns(), max_length)), device=input_ids.device).T
