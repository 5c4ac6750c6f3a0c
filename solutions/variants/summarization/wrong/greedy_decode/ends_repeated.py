# misconception: you padded ended rows with end tokens; use pad tokens
def greedy_decode(model, input_ids, max_length):
    config = model.config
    attention_mask = (input_ids != config.pad_token_id).long()  # [B, S]
    new = torch.full((len(input_ids),), config.decoder_start_token_id, device=input_ids.device)  # [B]
    ended = torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
    past, written = None, []
    with torch.no_grad():
        encoder_outputs = model.get_encoder()(input_ids=input_ids, attention_mask=attention_mask)
        for _ in range(max_length):
            answer = model(
                encoder_outputs=encoder_outputs,
                attention_mask=attention_mask,
                decoder_input_ids=new[:, None],  # [B, 1]
                past_key_values=past,
                use_cache=True,
            )
            past = answer.past_key_values
            new = answer.logits[:, -1].argmax(dim=1).masked_fill(ended, config.eos_token_id)
            written.append(new)
            ended = ended | (new == config.eos_token_id)
            if bool(ended.all()):
                break
    return torch.stack(written, dim=1)
