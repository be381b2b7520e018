-- The alerts of analysts' rules, to the topic of their channel, or to the held ones.
INSERT INTO outbound_alerts
SELECT
  customer_id, alert_id, customer_id, channel, address, alert_type, account_id, currency, entry_id, setting_id,
  CAST(TO_TIMESTAMP_LTZ(booked_at, 3) AS TIMESTAMP(3)), CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)), `language`,
  without_nulls(MAP[
    'threshold_minor', CAST(threshold_minor AS STRING),
    'amount_minor', CAST(amount_minor AS STRING),
    'balance_minor', CAST(balance_minor AS STRING)]),
  ARRAY[ROW(setting_id, alert_type, threshold_minor, CAST(NULL AS INT), CAST(NULL AS INT))],
  topic
FROM limited_alerts
