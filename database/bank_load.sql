-- What `alerts bank load` does with the records it has copied into tables of its own.
CREATE TEMPORARY TABLE new_customers ON COMMIT DROP AS SELECT * FROM customers WITH NO DATA;
CREATE TEMPORARY TABLE new_addresses ON COMMIT DROP AS SELECT * FROM addresses WITH NO DATA;
CREATE TEMPORARY TABLE new_preferences ON COMMIT DROP AS SELECT * FROM preferences WITH NO DATA;
CREATE TEMPORARY TABLE new_accounts ON COMMIT DROP AS SELECT * FROM accounts WITH NO DATA;
CREATE TEMPORARY TABLE new_rights ON COMMIT DROP AS SELECT * FROM access_rights WITH NO DATA;

-- merge
ANALYZE new_customers, new_addresses, new_preferences, new_accounts, new_rights;

INSERT INTO accounts
SELECT account_id FROM new_accounts UNION SELECT account_id FROM new_preferences
ON CONFLICT DO NOTHING;

INSERT INTO customers
SELECT * FROM new_customers
ON CONFLICT (customer_id) DO UPDATE SET
    language = excluded.language,
    time_zone = excluded.time_zone,
    quiet_from = excluded.quiet_from,
    quiet_to = excluded.quiet_to,
    digest = excluded.digest
WHERE customers IS DISTINCT FROM excluded;

INSERT INTO customers (customer_id)
SELECT DISTINCT customer_id FROM new_rights
ON CONFLICT DO NOTHING;

DELETE FROM addresses AS old
WHERE customer_id IN (SELECT customer_id FROM new_customers)
    AND NOT EXISTS (
        SELECT FROM new_addresses AS new
        WHERE (new.customer_id, new.channel, new.address) = (old.customer_id, old.channel, old.address)
    );
INSERT INTO addresses
SELECT * FROM new_addresses
ON CONFLICT DO NOTHING;

DELETE FROM preferences AS old
WHERE customer_id IN (SELECT customer_id FROM new_customers)
    AND NOT EXISTS (
        SELECT FROM new_preferences AS new
        WHERE (new.customer_id, new.setting_id) = (old.customer_id, old.setting_id)
    );
INSERT INTO preferences
SELECT * FROM new_preferences
ON CONFLICT (customer_id, setting_id) DO UPDATE SET
    account_id = excluded.account_id,
    currency = excluded.currency,
    alert_type = excluded.alert_type,
    channels = excluded.channels,
    threshold_minor = excluded.threshold_minor,
    count = excluded.count,
    window_minutes = excluded.window_minutes,
    snoozed_until = excluded.snoozed_until
WHERE preferences IS DISTINCT FROM excluded;

DELETE FROM access_rights AS old
WHERE account_id IN (SELECT account_id FROM new_accounts)
    AND NOT EXISTS (
        SELECT FROM new_rights AS new
        WHERE (new.account_id, new.customer_id) = (old.account_id, old.customer_id)
    );
INSERT INTO access_rights
SELECT * FROM new_rights
ON CONFLICT DO NOTHING;
