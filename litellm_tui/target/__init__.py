"""Which gateway is operated: settings file, profiles, their resolution, and the key."""
