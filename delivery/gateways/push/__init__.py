"""Push by Web Push, FCM and APNs."""
