-- How many bookings of each kind the topic holds, and how many that cannot be read; the alerting job's place in it is
-- left alone.
SET 'execution.runtime-mode' = 'batch';

SELECT
  COALESCE(decode_error, entry_type) AS kind,
  credit_debit,
  COUNT(*) AS bookings
FROM account_entries /*+ OPTIONS(
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset',
  'properties.group.id' = 'adhoc'
) */
GROUP BY COALESCE(decode_error, entry_type), credit_debit;
