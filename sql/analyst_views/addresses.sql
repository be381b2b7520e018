-- Where customers can be reached: a row for each address. Personal data.
CREATE TEMPORARY VIEW addresses AS
SELECT s.customer_id, a.channel, a.address
FROM alert_settings AS s
CROSS JOIN UNNEST(s.addresses) AS a
