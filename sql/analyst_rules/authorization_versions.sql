-- Who may see an account, from when on: null where nobody may any more. An unusable record leaves the one before in force.
CREATE TEMPORARY VIEW authorization_versions AS
SELECT account_id, CASE WHEN record IS NOT NULL THEN customer_ids END AS customer_ids, written_at
FROM authorizations
WHERE reason IS NULL
