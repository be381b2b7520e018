-- A reminder for each address on a channel that the customer agreed to; make_reminders (udfs/reminders.py) makes them.
-- Addresses and settings go to Python as JSON: in thread mode Flink makes all rows of an array one, and fails at a null.
CREATE TEMPORARY VIEW reminders AS
SELECT
  r.customer_id, r.application_id, r.product, r.occurred_at, r.rules_time, r.`language`,
  m.alert_id, m.channel, m.address, m.setting_id, m.account_id, m.currency
FROM due_reminders AS r
CROSS JOIN LATERAL TABLE(make_reminders(
    ENCODE(r.application_id, 'UTF-8'), ENCODE(r.customer_id, 'UTF-8'),
    JSON_STRING(r.addresses), JSON_STRING(r.settings)))
  AS m (alert_id, channel, address, setting_id, account_id, currency)
