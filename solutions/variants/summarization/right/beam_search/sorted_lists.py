# alternative: hypotheses in lists that are sorted; one row for each document at first; documents that are decided leave the batch
@torch.no_grad()
def beam_search(model, input_ids, num_beams, max_length, length_penalty=1.0):
    config, device = model.config, input_ids.device
    attention_mask = (input_ids != config.pad_token_id).long()
    encoder_outputs = model.get_encoder()(input_ids=input_ids, attention_mask=attention_mask)
    live = [(b, 0.0, []) for b in range(len(input_ids))]  # document, sum of log P, tokens; one for each row
    finished = [[] for _ in input_ids]
    past = None

    def finish(b, value, tokens):
        finished[b].append((value / len(tokens) ** length_penalty, tokens))

    for length in range(1, max_length + 1):
        newest = [tokens[-1] if tokens else config.decoder_start_token_id for _, _, tokens in live]
        answer = model(
            encoder_outputs=encoder_outputs,
            attention_mask=attention_mask,
            decoder_input_ids=torch.tensor(newest, device=device)[:, None],
            past_key_values=past,
            use_cache=True,
        )
        log_p = answer.logits[:, -1].log_softmax(dim=-1).tolist()
        rows, following = [], []
        for b in sorted({hypothesis[0] for hypothesis in live}):
            continuations = [
                (value + log_p[row][token], row, [*tokens, token])
                for row, (document, value, tokens) in enumerate(live)
                if document == b
                for token in range(len(log_p[row]))
            ]
            continuations.sort(key=lambda one: -one[0])
            kept = []
            for rank, (value, row, tokens) in enumerate(continuations[: 2 * num_beams]):
                if tokens[-1] == config.eos_token_id:
                    if rank < num_beams:
                        finish(b, value, tokens)
                elif len(kept) < num_beams:
                    kept.append((row, (b, value, tokens)))
            bound = max(value / each**length_penalty for _, (_, value, _) in kept for each in (length, max_length))
            if length == max_length:
                for _, (_, value, tokens) in kept:
                    finish(b, value, tokens)
            elif not finished[b] or max(finished[b])[0] < bound:
                rows += [row for row, _ in kept]
                following += [hypothesis for _, hypothesis in kept]
        if not following:
            break
        chosen = torch.tensor(rows, device=device)
        past, live = select_rows(answer.past_key_values, chosen), following
        encoder_outputs, attention_mask = select_rows(encoder_outputs, chosen), attention_mask[chosen]
    return padded([max(each)[1] for each in finished], config.pad_token_id).to(device)
