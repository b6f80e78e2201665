"""What the doctor says: findings as text, JSON and patches, and the proof of a fix."""
