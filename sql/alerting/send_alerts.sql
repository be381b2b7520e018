-- An alert, to the topic of its channel: what it is about, all its reasons, and what the message can say of the booking.
INSERT INTO outbound_alerts
SELECT
  customer_id, alert_id, customer_id, channel, address, main_reason.alert_type, account_id, currency, entry_id,
  main_reason.setting_id, CAST(booked_at AS TIMESTAMP(3)), CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)), `language`,
  without_nulls(MAP[
    'threshold_minor', CASE WHEN main_reason.alert_type <> 'TRANSACTION_COUNT'
      THEN CAST(main_reason.threshold_minor AS STRING) END,
    'count', CASE WHEN main_reason.alert_type = 'TRANSACTION_COUNT' THEN CAST(main_reason.`count` AS STRING) END,
    'window_minutes', CASE WHEN main_reason.alert_type = 'TRANSACTION_COUNT'
      THEN CAST(main_reason.window_minutes AS STRING) END,
    'amount_minor', CAST(amount_minor AS STRING),
    'balance_minor', CAST(balance_minor AS STRING),
    'credit_debit', IF(is_credit, 'CRDT', 'DBIT'),
    'entry_type', entry_type,
    'merchant_name', merchant_name,
    'merchant_category', merchant_category,
    'country', country,
    'counterparty', counterparty,
    'counterparty_name', counterparty_name,
    'card_last_four', card_last_four,
    'original_currency', original_currency,
    'original_amount_minor', CAST(original_amount_minor AS STRING),
    'reversal', IF(reversal, 'true', CAST(NULL AS STRING)),
    'description', description]),
  own_reasons,
  CASE channel ${channel_topics} END
FROM alerts
