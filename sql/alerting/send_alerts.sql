-- One alert per channel and address of a raised rule; make_alerts (udfs/alerts.py) makes them. A channel without
-- an address gives none: how many is the difference between what make_alerts gives and what is sent.
INSERT INTO outbound_alerts
SELECT
  r.customer_id, a.alert_id, r.customer_id, a.channel, a.address, r.alert_type, r.account_id, r.currency, r.entry_id,
  r.setting_id, CAST(r.booked_at AS TIMESTAMP(3)), CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)), r.`language`,
  CASE
    WHEN r.alert_type = 'TRANSACTION_COUNT' AND r.balance_minor IS NULL THEN
      MAP['count', CAST(r.`count` AS STRING),
          'window_minutes', CAST(r.window_minutes AS STRING),
          'amount_minor', CAST(r.amount_minor AS STRING)]
    WHEN r.balance_minor IS NULL THEN
      MAP['threshold_minor', CAST(r.threshold_minor AS STRING),
          'amount_minor', CAST(r.amount_minor AS STRING)]
    WHEN r.alert_type = 'TRANSACTION_COUNT' THEN
      MAP['count', CAST(r.`count` AS STRING),
          'window_minutes', CAST(r.window_minutes AS STRING),
          'amount_minor', CAST(r.amount_minor AS STRING),
          'balance_minor', CAST(r.balance_minor AS STRING)]
    ELSE
      MAP['threshold_minor', CAST(r.threshold_minor AS STRING),
          'amount_minor', CAST(r.amount_minor AS STRING),
          'balance_minor', CAST(r.balance_minor AS STRING)]
  END,
  ARRAY[ROW(r.setting_id, r.alert_type, r.threshold_minor, r.`count`, r.window_minutes)],
  CASE a.channel ${channel_topics} END
FROM raised_alerts AS r
CROSS JOIN LATERAL TABLE(make_alerts(
    ENCODE(r.entry_id, 'UTF-8'), ENCODE(r.customer_id, 'UTF-8'), ENCODE(r.setting_id, 'UTF-8'),
    r.channels, r.address_channels, r.addresses))
  AS a(alert_id, channel, address)
WHERE a.address IS NOT NULL
