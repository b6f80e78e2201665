"""Read photographs: picture files in folders and archives, decoded once into pixels of one size."""
