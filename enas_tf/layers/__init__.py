"""Layers that several search spaces build on."""
