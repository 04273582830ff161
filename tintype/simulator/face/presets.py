"""Bad days by one click: each begins with calm and then breaks what its name says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tintype.simulator import control, tokens
from tintype.simulator.model import Answer, Token
from tintype.simulator.pull import Pull, WrongPullError
from tintype.simulator.settings import Settings
from tintype.simulator.world import World

PASSWORD_CHANGED = 460
# What a preset may have changed, and calm puts back; addresses and shapes belong to whoever set them.
MOVED = (
    "latency_ms", "container_seconds", "quota_total", "business_usage", "app_usage", "unreadable_after_publish",
    "spam_shield", "development_mode", "testers", "image_lifetime", "video_lifetime", "insights_delay_hours",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preset:
    """A bad day: settings by name, faults as `POST /_world/faults` takes them, and whether all tokens die."""

    title: str
    about: str
    settings: Mapping[str, object] = field(default_factory=dict[str, object])
    faults: tuple[Answer, ...] = ()
    kills: bool = False


def _always(on: str, kind: str, **more: object) -> Answer:
    return {"on": on, "kind": kind, "times": None, **more}


PRESETS: Mapping[str, Preset] = {
    "calm": Preset("Everything calm", "No faults, no latency, no limits. Dead tokens stay dead."),
    "slow": Preset("Instagram is slow", "Each answer takes two and a half seconds.", {"latency_ms": 2500}),
    "flaky": Preset(
        "One call in five fails", "By chance, with 500 and code 2.", faults=(_always("*", "status", chance=0.2),)
    ),
    "down": Preset("Instagram is down", "Each call is answered with 503.", faults=(_always("*", "html", status=503),)),
    "limited": Preset("Rate limited", "The account has used up its calls: 80002.", {"business_usage": 100}),
    "dead": Preset("The token dies", "All tokens: somebody has changed the password (190, 460).", kills=True),
    "checkpoint": Preset(
        "Checkpoint",
        "Instagram wants to know who is there (190, 459), until calm.",
        faults=(_always("*", "status", status=400, code=190, subcode=459),),
    ),
    "lost": Preset(
        "Published, but the answer is lost",
        "The next publish takes effect and its connection is cut.",
        faults=({"on": "graph.publish", "kind": "lost", "times": 1},),
    ),
    "processing": Preset("Processing takes ten minutes", "Containers are long in progress.", {"container_seconds": 600}),
    "full": Preset("No posts left today", "The publishing quota is used up.", {"quota_total": 0}),
    "media": Preset(
        "Media addresses are too old",
        "Each file is refused with 403, as after their expiry.",
        faults=(_always("cdn.image", "expired_token"), _always("cdn.video", "expired_token")),
    ),
    "web": Preset(
        "Downloads are refused",
        "The public pages answer 429; the Graph API goes on.",
        faults=(
            _always("web.graphql", "rate_limit"), _always("web.page", "rate_limit"), _always("web.info", "rate_limit"),
        ),
    ),
}  # fmt: skip


async def apply(pull: Pull) -> None:
    """Begin with calm, then break what the preset says."""
    preset = PRESETS.get(pull.text("preset"))
    if preset is None:
        raise WrongPullError("there is no such preset", 404)
    world = pull.world
    await control.drop_fault(replace(pull, body={}, item=""))
    calm = {name: getattr(world.first_settings, name) for name in MOVED}
    world.settings = world.settings.changed({**calm, **preset.settings})
    for fault in preset.faults:
        await control.add_fault(replace(pull, body=dict(fault), item=""))
    if preset.kills:
        for token in [one for one in world.tokens.values() if _alive(one)]:
            tokens.revoke(world, token, PASSWORD_CHANGED)


def _alive(token: Token) -> bool:
    return token.dead is None and token.kind != "app"


def moved(world: World) -> list[tuple[str, object]]:
    """The switches that stand otherwise than when the simulator was started."""
    now, first = world.settings, world.first_settings
    return [(name, getattr(now, name)) for name in names() if getattr(now, name) != getattr(first, name)]


def names() -> tuple[str, ...]:
    """All switches by name."""
    return tuple(Settings.__dataclass_fields__)
