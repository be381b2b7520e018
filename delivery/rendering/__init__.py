"""What customers read: alerts as mails, SMS and pushes, in their language."""
