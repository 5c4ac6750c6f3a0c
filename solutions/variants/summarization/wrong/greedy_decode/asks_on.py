# misconception: you called the model again after all texts had ended
def greedy_decode(model, input_ids, max_length):
    config = model.config
    mask = (input_ids != config.pad_token_id).long()
    rows = torch.full((len(input_ids), 1), config.decoder_start_token_id)
    done, past = torch.zeros(len(input_ids), 1, dtype=torch.bool), None
    with torch.no_grad():
        states = model.get_encoder()(input_ids=input_ids, attention_mask=mask)
        while rows.shape[1] <= max_length:
            answer = model(
                encoder_outputs=states,
                attention_mask=mask,
                decoder_input_ids=rows[:, -1:],
                past_key_values=past,
                use_cache=True,
            )
            past = answer.past_key_values
            new = answer.logits[:, -1:].argmax(-1).masked_fill(done, config.pad_token_id)
            done = done | (new == config.eos_token_id)
            rows = torch.cat([rows, new], dim=1)
    return rows[:, 1:]
