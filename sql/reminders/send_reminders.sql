-- A reminder, to the topic of its channel; make_reminders (udfs/reminders.py) makes one for each address on a channel that the
-- customer agreed to. It is about an application and not a booking: entry_id is the application, booked_at when it was begun.
-- Addresses and settings go to Python as JSON: in thread mode Flink makes all rows of an array one, and fails at a null.
INSERT INTO outbound_alerts
SELECT
  r.customer_id, m.alert_id, r.customer_id, m.channel, m.address, 'APPLICATION_REMINDER', m.account_id, m.currency,
  r.application_id, m.setting_id, CAST(r.occurred_at AS TIMESTAMP(3)), CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)),
  r.`language`, MAP['product', r.product, 'application_id', r.application_id],
  ARRAY[ROW(m.setting_id, 'APPLICATION_REMINDER', CAST(NULL AS BIGINT), CAST(NULL AS INT), CAST(NULL AS INT))],
  CASE m.channel ${channel_topics} END
FROM due_reminders AS r
CROSS JOIN LATERAL TABLE(make_reminders(
    ENCODE(r.application_id, 'UTF-8'), ENCODE(r.customer_id, 'UTF-8'),
    JSON_STRING(r.addresses), JSON_STRING(r.settings)))
  AS m (alert_id, channel, address, setting_id, account_id, currency)
