"""What is deployed: images, manifests, monitoring."""
