-- When the circuit breaker of a rule is closed: it was started (its key is the rule's name), or an operator decided on its
-- quarantined alerts. Milliseconds.
CREATE TEMPORARY VIEW breaker_resets AS
SELECT rule, reset_at
FROM (
  SELECT
    REGEXP_EXTRACT(DECODE(record_key, 'UTF-8'), '^([^:]+)(:held)?$$', 1) AS rule,
    EXTRACT(EPOCH FROM written_at) * 1000 + EXTRACT(MILLISECOND FROM written_at) AS reset_at
  FROM analyst_rules
  WHERE record IS NOT NULL
)
WHERE rule IS NOT NULL
