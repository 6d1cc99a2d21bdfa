"""Put into the wheel what the study reads besides its code; an editable install reads it where it stands."""

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

READ = (
    "notebooks",
    "paper",
    "data/sources.toml",
    "data/raw",
    "data/processed",
    "data/survey",
    "requirements.lock",
    "CITATION.cff",
)


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        if version == "standard":
            build_data["force_include"] |= {name: f"socialcommerce/files/{name}" for name in READ}
