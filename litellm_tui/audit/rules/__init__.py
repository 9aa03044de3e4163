"""The rules, one module for each part of the configuration; a module's name is the subject of its rules."""
