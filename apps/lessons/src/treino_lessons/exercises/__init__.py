"""Exercises: one for each lesson, a function or a class to write, judged by what it answers."""
