-- What one record may hold at most (docs/concepts/data-contract.md, "Limits"): the jobs would not take more, and what was
-- valid last would stay in force. Rows that are there already are looked at when they change.

ALTER TABLE customers
    ADD CONSTRAINT customer_id_has_at_most_1000_bytes CHECK (octet_length(customer_id) <= 1000) NOT VALID,
    ADD CONSTRAINT language_has_at_most_1000_bytes CHECK (octet_length(language) <= 1000) NOT VALID;
ALTER TABLE accounts
    ADD CONSTRAINT account_id_has_at_most_1000_bytes CHECK (octet_length(account_id) <= 1000) NOT VALID;
ALTER TABLE addresses
    ADD CONSTRAINT address_has_at_most_1000_bytes CHECK (octet_length(address) <= 1000) NOT VALID;
ALTER TABLE preferences
    ADD CONSTRAINT setting_id_has_at_most_1000_bytes CHECK (octet_length(setting_id) <= 1000) NOT VALID,
    ADD CONSTRAINT at_most_10_channels CHECK (cardinality(channels) <= 10) NOT VALID;

-- A record of 1048576 bytes, less what is no text.
ALTER TABLE bookings ADD CONSTRAINT texts_have_at_most_1048000_bytes CHECK (
    octet_length(concat(
        entry_id, account_id, merchant_id, merchant_name, counterparty, description
    )) <= 1048000
) NOT VALID;

-- Told at the commit, when the whole record is known.
ALTER TABLE published.alert_settings
    ADD CONSTRAINT a_customer_has_at_most_5000_settings
        CHECK (jsonb_array_length(record -> 'settings') <= 5000) NOT VALID,
    ADD CONSTRAINT a_customer_has_at_most_100_addresses
        CHECK (jsonb_array_length(record -> 'addresses') <= 100) NOT VALID;
ALTER TABLE published.account_authorizations
    ADD CONSTRAINT an_account_has_at_most_10000_customers
        CHECK (jsonb_array_length(record -> 'customer_ids') <= 10000) NOT VALID;
