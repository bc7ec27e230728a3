"""The rules as data: default YAML files and the frozen types they load into."""
