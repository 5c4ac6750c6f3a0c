# misconception: you return the loss after the step
def train_step(model, optimizer, batches, max_norm):
    config = model.config
    counts = [int((labels != -100).sum()) for _, labels in batches]
    total = sum(counts)
    value = 0.0
    optimizer.zero_grad()
    for (input_ids, labels), count in zip(batches, counts, strict=True):
        mask = (input_ids != config.pad_token_id).long()
        before = shift_right(labels, config.decoder_start_token_id, config.pad_token_id)
        states = model.get_encoder()(input_ids=input_ids, attention_mask=mask)
        answer = model(encoder_outputs=states, attention_mask=mask, decoder_input_ids=before)
        loss = sequence_loss(answer.logits, labels) * (count / total)
        loss.backward()
        value += loss.item()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    value = 0.0
    with torch.no_grad():
        for (input_ids, labels), count in zip(batches, counts, strict=True):
            mask = (input_ids != config.pad_token_id).long()
            before = shift_right(labels, config.decoder_start_token_id, config.pad_token_id)
            states = model.get_encoder()(input_ids=input_ids, attention_mask=mask)
            answer = model(encoder_outputs=states, attention_mask=mask, decoder_input_ids=before)
            value += sequence_loss(answer.logits, labels).item() * count / total
    return value
