-- The whole chain in plain Flink SQL: bookings, who might see the account, what they asked for, alerts, a topic for each
-- channel. It reads what the topics hold now and prints the alerts that the alerting job gives for it. Where it differs, and
-- why the job runs something else: docs/decisions/0015-plain-sql-as-reference.md.
SET 'table.display.max-column-width' = '64';

-- Versions: a change holds for bookings that were written ${effect_delay} s after it, or later.
ALTER TABLE account_authorizations ADD (
  holds_from AS written_at + INTERVAL '${effect_delay}' SECOND, WATERMARK FOR holds_from AS holds_from
);
ALTER TABLE alert_settings ADD (
  holds_from AS written_at + INTERVAL '${effect_delay}' SECOND, WATERMARK FOR holds_from AS holds_from
);

-- Each booking beside each setting of its account and currency that held when it was written.
CREATE TEMPORARY VIEW booked_settings AS
SELECT
  b.entry_id, b.account_id, b.currency, b.amount_minor, b.credit_debit = 'CRDT' AS is_credit, b.balance_minor, b.booked_at,
  b.entry_type, b.written_at, c.customer_id, s.`language`, w.setting_id, w.alert_type, w.threshold_minor, w.`count`,
  w.window_minutes, w.channels,
  JSON_QUERY(JSON_STRING(s.addresses), '$$[*].channel' RETURNING ARRAY<STRING>) AS address_channels,
  JSON_QUERY(JSON_STRING(s.addresses), '$$[*].address' RETURNING ARRAY<STRING>) AS addresses
FROM bookings AS b
JOIN account_authorizations FOR SYSTEM_TIME AS OF b.written_at AS a ON a.account_id = b.account_id
CROSS JOIN UNNEST(a.customer_ids) AS c (customer_id)
JOIN alert_settings FOR SYSTEM_TIME AS OF b.written_at AS s ON s.customer_id = c.customer_id
CROSS JOIN UNNEST(s.settings) AS w
WHERE w.account_id = b.account_id AND w.currency = b.currency
  AND CARDINALITY(ARRAY_EXCEPT(w.channels, ARRAY['EMAIL', 'SMS', 'PUSH'])) = 0;

-- Card payments, to be counted in a sliding window of each setting's own length.
CREATE TEMPORARY VIEW counted_bookings AS
SELECT
  account_id, currency, customer_id, setting_id, entry_id, amount_minor, balance_minor, booked_at,
  CAST(written_at AS TIMESTAMP_LTZ(3)) AS rules_time,
  ARRAY[CAST(
    ROW(customer_id, setting_id, `count`, window_minutes, `language`, channels, address_channels, addresses, CAST(NULL AS BIGINT))
    AS ROW<customer_id STRING, setting_id STRING, `count` INT, window_minutes INT, `language` STRING,
      channels ARRAY<STRING>, address_channels ARRAY<STRING>, addresses ARRAY<STRING>, valid_to BIGINT>)] AS rules
FROM booked_settings
WHERE alert_type = 'TRANSACTION_COUNT' AND entry_type = 'CARD' AND `count` IS NOT NULL AND window_minutes IS NOT NULL;

-- What decides on settings about amounts. When one is raised: the job's own conditions, sql/alerting/raised_settings.sql.
CREATE TEMPORARY VIEW candidates AS
SELECT
  entry_id, account_id, amount_minor, is_credit, balance_minor, customer_id, setting_id, alert_type, threshold_minor, channels,
  address_channels, addresses, FALSE AS ended
FROM booked_settings
WHERE alert_type <> 'TRANSACTION_COUNT';
${raised_settings};

-- The alerts: one for each channel of a raised setting and address of the customer (udfs/alerts.py). An alert has a row for
-- each of its reasons.
SELECT
  CASE a.channel ${channel_topics} END AS topic, a.alert_id, r.customer_id, a.address, r.account_id, r.entry_id, r.setting_id,
  r.alert_type
FROM (
  SELECT customer_id, account_id, entry_id, setting_id, alert_type, channels, address_channels, addresses
  FROM raised_settings
  UNION ALL
  SELECT customer_id, account_id, entry_id, setting_id, 'TRANSACTION_COUNT', channels, address_channels, addresses
  FROM count_card_bookings(
    booking => TABLE counted_bookings PARTITION BY (account_id, currency, customer_id, setting_id),
    reach => CAST(${count_reach} AS BIGINT), kept => CAST(${count_kept} AS BIGINT), uid => 'count-card-bookings')
) AS r
CROSS JOIN LATERAL TABLE(make_alerts(
  ENCODE(r.entry_id, 'UTF-8'), ENCODE(r.customer_id, 'UTF-8'), r.channels, r.address_channels, r.addresses))
  AS a (alert_id, channel, address)
WHERE a.address IS NOT NULL;
