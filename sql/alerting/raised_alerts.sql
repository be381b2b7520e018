-- What a booking raised for a customer: the channels to tell them on, and for each channel the settings that are the reasons,
-- the most important first (java/, CollectReasons).
CREATE TEMPORARY VIEW raised_alerts AS
SELECT
  booking.entry_id AS entry_id, booking.account_id AS account_id, booking.currency AS currency,
  booking.amount_minor AS amount_minor, booking.is_credit AS is_credit, booking.balance_minor AS balance_minor,
  booking.booked_at AS booked_at, booking.entry_type AS entry_type, booking.merchant_name AS merchant_name,
  booking.merchant_category AS merchant_category, booking.country AS country, booking.counterparty AS counterparty,
  booking.description AS description, booking.counterparty_name AS counterparty_name,
  booking.card_last_four AS card_last_four, booking.original_currency AS original_currency,
  booking.original_amount_minor AS original_amount_minor, booking.reversal AS reversal,
  customer.customer_id AS customer_id, customer.`language` AS `language`,
  customer.address_channels AS address_channels, customer.addresses AS addresses, channels, reasons
FROM raised_bookings
