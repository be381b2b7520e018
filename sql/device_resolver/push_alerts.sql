-- Push alerts, for the device service to be asked; times are milliseconds UTC. One that cannot be used has no customer, but its
-- reason, and all that its dead letter needs: it passes as it is.
CREATE TEMPORARY VIEW push_alerts AS
SELECT
  alert_id, CASE WHEN reason IS NULL THEN customer_id END AS customer_id, channel, alert_type, account_id, currency, entry_id,
  setting_id,
  EXTRACT(EPOCH FROM booked_at) * 1000 + EXTRACT(MILLISECOND FROM booked_at) AS booked_at,
  EXTRACT(EPOCH FROM raised_at) * 1000 + EXTRACT(MILLISECOND FROM raised_at) AS raised_at,
  `language`, params, reasons, reason,
  CASE WHEN reason IS NOT NULL THEN customer_key END AS customer_key,
  CASE WHEN reason IS NOT NULL THEN record END AS record,
  source_partition, source_offset
FROM checked_push
