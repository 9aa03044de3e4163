"""The rehearsal: a configuration started beside the running gateway, looked at as a restart's proof looks, and ended.

`run.rehearse(profile, wish, running)` is what everybody calls; it gives a `model.rehearsal.Rehearsal` and never
raises for what the outside does. `derived.derive(file, environment, *, with_database)` makes the copy that is
started.
"""
