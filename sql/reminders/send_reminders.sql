-- A reminder, to the topic of its channel. It is about an application and not a booking: entry_id is the application,
-- booked_at when it was begun.
INSERT INTO outbound_alerts
SELECT
  customer_id, alert_id, customer_id, channel, address, 'APPLICATION_REMINDER', account_id, currency,
  application_id, setting_id, CAST(occurred_at AS TIMESTAMP(3)), CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)),
  `language`, MAP['product', product, 'application_id', application_id],
  ARRAY[ROW(setting_id, 'APPLICATION_REMINDER', CAST(NULL AS BIGINT), CAST(NULL AS INT), CAST(NULL AS INT))],
  CASE channel ${channel_topics} END
FROM limited_reminders
