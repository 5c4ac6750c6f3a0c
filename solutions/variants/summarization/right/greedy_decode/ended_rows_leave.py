# alternative: rows that have ended leave the batch, and the cache continues with the others
@torch.no_grad()
def greedy_decode(model, input_ids, max_length):
    config = model.config
    attention_mask = (input_ids != config.pad_token_id).long()
    encoder_outputs = model.get_encoder()(input_ids=input_ids, attention_mask=attention_mask)
    texts = [[] for _ in input_ids]
    alive = torch.arange(len(input_ids), device=input_ids.device)
    new = torch.full_like(input_ids[:, :1], config.decoder_start_token_id)
    past = None
    for _ in range(max_length):
        answer = model(
            encoder_outputs=encoder_outputs,
            attention_mask=attention_mask,
            decoder_input_ids=new,
            past_key_values=past,
            use_cache=True,
        )
        chosen = answer.logits[:, -1].argmax(dim=1)
        for row, token in zip(alive.tolist(), chosen.tolist(), strict=True):
            texts[row].append(token)
        stay = (chosen != config.eos_token_id).nonzero()[:, 0]
        if len(stay) == 0:
            break
        alive, new, attention_mask = alive[stay], chosen[stay, None], attention_mask[stay]
        encoder_outputs, past = select_rows(encoder_outputs, stay), select_rows(answer.past_key_values, stay)
    return padded(texts, config.pad_token_id).to(input_ids.device)
