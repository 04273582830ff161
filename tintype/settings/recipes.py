"""How recipes are made of posts, and where they go."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from tintype.settings.names import names


class RecipeSettings(BaseSettings):
    """How recipes are made of posts, and where they go."""

    queue_api_key: SecretStr | None = Field(
        None,
        validation_alias=names("QUEUE_API_KEY"),
        description="When set, the recipe queue asks for it: in X-API-Key, as a Bearer token, or in a page's cookie.",
    )
    recipes_at_once: int = Field(
        8, gt=0, validation_alias=names("RECIPES_AT_ONCE"), description="Recipes that one process works at a time."
    )
    queue_streams_per_client: int = Field(
        10,
        ge=0,
        validation_alias=names("QUEUE_STREAMS_PER_CLIENT"),
        description="Streams of /api/queue/stream one address may hold open; 0: any number.",
    )
    recipe_outlet: Literal["auto", "none", "folder", "tandoor", "mealie"] = Field(
        "auto",
        validation_alias=names("RECIPE_OUTLET"),
        description="Where recipes go; auto: to Tandoor or Mealie, where one is set, else to RECIPE_FOLDER, else nowhere.",
    )
    recipe_folder: Path | None = Field(
        None,
        validation_alias=names("RECIPE_FOLDER"),
        description="Folder that takes recipes as JSON-LD with their pictures.",
    )
    recipe_review_below: float | None = Field(
        None,
        gt=0,
        le=1,
        validation_alias=names("RECIPE_REVIEW_BELOW"),
        description="Confidence from 0 to 1 below which a recipe waits for a person before it is put away; unset: never.",
    )
    recipe_follow_links: bool = Field(
        True,
        validation_alias=names("RECIPE_FOLLOW_LINKS"),
        description="Read the pages that a post links to, where its own words hold no whole recipe.",
    )
    recipe_read_pictures: bool = Field(
        True,
        validation_alias=names("RECIPE_READ_PICTURES"),
        description="Read the words on a post's pictures, where the extra `ocr` is installed and its text is no recipe.",
    )
    tandoor_url: str | None = Field(
        None, validation_alias=names("TANDOOR_URL", "TANDOOR_SERVER_URL"), description="Address of your Tandoor."
    )
    tandoor_token: SecretStr | None = Field(
        None,
        validation_alias=names("TANDOOR_TOKEN", "TANDOOR_API_TOKEN"),
        description="Token of Tandoor with the scope write, made in its settings under API.",
    )
    mealie_url: str | None = Field(None, validation_alias=names("MEALIE_URL"), description="Address of your Mealie.")
    mealie_token: SecretStr | None = Field(
        None, validation_alias=names("MEALIE_TOKEN", "MEALIE_API_TOKEN"), description="API token of Mealie."
    )
    llm_base_url: str | None = Field(
        None,
        validation_alias=names("LLM_BASE_URL", "OPENAI_BASE_URL"),
        description="OpenAI-compatible server that helps with texts that rules cannot read; without it nobody is asked.",
    )
    llm_api_key: SecretStr | None = Field(
        None,
        validation_alias=names("LLM_API_KEY", "OPENAI_API_KEY"),
        description="Key of that server, if it wants one.",
    )
    llm_model: str | None = Field(
        None, validation_alias=names("LLM_MODEL"), description="Model that reads texts on that server."
    )
    llm_seconds: float = Field(
        90.0,
        gt=0,
        validation_alias=names("LLM_SECONDS"),
        description="Time that server may take for one recipe, in all.",
    )
    llm_max_tokens: int = Field(
        2000,
        gt=0,
        validation_alias=names("LLM_MAX_TOKENS"),
        description="Tokens of an answer; one that was cut off gets three times as many.",
    )
    llm_vision_model: str | None = Field(
        None,
        validation_alias=names("LLM_VISION_MODEL"),
        description="Model on that server that sees: it is shown pictures whose words say too little; without it none.",
    )
    llm_send_media: bool = Field(
        True,
        validation_alias=names("LLM_SEND_MEDIA"),
        description="When false, no picture and no sound leaves for a model, whatever else is set.",
    )
    transcription_base_url: str | None = Field(
        None,
        validation_alias=names("TRANSCRIPTION_BASE_URL"),
        description="OpenAI-compatible server that writes down what is said in videos; default LLM_BASE_URL.",
    )
    transcription_model: str | None = Field(
        None,
        validation_alias=names("TRANSCRIPTION_MODEL"),
        description="Model that listens there; with neither of the two nobody listens.",
    )
    transcription_api_key: SecretStr | None = Field(
        None,
        validation_alias=names("TRANSCRIPTION_API_KEY"),
        description="Key of that server; default LLM_API_KEY, where it is the same server.",
    )
    transcription_seconds: float = Field(
        60.0,
        gt=0,
        validation_alias=names("TRANSCRIPTION_SECONDS"),
        description="Time one video may take there; it is a part of LLM_SECONDS.",
    )
