"""The page on which a person lets an app in: plain HTML that works without scripts."""

from html import escape

from tintype.simulator import cdn, people
from tintype.simulator.arrival import Arrival
from tintype.simulator.model import App, Person

FORWARDED = ("client_id", "redirect_uri", "response_type", "scope", "state", "config_id")
WORDS = {
    "basic": "See your profile and posts",
    "publish": "Publish posts for you",
    "comments": "Read and answer comments",
    "insights": "See the numbers of your posts",
    "messages": "Read and answer messages",
    "pages": "See the Pages you manage",
}

STYLE = """
:root{color-scheme:light dark;--ink:#16181d;--soft:#6b7280;--line:#e2e5ea;--card:#fff;--back:#f4f5f7;--go:#0a66d8}
@media(prefers-color-scheme:dark){:root{--ink:#eceef1;--soft:#9aa3af;--line:#2c3038;--card:#181b20;--back:#0f1114}}
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;
background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{width:100%;max-width:26rem;background:var(--card);border:1px solid var(--line);border-radius:16px;padding:1.75rem}
h1{font-size:1.2rem;margin:0 0 .25rem}p{margin:0 0 1rem;color:var(--soft);font-size:.92rem}
fieldset{border:0;padding:0;margin:0 0 1.25rem}legend{font-weight:600;font-size:.9rem;padding:0;margin-bottom:.5rem}
label{display:flex;gap:.75rem;align-items:center;padding:.5rem .6rem;border:1px solid var(--line);border-radius:10px;
margin-bottom:.4rem;cursor:pointer}label:has(:checked){border-color:var(--go)}
label img{width:40px;height:40px;border-radius:50%;object-fit:cover;background:var(--line)}
label small{display:block;color:var(--soft)}label.plain{border:0;padding:.2rem .1rem;margin:0;font-size:.92rem}
.row{display:flex;flex-direction:row-reverse;gap:.75rem}button{flex:1;padding:.7rem;border-radius:10px;border:1px solid var(--line);font:inherit;
font-weight:600;background:transparent;color:inherit;cursor:pointer}button.go{background:var(--go);border-color:var(--go);
color:#fff}button:focus-visible,input:focus-visible{outline:3px solid var(--go);outline-offset:2px}
footer{margin-top:1rem;color:var(--soft);font-size:.8rem;text-align:center}
"""


def page(arrival: Arrival, app: App, scopes: tuple[str, ...]) -> str:
    """The whole page for this app and these scopes; Facebook's dialog offers only people who manage a Page."""
    world = arrival.world
    choice = [one for one in world.people.values() if app.login == "instagram" or one.facebook_id]
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(arrival.params[name])}">'
        for name in FORWARDED
        if name in arrival.params
    )
    brand = "Instagram" if app.login == "instagram" else "Facebook"
    rows = "".join(_person(arrival, person, first=place == 0) for place, person in enumerate(choice))
    asks = "".join(_scope(scope) for scope in scopes)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">
<title>Allow {escape(app.name)}? · {brand} (pretend)</title><style>{STYLE}</style></head>
<body><main><h1>{escape(app.name)} wants to connect</h1>
<p>This is a pretend {brand}. Choose who you are today.</p>
<form method="post">{hidden}
<fieldset><legend>Account</legend>{rows}</fieldset>
<fieldset><legend>It may</legend><input type="hidden" name="choosing" value="1">{asks}</fieldset>
<div class="row"><button class="go" name="decision" value="allow">Allow</button>
<button name="decision" value="cancel">Cancel</button></div></form>
<footer>Nothing here leaves your machine.</footer></main></body></html>"""


def _person(arrival: Arrival, person: Person, *, first: bool) -> str:
    world = arrival.world
    key = people.profile_key(person)
    picture = cdn.url(
        arrival.origin, key, now=world.now(), lifetime=world.cdn_lifetime("image"), secret=world.cdn_secret
    )
    posts = len(world.posts(person.username))
    about = f"{person.account_type.replace('_', ' ').lower()} account, {posts} posts"
    checked = " checked" if first else ""
    return (
        f'<label><input type="radio" name="username" value="{escape(person.username)}"{checked}>'
        f'<img src="{escape(picture)}" alt=""><span>{escape(person.username)}<small>{about}</small></span></label>'
    )


def _scope(scope: str) -> str:
    words = next((text for part, text in WORDS.items() if part in scope), "")
    label = f"{escape(words)} <small>{escape(scope)}</small>" if words else escape(scope)
    return (
        f'<label class="plain"><input type="checkbox" name="granted" value="{escape(scope)}" checked>'
        f"<span>{label}</span></label>"
    )
