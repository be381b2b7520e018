-- The customers, with the language and the time zone they are addressed in.
CREATE TEMPORARY VIEW customers AS
SELECT customer_id, `language`, time_zone, quiet_from, quiet_to, digest
FROM alert_settings
