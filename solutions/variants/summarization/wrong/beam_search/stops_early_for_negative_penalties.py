# misconception: with a negative penalty an active hypothesis does best when it ends at once, not at max_length
def beam_search(model, input_ids, num_beams, max_length, length_penalty=1.0):
    config, device, n, B = model.config, input_ids.device, num_beams, len(input_ids)
    attention_mask = (input_ids != config.pad_token_id).long()  # [B, S]
    repeated = torch.arange(B, device=device).repeat_interleave(n)  # [B·n]
    values = torch.full((B, n), -math.inf, device=device)
    values[:, 0] = 0.0
    texts = torch.full((B * n, 1), config.decoder_start_token_id, device=device)
    finished = [[] for _ in range(B)]  # (score, tokens)
    past = None
    with torch.no_grad():
        encoder_outputs = model.get_encoder()(input_ids=input_ids, attention_mask=attention_mask)
        encoder_outputs, attention_mask = select_rows(encoder_outputs, repeated), attention_mask[repeated]
        for length in range(1, max_length + 1):
            answer = model(
                encoder_outputs=encoder_outputs,
                attention_mask=attention_mask,
                decoder_input_ids=texts[:, -1:],
                past_key_values=past,
                use_cache=True,
            )
            log_p = answer.logits[:, -1].float().log_softmax(dim=1)  # [B·n, V]
            V = log_p.shape[1]
            best = (values[..., None] + log_p.view(B, n, V)).flatten(1).topk(min(2 * n, n * V))  # [B, 2n]
            ends = best.indices % V == config.eos_token_id
            for b, rank in ends[:, :n].nonzero().tolist():
                value = float(best.values[b, rank])
                if value > -math.inf:
                    text = texts[b * n + int(best.indices[b, rank]) // V, 1:].tolist()
                    finished[b].append((value / length**length_penalty, [*text, config.eos_token_id]))
            values, chosen = best.values.masked_fill(ends, -math.inf).topk(n, dim=1)  # [B, n]
            chosen = best.indices.gather(1, chosen)
            rows = (torch.arange(B, device=device)[:, None] * n + chosen // V).flatten()  # [B·n]
            texts = torch.cat([texts[rows], (chosen % V).view(-1, 1)], dim=1)
            could_reach = (values[:, 0] / max_length**length_penalty).tolist()
            if all(done and max(done)[0] >= reach for done, reach in zip(finished, could_reach, strict=True)):
                break
            past = select_rows(answer.past_key_values, rows)
    for b in range(B):
        for row in range(b * n, (b + 1) * n):
            value = float(values.flatten()[row])
            if texts.shape[1] == max_length + 1 and value > -math.inf:
                finished[b].append((value / max_length**length_penalty, texts[row, 1:].tolist()))
    results = [max(done)[1] for done in finished]
    return padded(results, config.pad_token_id).to(device)
