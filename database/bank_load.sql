-- What `alerts bank load` does with the records it has copied into tables of its own.
CREATE TEMPORARY TABLE new_customers ON COMMIT DROP AS
    SELECT customer_id, language, time_zone, quiet_from, quiet_to, digest FROM customers WITH NO DATA;
CREATE TEMPORARY TABLE new_addresses ON COMMIT DROP AS
    SELECT customer_id, channel, address FROM addresses WITH NO DATA;
CREATE TEMPORARY TABLE new_preferences ON COMMIT DROP AS
    SELECT customer_id, setting_id, account_id, currency, alert_type, channels, threshold_minor, count, window_minutes,
        snoozed_until
    FROM preferences WITH NO DATA;
CREATE TEMPORARY TABLE new_accounts ON COMMIT DROP AS SELECT * FROM accounts WITH NO DATA;
CREATE TEMPORARY TABLE new_rights ON COMMIT DROP AS SELECT * FROM access_rights WITH NO DATA;

-- merge
ANALYZE new_customers, new_addresses, new_preferences, new_accounts, new_rights;

INSERT INTO accounts
SELECT account_id FROM new_accounts UNION SELECT account_id FROM new_preferences
ON CONFLICT DO NOTHING;

INSERT INTO customers (customer_id, language, time_zone, quiet_from, quiet_to, digest)
SELECT * FROM new_customers
ON CONFLICT (customer_id) DO UPDATE SET
    language = excluded.language,
    time_zone = excluded.time_zone,
    quiet_from = excluded.quiet_from,
    quiet_to = excluded.quiet_to,
    digest = excluded.digest
WHERE (customers.language, customers.time_zone, customers.quiet_from, customers.quiet_to, customers.digest)
    IS DISTINCT FROM (excluded.language, excluded.time_zone, excluded.quiet_from, excluded.quiet_to, excluded.digest);

INSERT INTO customers (customer_id)
SELECT DISTINCT customer_id FROM new_rights
ON CONFLICT DO NOTHING;

DELETE FROM addresses AS old
WHERE customer_id IN (SELECT customer_id FROM new_customers)
    AND NOT EXISTS (
        SELECT FROM new_addresses AS new
        WHERE (new.customer_id, new.channel, new.address) = (old.customer_id, old.channel, old.address)
    );
-- The bank knows what it loads: an address that waited for its code is confirmed by it.
INSERT INTO addresses (customer_id, channel, address)
SELECT * FROM new_addresses
ON CONFLICT (customer_id, channel, address) DO UPDATE SET confirmed_at = now()
WHERE addresses.confirmed_at IS NULL;

DELETE FROM preferences AS old
WHERE customer_id IN (SELECT customer_id FROM new_customers)
    AND NOT EXISTS (
        SELECT FROM new_preferences AS new
        WHERE (new.customer_id, new.setting_id) = (old.customer_id, old.setting_id)
    );
INSERT INTO preferences (
    customer_id, setting_id, account_id, currency, alert_type, channels, threshold_minor, count, window_minutes,
    snoozed_until
)
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
WHERE (
    preferences.account_id, preferences.currency, preferences.alert_type, preferences.channels,
    preferences.threshold_minor, preferences.count, preferences.window_minutes, preferences.snoozed_until
) IS DISTINCT FROM (
    excluded.account_id, excluded.currency, excluded.alert_type, excluded.channels,
    excluded.threshold_minor, excluded.count, excluded.window_minutes, excluded.snoozed_until
);

DELETE FROM access_rights AS old
WHERE account_id IN (SELECT account_id FROM new_accounts)
    AND NOT EXISTS (
        SELECT FROM new_rights AS new
        WHERE (new.account_id, new.customer_id) = (old.account_id, old.customer_id)
    );
INSERT INTO access_rights
SELECT * FROM new_rights
ON CONFLICT DO NOTHING;
