# alternative: sums of -log P are accumulated, and the gradients are divided by the number of tokens afterwards
def train_step(model, optimizer, batches, max_norm):
    config, tokens, total = model.config, 0, 0.0
    for weight in model.parameters():
        weight.grad = None
    for input_ids, labels in batches:
        mask = (input_ids != config.pad_token_id).long()
        before = shift_right(labels, config.decoder_start_token_id, config.pad_token_id)
        states = model.get_encoder()(input_ids=input_ids, attention_mask=mask)
        answer = model(encoder_outputs=states, attention_mask=mask, decoder_input_ids=before)
        n = int((labels != -100).sum())
        loss = n * sequence_loss(answer.logits, labels)
        loss.backward()
        tokens, total = tokens + n, total + float(loss.detach())
    with torch.no_grad():
        for weight in model.parameters():
            weight.grad /= tokens
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return total / tokens
