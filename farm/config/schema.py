"""The JSON schema of experiment files, for editors and checkers."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from farm.config.experiment import Experiment


class _Quiet(GenerateJsonSchema):
    # A model's empty params have no JSON form of their own; the schema then says no default, which is right.
    ignored_warning_kinds = {*GenerateJsonSchema.ignored_warning_kinds, "non-serializable-default"}  # noqa: RUF012  # pydantic's


def experiment_schema() -> dict[str, Any]:
    """The JSON schema (2020-12) that every experiment file fits, ``docs/schema.json`` in the project."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Experiment.model_json_schema(schema_generator=_Quiet),
    }
