-- Where a customer is reached, from when on: nulls where they have left. An unusable record leaves the one before in force.
CREATE TEMPORARY VIEW contact_versions AS
SELECT
  customer_id,
  CASE WHEN record IS NOT NULL THEN `language` END AS `language`,
  CASE WHEN record IS NOT NULL THEN addresses END AS addresses,
  written_at
FROM settings
WHERE reason IS NULL
