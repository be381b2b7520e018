-- A booking beside a setting of its account and currency that held at its rules_time (java/, TemporalJoin), with what decides
-- taken out. Of the settings that count card bookings only those are here that the booking raises (SlidingCounts). The last
-- row of a booking has no setting.
CREATE TEMPORARY VIEW candidates AS
SELECT
  booking, customer, setting,
  booking.amount_minor AS amount_minor, booking.is_credit AS is_credit, booking.balance_minor AS balance_minor,
  setting.alert_type AS alert_type, setting.threshold_minor AS threshold_minor
FROM joined
