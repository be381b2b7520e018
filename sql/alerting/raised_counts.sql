-- When an alert about a number of card bookings is raised: count_card_bookings (java/, CountCardBookings) remembers the
-- bookings of accounts that have such a rule in the currency, and nothing of any other. A job that begins anew counts all
-- bookings that Kafka has, and raises what was not raised before (docs/operations/upgrades.md, "Rebuild").
CREATE TEMPORARY VIEW raised_counts AS
SELECT
  entry_id, account_id, currency, amount_minor, balance_minor, booked_at, customer_id, setting_id,
  'TRANSACTION_COUNT' AS alert_type, CAST(NULL AS BIGINT) AS threshold_minor, `count`, window_minutes, `language`,
  channels, address_channels, addresses
FROM count_card_bookings(
  booking => TABLE counted_bookings PARTITION BY (account_id, currency),
  reach => CAST(${count_reach} AS BIGINT),
  kept => CAST(${count_kept} AS BIGINT),
  uid => 'count-card-bookings')
WHERE rules_time >= TO_TIMESTAMP_LTZ(${raise_from}, 3)
