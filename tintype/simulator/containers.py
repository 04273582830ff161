"""The life of a publishing container, as a rule without effects, and the codes it can end with."""

from tintype.simulator.errors import GraphError
from tintype.simulator.model import DAY, Container
from tintype.simulator.settings import Settings

STATUSES = ("IN_PROGRESS", "FINISHED", "ERROR", "EXPIRED", "PUBLISHED")
IMAGE_POLLS, VIDEO_POLLS = 1, 3  # reads that still say IN_PROGRESS
IMAGE_SECONDS, VIDEO_SECONDS = 5, 30  # after which it is ready even if nobody looked

TEXTS = {
    "IN_PROGRESS": "In Progress: Media is still being processed.",
    "FINISHED": "Finished: Media has been uploaded and it is ready to be published.",
    "EXPIRED": "Expired: Media was not published within 24 hours.",
    "PUBLISHED": "Published: Media has been published.",
}
UNKNOWN_FAILURE = 2207082

REFUSALS: dict[int, tuple[int, str, str, str]] = {
    2207001: (-1, "An error occurred", "Instagram server error", "Something went wrong at Instagram. Try again."),
    2207003: (-2, "Timeout", "Timeout", "It took too long to download the media."),
    2207004: (
        36000,
        "The image size is too large.",
        "Image size too large",
        "The image is too large to download. It should be less than 8 MiB.",
    ),
    2207005: (36001, "The image format is not supported.", "Unsupported format", "Only JPEG images are supported."),
    2207006: (24, "The requested resource does not exist", "Media not found", "No media with this id was found."),
    2207008: (24, "The requested resource does not exist", "Media builder not found", "The container is gone."),
    2207009: (
        36003,
        "The aspect ratio is not supported.",
        "Aspect ratio",
        "The submitted image has an aspect ratio outside 4:5 to 1.91:1.",
    ),
    2207010: (36004, "The caption is too long.", "Caption too long", "A caption has at most 2,200 characters."),
    2207018: (110, "Invalid user id", "Invalid username", "The username is not a valid collaborator."),
    2207020: (-2, "Media expired", "Media expired", "The media has expired; create a new container."),
    2207023: (100, "Unknown media type", "Unknown media type", "The media type is not one that can be published."),
    2207026: (352, "The video format is not supported.", "Unsupported video", "Use MP4 or MOV with H.264."),
    2207027: (
        9007,
        "Media ID is not available",
        "Cannot publish",
        "The media is not ready to be published. Please wait a moment.",
    ),
    2207028: (100, "Invalid parameter", "Carousel", "A carousel needs between 2 and 10 items."),
    2207032: (-1, "An error occurred", "Create media failed", "The container could not be created. Try again."),
    2207040: (100, "Invalid parameter", "Too many tags", "At most 20 people can be mentioned."),
    2207042: (9, "Application request limit reached", "Limit reached", "The account reached its posts for today."),
    2207050: (25, "User access is restricted", "Restricted", "The account is restricted; open the app to continue."),
    2207051: (
        4,
        "Application request limit reached",
        "action is blocked",
        "We restrict certain activity to protect our community. Tell us if you think we made a mistake.",
    ),
    2207052: (
        9004,
        "Only photo or video can be accepted as media type.",
        "Media download has failed. The media URI doesn't meet our requirements.",
        "The media could not be fetched from this URI.",
    ),
    2207053: (-1, "An error occurred", "Upload error", "The upload failed for an unknown reason."),
    2207057: (1, "Invalid thumbnail offset", "Thumbnail", "The thumbnail offset lies outside the video."),
    2207089: (
        100,
        "Invalid parameter",
        "Carousel item cannot be published standalone",
        (
            "Media created with media_type=VIDEO is a carousel item and cannot be published as a standalone post. To "
            "publish a standalone video, use media_type=REELS instead."
        ),
    ),
}
AT_ONCE = frozenset({2207001, 2207003, 2207004, 2207005, 2207009, 2207032, 2207050, 2207052})  # told by POST /media


def refusal(subcode: int, text: str | None = None) -> GraphError:
    """The documented error with this subcode."""
    code, message, title, words = REFUSALS[subcode]
    return GraphError(code, message, subcode, transient=False, title=title, text=text or words)


def is_video(container: Container) -> bool:
    """Whether a clip has to be transcoded."""
    return container.kind in ("VIDEO", "REELS") or (container.kind == "STORIES" and "image_url" not in container.params)


def complete(container: Container) -> bool:
    """Whether all bytes of a resumable upload are there."""
    return not container.resumable or (container.file_size > 0 and len(container.uploaded) >= container.file_size)


def status_code(container: Container, now: float, settings: Settings) -> str:
    """Where a container stands: IN_PROGRESS, FINISHED, ERROR, EXPIRED or PUBLISHED."""
    if container.media_id:
        return "PUBLISHED"
    if container.forced:
        return container.forced
    age = now - container.created_at
    if age > DAY:
        return "EXPIRED"
    if not complete(container) or not _ready(container, age, settings):
        return "IN_PROGRESS"
    return "ERROR" if container.error else "FINISHED"


def _ready(container: Container, age: float, settings: Settings) -> bool:
    if settings.container_seconds is not None:
        return age >= settings.container_seconds
    video = is_video(container)
    polls, seconds = (VIDEO_POLLS, VIDEO_SECONDS) if video else (IMAGE_POLLS, IMAGE_SECONDS)
    return container.polls > polls or age >= seconds


def status_text(container: Container, code: str) -> str:
    """The sentence beside the code; for ERROR it ends in the subcode."""
    failure = f"Error: Media upload has failed with error code {container.error or UNKNOWN_FAILURE}"
    return TEXTS.get(code, failure)
