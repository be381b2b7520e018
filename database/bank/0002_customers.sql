-- Customers, their accounts, where they are reached, and what they asked to hear about.

CREATE TABLE customers (
    customer_id text PRIMARY KEY CHECK (customer_id <> ''),
    language    text NOT NULL DEFAULT 'en' CHECK (language ~ '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$'),
    time_zone   text NOT NULL DEFAULT 'UTC' REFERENCES time_zones,
    quiet_from  text CHECK (quiet_from ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
    quiet_to    text CHECK (quiet_to ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
    digest      text CHECK (digest IN ('HOURLY', 'DAILY')),
    CONSTRAINT quiet_hours_have_both_ends CHECK ((quiet_from IS NULL) = (quiet_to IS NULL))
);
COMMENT ON COLUMN customers.language IS 'BCP 47';
COMMENT ON COLUMN customers.quiet_from IS 'HH:MM in the customer''s time zone; alerts are held from then on';
COMMENT ON COLUMN customers.quiet_to IS 'HH:MM in the customer''s time zone; what was held is sent then';
COMMENT ON COLUMN customers.digest IS 'One message for many alerts; null: one for each';

CREATE TABLE accounts (
    account_id text PRIMARY KEY CHECK (account_id <> '')
);

CREATE TABLE access_rights (
    account_id  text NOT NULL REFERENCES accounts ON DELETE CASCADE,
    customer_id text NOT NULL REFERENCES customers ON DELETE CASCADE,
    PRIMARY KEY (account_id, customer_id)
);
CREATE INDEX ON access_rights (customer_id);
COMMENT ON TABLE access_rights IS 'Which customers may see which account';

CREATE TABLE addresses (
    customer_id text NOT NULL REFERENCES customers ON DELETE CASCADE,
    channel     text NOT NULL CHECK (channel IN ('EMAIL', 'SMS', 'PUSH')),
    address     text NOT NULL CHECK (address <> ''),
    PRIMARY KEY (customer_id, channel, address),
    CONSTRAINT push_goes_to_the_customers_devices CHECK (channel <> 'PUSH' OR address = customer_id)
);
COMMENT ON COLUMN addresses.address IS 'E-mail address, phone number; for PUSH the customer_id';

CREATE TABLE preferences (
    customer_id     text NOT NULL REFERENCES customers ON DELETE CASCADE,
    setting_id      text NOT NULL CHECK (setting_id <> ''),
    account_id      text NOT NULL REFERENCES accounts ON DELETE CASCADE,
    currency        text NOT NULL REFERENCES currencies,
    alert_type      text NOT NULL CHECK (alert_type IN (
        'BALANCE_ABOVE', 'BALANCE_BELOW', 'CREDITED_ABOVE', 'DEBITED_ABOVE', 'TRANSACTION_COUNT',
        'APPLICATION_REMINDER'
    )),
    channels        text[] NOT NULL CHECK (
        channels <@ ARRAY['EMAIL', 'SMS', 'PUSH'] AND array_ndims(channels) = 1
        AND array_position(channels, NULL) IS NULL
    ),
    threshold_minor bigint,
    count           integer CHECK (count >= 0),
    window_minutes  integer CHECK (window_minutes > 0),
    snoozed_until   timestamptz(3) CHECK (isfinite(snoozed_until)),
    PRIMARY KEY (customer_id, setting_id),
    CONSTRAINT amounts_have_a_threshold CHECK (
        alert_type IN ('TRANSACTION_COUNT', 'APPLICATION_REMINDER') OR threshold_minor IS NOT NULL
    ),
    CONSTRAINT counts_have_a_count_and_a_window CHECK (
        alert_type <> 'TRANSACTION_COUNT' OR (count IS NOT NULL AND window_minutes IS NOT NULL)
    )
);
CREATE INDEX ON preferences (account_id);
COMMENT ON TABLE preferences IS 'What a customer wants to hear about one account in one currency';
COMMENT ON COLUMN preferences.setting_id IS 'The customer''s own; chosen by the bank';
COMMENT ON COLUMN preferences.threshold_minor IS 'In the currency''s minor unit: EUR cents, JPY yen';
COMMENT ON COLUMN preferences.count IS 'More card payments than so many within the window';
COMMENT ON COLUMN preferences.snoozed_until IS 'Not a message before';
