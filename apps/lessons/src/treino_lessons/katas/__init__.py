"""Katas: short training scripts with a fault, their stories, and the judgement of a mended one."""
