"""The gateways: SMTP, SMPP, SMS by HTTP, and push (Web Push, FCM, APNs)."""
