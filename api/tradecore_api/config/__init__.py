"""One TOML file, validated: every error names source, key, value and rule."""
