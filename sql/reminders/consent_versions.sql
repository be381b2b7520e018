-- What a customer's record says of being reminded, from when on: nulls where they have left. An unusable record leaves the
-- one before in force.
CREATE TEMPORARY VIEW consent_versions AS
SELECT
  customer_id,
  CASE WHEN record IS NOT NULL THEN `language` END AS `language`,
  CASE WHEN record IS NOT NULL THEN addresses END AS addresses,
  CASE WHEN record IS NOT NULL THEN settings END AS settings,
  written_at
FROM settings
WHERE reason IS NULL
