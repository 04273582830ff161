"""Bodies that real servers sent, read where they lie beside the checkout; literal bodies elsewhere cover the same rules."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from tintype.instagram import Login, media_from, model

GRAPH = Path(os.environ.get("TINTYPE_SHARED", Path(__file__).parents[2] / "../shared")) / "data/graph"
USERS = "pyfacebook/testdata/instagram/apidata/users"

Read = Callable[[object], object]


def _listed(read: Read) -> Read:
    return lambda value: [read(item) for item in model.page_from(value, lambda item: item).items]


def _ids(value: object) -> object:
    return [(media.id, media.kind.value) for media in model.page_from(value, media_from).items]


RECORDED: dict[str, tuple[Read, object]] = {
    f"{USERS}/medias_p1.json": (_ids, [("17895731045244887", "IMAGE"), ("17896622936197745", "IMAGE")]),
    f"{USERS}/stories.json": (
        lambda value: [media.media_url is not None for media in model.page_from(value, media_from).items],
        [True] * 2,
    ),
    "pyfacebook/testdata/instagram/apidata/medias/children.json": (
        _listed(lambda item: media_from(item).shortcode),
        ["CSwAtwOBwh-", "CSwAtwPB1po"],
    ),
    f"{USERS}/user_insights_new.json": (
        lambda value: [(m.name, m.total, len(m.slices)) for m in model.insights_from(value).metrics],
        [("reach", 14516883, 14)],
    ),
    "postman/media_insights.json": (
        lambda value: all(metric.total is not None for metric in model.insights_from(value).metrics),
        True,
    ),
    "issues/me_accounts_with_ig.json": (
        lambda value: [page.instagram_user_id for page in model.page_from(value, model.facebook_page_from).items],
        ["17841401382855558", None],
    ),
    "docs/me_wrapped.json": (lambda value: model.profile_from(value, Login.INSTAGRAM_LOGIN).user_id, "<IG_ID>"),
    "docs/content_publishing_limit.json": (
        lambda value: model.quota_from(value),
        model.PublishingQuota(2, 50, 86400),
    ),
    "issues/container_error_2207082.json": (
        lambda value: model.container_from(value).state,
        model.ContainerState.ERROR,
    ),
    "docs/container_create_resumable.json": (
        lambda value: model.container_from(value).upload_url is not None,
        True,
    ),
}


@pytest.mark.parametrize("path", RECORDED)
def test_a_recorded_body_is_read(path: str):
    read, expected = RECORDED[path]
    file = GRAPH / path
    if file.exists():
        assert read(cast("object", json.loads(file.read_bytes()))) == expected
    else:
        assert not GRAPH.exists()
