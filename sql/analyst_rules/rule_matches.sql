-- What analysts' rules found, each with rules_time: the time whose authorizations and settings count for its booking. A
-- record that is not whole is no match. found_at is milliseconds.
CREATE TEMPORARY VIEW rule_matches AS
SELECT
  rule, entry_id, customer_id AS named_customer, account_id, currency, amount_minor, balance_minor, threshold_minor,
  TO_TIMESTAMP_LTZ(booked_at, 3) AS booked_at, written_at, channels, per_minute,
  EXTRACT(EPOCH FROM found_at) * 1000 + EXTRACT(MILLISECOND FROM found_at) AS found_at,
  TO_TIMESTAMP_LTZ(written_at, 3) - INTERVAL '${effect_delay}' SECOND AS rules_time
FROM found_bookings
WHERE rule IS NOT NULL AND entry_id IS NOT NULL AND customer_id IS NOT NULL AND account_id IS NOT NULL
  AND currency IS NOT NULL AND amount_minor IS NOT NULL AND channels IS NOT NULL
  AND per_minute IS NOT NULL AND TO_TIMESTAMP_LTZ(booked_at, 3) IS NOT NULL AND TO_TIMESTAMP_LTZ(written_at, 3) IS NOT NULL
