"""The gateways: SMTP (email), SMPP and HTTP (sms), Web Push, FCM and APNs (push)."""
