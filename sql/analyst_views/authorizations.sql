-- Who may see which account: a row for each customer of an account.
CREATE TEMPORARY VIEW authorizations AS
SELECT a.account_id, c.customer_id
FROM account_authorizations AS a
CROSS JOIN UNNEST(a.customer_ids) AS c (customer_id)
