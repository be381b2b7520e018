-- When a setting is raised. A candidate is a booking beside a setting of its account and currency that held at its rules_time
-- (java/, TemporalJoin); of the settings that count card bookings only those that the booking raises. The last candidate of a
-- booking has no setting. The amounts are compared first: they rule most out, and cost the least. Where a booking has no
-- balance, no setting about balances is raised.
CREATE TEMPORARY VIEW raised_settings AS
SELECT *
FROM candidates
WHERE
  -- The booking took the balance over the threshold: only a credit can, and without it the balance was not over. Where
  -- that was less than 64 bits hold, the difference wraps around and is larger than the balance.
  (balance_minor > threshold_minor AND alert_type = 'BALANCE_ABOVE' AND is_credit
    AND (balance_minor - amount_minor <= threshold_minor OR balance_minor - amount_minor > balance_minor))
  -- The booking took the balance under the threshold: only a debit can, and without it the balance was not under.
  OR (balance_minor < threshold_minor AND alert_type = 'BALANCE_BELOW' AND NOT is_credit
    AND (balance_minor + amount_minor >= threshold_minor OR balance_minor + amount_minor < balance_minor))
  OR (amount_minor > threshold_minor AND alert_type = 'CREDITED_ABOVE' AND is_credit)
  OR (amount_minor > threshold_minor AND alert_type = 'DEBITED_ABOVE' AND NOT is_credit)
  -- The number of card bookings in its window has been reached: only then it is a candidate.
  OR alert_type = 'TRANSACTION_COUNT'
  -- The end of a booking, behind which its alerts are made.
  OR ended
