-- What an analyst's rule finds, for the job that finds the customers. Bookings from before the rule was started are there
-- for the rule to know what was; they raise nothing.
INSERT INTO rule_hits
SELECT
  '${rule}', entry_id, ${rule_customer}, account_id, currency, amount_minor, balance_minor,
  EXTRACT(EPOCH FROM booked_at) * 1000 + EXTRACT(MILLISECOND FROM booked_at),
  EXTRACT(EPOCH FROM written_at) * 1000 + EXTRACT(MILLISECOND FROM written_at),
  ${rule_threshold}, '${rule_channels}', ${rule_per_minute}
FROM found
WHERE written_at >= TO_TIMESTAMP_LTZ(${rule_since}, 3)
