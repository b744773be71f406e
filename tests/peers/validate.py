"""Says of each TOML file whether a JSON Schema allows it, one line each: `allowed`, or `refused:` and why."""

import json
import sys
import tomllib

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

schema_path, *paths = sys.argv[1:]
with open(schema_path, encoding="utf-8") as file:
    schema = json.load(file)
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
for path in paths:
    with open(path, "rb") as file:
        error = best_match(validator.iter_errors(tomllib.load(file)))
    print("allowed" if error is None else f"refused: {error.json_path}: {error.message}")
