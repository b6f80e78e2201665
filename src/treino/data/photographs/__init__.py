"""Photographs: folders and archives of picture files, decoded once into pixels of one size."""
