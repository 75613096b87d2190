"""What a request makes impossible: one assessment per carve, its reasons, and the nearest possible request."""
