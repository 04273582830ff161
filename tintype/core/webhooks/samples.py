"""A message of every kind, shaped as the documents show it, for the test button: nothing of it ever happened."""

from collections.abc import Mapping
from datetime import datetime

from tintype.core.webhooks.model import Happening

NUMBER = 100946

_HANDLE = "WAunDTTqQfCNWwUUyf6n"
_ACCOUNT = {"accountId": "00000000-0000-4000-8000-000000000001", "username": "example"}
_POST = {**_ACCOUNT, "postId": 1}


def sample(workspace_id: str, event: str, base: str, now: datetime) -> Happening:
    """Return something of this kind that might have happened here, with addresses of this house."""
    return Happening(workspace_id, None, event, _texts(base)[event], now)


def _texts(base: str) -> Mapping[str, Mapping[str, object]]:
    url = f"{base}/api/file/{_HANDLE}"
    link = {"url": url, "client": "Instagram", "type": "image/jpeg", "filename": "1579337399020824.jpg", "size": 139154}
    copy = {
        "container": "uploads",
        "url": url,
        "filename": "Lemons.jpg",
        "client": "Instagram",
        "key": f"{_HANDLE}_Lemons.jpg",
        "type": "image/jpeg",
        "size": 205354,
    }
    return {
        "fp.upload": link,
        "fp.export": {
            "source": url,
            "client": "Instagram",
            "filename": "Lemons.jpg",
            "created": f"{base}/api/file/s40jJOQDGVr2T86cgOAe",
        },
        "fp.converse": {"url": f"{url}/convert?w=102", "link": _converted()},
        "fp.delete": copy,
        "fp.overwrite": copy,
        "fp.dialog": {"url": f"{base}/dialog/open", "client": "Instagram", "origin": "https://www.example.com"},
        "account.connected": _ACCOUNT,
        "account.expiring": {**_ACCOUNT, "days": 7},
        "account.disconnected": {**_ACCOUNT, "state": "reconnect", "reason": "the permission was taken back"},
        "post.published": {**_POST, "mediaId": "17895695668004550"},
        "post.failed": {**_POST, "reason": "Instagram could not read the picture"},
        "post.unlinked": _POST,
        "feed.synced": _ACCOUNT,
        "queue.success": {"itemId": "550e8400-e29b-41d4-a716-446655440000", "status": "success"},
        "queue.error": {"itemId": "550e8400-e29b-41d4-a716-446655440000", "status": "error"},
        "endpoint.disabled": {
            "endpoint": "00000000-0000-4000-8000-000000000002",
            "url": "https://www.example.com/hook",
            "reason": "it answered 410 Gone",
            "status": 410,
        },
    }


def _converted() -> Mapping[str, object]:
    return {
        "writeable": True,
        "mimetype": "image/jpeg",
        "handle": _HANDLE,
        "url": "filepicker_upload_persist/pHSrbCRqSqeR1wh8USfY_1.jpeg",
        "created_at": "2015-06-29T13:31:02.204Z",
        "provider": "Instagram",
        "app_id": 1,
        "filename": "1.jpeg",
        "mongo_id": None,
        "_metadata": None,
        "access_tokens": [],
        "is_folder": False,
        "persist": False,
        "user_id": None,
        "id": 1,
        "size": "111175",
    }
