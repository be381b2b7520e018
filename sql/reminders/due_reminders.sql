-- Reminders that are due, with times in milliseconds, for Python.
CREATE TEMPORARY VIEW due_reminders AS
SELECT
  customer_id, application_id, product,
  EXTRACT(EPOCH FROM occurred_at) * 1000 + EXTRACT(MILLISECOND FROM occurred_at) AS begun_ms,
  EXTRACT(EPOCH FROM due_at) * 1000 + EXTRACT(MILLISECOND FROM due_at) AS due_ms
FROM unfinished_applications
