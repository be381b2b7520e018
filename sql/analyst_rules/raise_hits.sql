-- What an analyst's rule finds, for the job that finds the customers. Bookings from before the rule was started are there
-- for the rule to know what was; they raise nothing. What an outer join leaves empty is no booking, and nobody's.
INSERT INTO rule_hits
SELECT
  '${rule}', ${rule_entry}, ${rule_customer}, account_id, currency, amount_minor, balance_minor,
  EXTRACT(EPOCH FROM booked_at) * 1000 + EXTRACT(MILLISECOND FROM booked_at),
  EXTRACT(EPOCH FROM written_at) * 1000 + EXTRACT(MILLISECOND FROM written_at),
  ${rule_threshold}, '${rule_channels}', ${rule_per_minute}
FROM found
WHERE written_at >= TO_TIMESTAMP_LTZ(${rule_since}, 3)
  AND entry_id IS NOT NULL AND account_id IS NOT NULL AND currency IS NOT NULL AND amount_minor IS NOT NULL
  AND booked_at IS NOT NULL AND ${rule_named}
