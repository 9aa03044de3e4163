"""Fallbacks and aliases: the routing tables, a simulation of the router, and what happens if groups are down."""
