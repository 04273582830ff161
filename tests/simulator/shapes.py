"""Keys and kinds of recorded Graph API bodies: facts about shapes, without the bodies."""

from typing import TypeAlias, cast

Shape: TypeAlias = "str | list[Shape] | dict[str, Shape]"


def shape_of(body: object) -> Shape:
    """The shape of a JSON value: objects by key, lists by one merged item, the rest by kind."""
    if isinstance(body, dict):
        return {key: shape_of(value) for key, value in cast(dict[str, object], body).items()}
    if isinstance(body, list):
        merged: Shape = {}
        for item in cast(list[object], body):
            merged = _merged(merged, shape_of(item))
        return [merged] if body else []
    if isinstance(body, bool):
        return "flag"
    return "number" if isinstance(body, int | float) else "text"


def _merged(one: Shape, other: Shape) -> Shape:
    if isinstance(one, dict) and isinstance(other, dict):
        both = {key: _merged(one[key], other[key]) for key in one.keys() & other.keys()}
        return {key: both.get(key, value) for key, value in {**one, **other}.items()}
    if isinstance(one, list) and isinstance(other, list) and one and other:
        return [_merged(one[0], other[0])]
    return other or one


SHAPES: dict[str, Shape] = {
    "docs/business_discovery.json": {
        "business_discovery": {"followers_count": "number", "media_count": "number", "id": "text"},
        "id": "text",
    },
    "docs/business_discovery_media.json": {
        "business_discovery": {
            "media": {
                "data": [{"comments_count": "number", "like_count": "number", "view_count": "number", "id": "text"}]
            },
            "id": "text",
        },
        "id": "text",
    },
    "docs/comment_create.json": {"id": "text"},
    "docs/comment_get.json": {"hidden": "flag", "media": {"id": "text"}, "timestamp": "text", "id": "text"},
    "docs/comments_list.json": {"data": [{"timestamp": "text", "text": "text", "id": "text"}]},
    "docs/container_create.json": {"id": "text"},
    "docs/container_create_resumable.json": {"id": "text", "uri": "text"},
    "docs/container_status_code_only.json": {"status_code": "text", "id": "text"},
    "docs/content_publishing_limit.json": {
        "data": [{"quota_usage": "number", "config": {"quota_total": "number", "quota_duration": "number"}}]
    },
    "docs/error_image_too_large.json": {
        "error": {
            "message": "text",
            "type": "text",
            "code": "number",
            "error_subcode": "number",
            "is_transient": "flag",
            "error_user_title": "text",
            "error_user_msg": "text",
            "fbtrace_id": "text",
        }
    },
    "docs/error_throttle_32.json": {
        "error": {"message": "text", "type": "text", "code": "number", "fbtrace_id": "text"}
    },
    "docs/error_throttle_80001.json": {
        "error": {"message": "text", "type": "text", "code": "number", "fbtrace_id": "text"}
    },
    "docs/fb_me_accounts_page_tokens.json": {
        "data": [
            {
                "access_token": "text",
                "category": "text",
                "category_list": [{"id": "text", "name": "text"}],
                "name": "text",
                "id": "text",
                "tasks": ["text"],
            }
        ],
        "paging": {"cursors": {"before": "text", "after": "text"}},
    },
    "docs/hashtag_get.json": {"id": "text", "name": "text"},
    "docs/hashtag_search.json": {"data": [{"id": "text"}]},
    "docs/header_x_app_usage.json": {"call_count": "number", "total_time": "number", "total_cputime": "number"},
    "docs/ig_user_get.json": {"biography": "text", "id": "text", "username": "text", "website": "text"},
    "docs/insights_media_navigation.json": {
        "data": [
            {
                "name": "text",
                "period": "text",
                "values": [{"value": "number"}],
                "title": "text",
                "description": "text",
                "total_value": {
                    "value": "number",
                    "breakdowns": [
                        {"dimension_keys": ["text"], "results": [{"dimension_values": ["text"], "value": "number"}]}
                    ],
                },
                "id": "text",
            }
        ]
    },
    "docs/insights_media_profile_activity.json": {
        "data": [
            {
                "name": "text",
                "period": "text",
                "values": [{"value": "number"}],
                "title": "text",
                "description": "text",
                "total_value": {
                    "value": "number",
                    "breakdowns": [
                        {"dimension_keys": ["text"], "results": [{"dimension_values": ["text"], "value": "number"}]}
                    ],
                },
                "id": "text",
            }
        ]
    },
    "docs/insights_user_demographics.json": {
        "data": [
            {
                "name": "text",
                "period": "text",
                "title": "text",
                "description": "text",
                "total_value": {
                    "breakdowns": [
                        {"dimension_keys": ["text"], "results": [{"dimension_values": ["text"], "value": "number"}]}
                    ]
                },
                "id": "text",
            }
        ]
    },
    "docs/insights_user_reach_total_value.json": {
        "data": [
            {
                "name": "text",
                "period": "text",
                "title": "text",
                "description": "text",
                "total_value": {
                    "value": "number",
                    "breakdowns": [
                        {"dimension_keys": ["text"], "results": [{"dimension_values": ["text"], "value": "number"}]}
                    ],
                },
                "id": "text",
            }
        ],
        "paging": {"previous": "text", "next": "text"},
    },
    "docs/me_wrapped.json": {"data": [{"user_id": "text", "username": "text"}]},
    "docs/media_delete_ok.json": {"success": "flag", "deleted_id": "text"},
    "docs/media_get.json": {
        "id": "text",
        "media_type": "text",
        "media_url": "text",
        "owner": {"id": "text"},
        "timestamp": "text",
    },
    "docs/media_list_page.json": {"data": [{"id": "text"}], "paging": {"cursors": {"before": "text", "after": "text"}}},
    "docs/oauth_fb_long_token.json": {"access_token": "text", "token_type": "text", "expires_in": "number"},
    "docs/oauth_ig_error_code_used.json": {"error_type": "text", "code": "number", "error_message": "text"},
    "docs/oauth_ig_long_token.json": {"access_token": "text", "token_type": "text", "expires_in": "number"},
    "docs/oauth_ig_short_token_flat.json": {"access_token": "text", "user_id": "number", "permissions": ["text"]},
    "docs/oauth_ig_short_token_wrapped.json": {
        "data": [{"access_token": "text", "user_id": "text", "permissions": "text"}]
    },
    "docs/rupload_failed.json": {"debug_info": {"retriable": "flag", "type": "text", "message": "text"}},
    "docs/rupload_ok.json": {"success": "flag", "message": "text"},
    "docs/success_true.json": {"success": "flag"},
    "docs/webhook_comments_ig_login_documented.json": {
        "object": "text",
        "entry": [
            {
                "id": "text",
                "time": "number",
                "field": "text",
                "value": {
                    "id": "text",
                    "from": {"id": "text", "username": "text"},
                    "text": "text",
                    "media": {"id": "text", "media_product_type": "text"},
                },
            }
        ],
    },
    "docs/webhook_mentions_comment.json": {
        "entry": [
            {
                "changes": [{"field": "text", "value": {"comment_id": "text", "media_id": "text"}}],
                "id": "text",
                "time": "number",
            }
        ],
        "object": "text",
    },
    "docs/webhook_mentions_media.json": {
        "entry": [{"changes": [{"field": "text", "value": {"media_id": "text"}}], "id": "text", "time": "number"}],
        "object": "text",
    },
    "docs/webhook_message.json": {
        "object": "text",
        "entry": [
            {
                "id": "text",
                "time": "number",
                "messaging": [
                    {
                        "sender": {"id": "text"},
                        "recipient": {"id": "text"},
                        "timestamp": "number",
                        "message": {"mid": "text", "text": "text"},
                    }
                ],
            }
        ],
    },
    "docs/webhook_message_edit.json": {
        "object": "text",
        "entry": [
            {
                "id": "text",
                "time": "number",
                "messaging": [
                    {
                        "sender": {"id": "text"},
                        "recipient": {"id": "text"},
                        "timestamp": "number",
                        "message_edit": {"mid": "text", "text": "text", "num_edit": "text"},
                    }
                ],
            }
        ],
    },
    "docs/webhook_message_reaction.json": {
        "object": "text",
        "entry": [
            {
                "id": "text",
                "time": "number",
                "messaging": [
                    {
                        "sender": {"id": "text"},
                        "recipient": {"id": "text"},
                        "timestamp": "number",
                        "reaction": {"mid": "text", "action": "text", "reaction": "text", "emoji": "text"},
                    }
                ],
            }
        ],
    },
    "issues/comments_empty_but_counted.json": {"data": [], "paging": {"cursors": {"before": "text", "after": "text"}}},
    "issues/container_error_2207082.json": {"status_code": "text", "status": "text", "id": "text"},
    "issues/container_finished.json": {"status_code": "text", "status": "text", "id": "text"},
    "issues/error_100_collaborators_on_child.json": {
        "error": {"message": "text", "type": "text", "code": "number", "fbtrace_id": "text"}
    },
    "issues/error_100_impressions_v22.json": {
        "error": {"message": "text", "type": "text", "code": "number", "fbtrace_id": "text"}
    },
    "issues/error_100_nonexisting_field.json": {
        "error": {"message": "text", "type": "text", "code": "number", "fbtrace_id": "text"}
    },
    "issues/error_100_views_unsupported_media.json": {
        "error": {"message": "text", "type": "text", "code": "number", "fbtrace_id": "text"}
    },
    "issues/error_12_wrong_node.json": {
        "error": {"message": "text", "type": "text", "code": "number", "fbtrace_id": "text"}
    },
    "issues/error_190_expired.json": {
        "error": {"message": "text", "type": "text", "code": "number", "error_subcode": "number", "fbtrace_id": "text"}
    },
    "issues/error_200_permissions.json": {
        "error": {"message": "text", "type": "text", "code": "number", "fbtrace_id": "text"}
    },
    "issues/error_2207089_carousel_item_standalone.json": {
        "error": {
            "message": "text",
            "type": "text",
            "code": "number",
            "error_subcode": "number",
            "is_transient": "flag",
            "error_user_title": "text",
            "error_user_msg": "text",
            "fbtrace_id": "text",
        }
    },
    "issues/error_4_2207051_spam.json": {
        "error": {
            "message": "text",
            "type": "text",
            "code": "number",
            "error_subcode": "number",
            "is_transient": "flag",
            "error_user_title": "text",
            "error_user_msg": "text",
            "fbtrace_id": "text",
        }
    },
    "issues/error_803_alias.json": {
        "error": {"message": "text", "type": "text", "code": "number", "fbtrace_id": "text"}
    },
    "issues/error_9004_fetch_failed.json": {
        "error": {
            "message": "text",
            "type": "text",
            "code": "number",
            "error_subcode": "number",
            "is_transient": "flag",
            "error_user_title": "text",
            "error_user_msg": "text",
            "fbtrace_id": "text",
        }
    },
    "issues/error_9007_not_ready.json": {
        "error": {
            "message": "text",
            "type": "text",
            "code": "number",
            "error_subcode": "number",
            "is_transient": "flag",
            "error_user_title": "text",
            "error_user_msg": "text",
            "fbtrace_id": "text",
        }
    },
    "issues/error_fb_code_used.json": {
        "error": {"message": "text", "type": "text", "code": "number", "error_subcode": "number", "fbtrace_id": "text"}
    },
    "issues/error_fb_unsupported_get.json": {
        "error": {"message": "text", "type": "text", "code": "number", "error_subcode": "number", "fbtrace_id": "text"}
    },
    "issues/error_ig_invalid_platform_app.json": {"error_type": "text", "code": "number", "error_message": "text"},
    "issues/error_ig_unsupported_get.json": {
        "error": {"message": "text", "type": "text", "code": "number", "error_subcode": "number", "fbtrace_id": "text"}
    },
    "issues/me_accounts_with_ig.json": {
        "data": [{"instagram_business_account": {"id": "text"}, "name": "text", "category": "text", "id": "text"}],
        "paging": {"cursors": {"before": "text", "after": "text"}},
    },
    "issues/webhook_comments_test_2018.json": {
        "entry": [
            {"changes": [{"field": "text", "value": {"text": "text", "id": "text"}}], "id": "text", "time": "number"}
        ],
        "object": "text",
    },
    "issues/webhook_live_comments_v26_test.json": {
        "field": "text",
        "value": {
            "from": {"id": "text", "username": "text", "self_ig_scoped_id": "text"},
            "media": {"id": "text", "media_product_type": "text"},
            "id": "text",
            "text": "text",
        },
    },
    "issues/webhook_story_insights.json": {
        "entry": [
            {
                "changes": [
                    {
                        "field": "text",
                        "value": {
                            "media_id": "text",
                            "exits": "number",
                            "replies": "number",
                            "reach": "number",
                            "taps_forward": "number",
                            "taps_back": "number",
                            "impressions": "number",
                        },
                    }
                ],
                "id": "text",
                "time": "number",
            }
        ],
        "object": "text",
    },
    "postman/comments_with_from.json": {
        "data": [{"from": {"id": "text", "username": "text"}, "text": "text", "id": "text"}],
        "paging": {"cursors": {"before": "text", "after": "text"}},
    },
    "postman/container_status.json": {"status_code": "text", "status": "text", "id": "text"},
    "postman/me_accounts.json": {
        "data": [
            {
                "name": "text",
                "access_token": "text",
                "instagram_business_account": {"id": "text"},
                "id": "text",
                "tasks": ["text"],
            }
        ]
    },
    "postman/media_insights.json": {
        "data": [
            {
                "name": "text",
                "period": "text",
                "values": [{"value": "number"}],
                "title": "text",
                "description": "text",
                "id": "text",
            }
        ]
    },
    "postman/media_publish.json": {"id": "text"},
    "postman/reel_container.json": {"id": "text"},
    "postman/reply.json": {"id": "text"},
    "postman/user_insights_reach_day.json": {
        "data": [
            {
                "name": "text",
                "period": "text",
                "values": [{"value": "number", "end_time": "text"}],
                "title": "text",
                "description": "text",
                "id": "text",
            }
        ]
    },
    "pyfacebook/testdata/base/long_term_token.json": {
        "access_token": "text",
        "token_type": "text",
        "expires_in": "number",
    },
    "pyfacebook/testdata/base/token_info.json": {
        "data": {
            "app_id": "text",
            "type": "text",
            "application": "text",
            "data_access_expires_at": "number",
            "expires_at": "number",
            "is_valid": "flag",
            "scopes": ["text"],
            "granular_scopes": [{"scope": "text"}],
            "user_id": "text",
        }
    },
    "pyfacebook/testdata/base/user_accounts_token.json": {
        "data": [
            {
                "access_token": "text",
                "category": "text",
                "category_list": [{"id": "text", "name": "text"}],
                "name": "text",
                "id": "text",
                "tasks": ["text"],
            }
        ],
        "paging": {"cursors": {"before": "text", "after": "text"}},
    },
    "pyfacebook/testdata/instagram/apidata/comments/comment_fields.json": {
        "id": "text",
        "like_count": "number",
        "text": "text",
        "timestamp": "text",
        "username": "text",
    },
    "pyfacebook/testdata/instagram/apidata/comments/comments_fields.json": {
        "17892250648466172": {
            "id": "text",
            "like_count": "number",
            "text": "text",
            "timestamp": "text",
            "username": "text",
        },
        "17858154961981086": {
            "id": "text",
            "like_count": "number",
            "text": "text",
            "timestamp": "text",
            "username": "text",
        },
    },
    "pyfacebook/testdata/instagram/apidata/comments/replies.json": {
        "data": [{"timestamp": "text", "text": "text", "id": "text"}]
    },
    "pyfacebook/testdata/instagram/apidata/discovery/medias_p1.json": {
        "business_discovery": {
            "media": {
                "data": [
                    {
                        "id": "text",
                        "caption": "text",
                        "comments_count": "number",
                        "like_count": "number",
                        "media_type": "text",
                        "media_url": "text",
                        "permalink": "text",
                        "timestamp": "text",
                    }
                ],
                "paging": {"cursors": {"after": "text"}},
            },
            "id": "text",
        },
        "id": "text",
    },
    "pyfacebook/testdata/instagram/apidata/discovery/medias_p2.json": {
        "business_discovery": {
            "media": {
                "data": [
                    {
                        "id": "text",
                        "caption": "text",
                        "comments_count": "number",
                        "like_count": "number",
                        "media_type": "text",
                        "media_url": "text",
                        "permalink": "text",
                        "timestamp": "text",
                    }
                ],
                "paging": {"cursors": {"before": "text", "after": "text"}},
            },
            "id": "text",
        },
        "id": "text",
    },
    "pyfacebook/testdata/instagram/apidata/discovery/user_fields.json": {
        "business_discovery": {
            "id": "text",
            "biography": "text",
            "name": "text",
            "username": "text",
            "profile_picture_url": "text",
            "followers_count": "number",
            "media_count": "number",
        },
        "id": "text",
    },
    "pyfacebook/testdata/instagram/apidata/hashtags/hashtag_info.json": {"id": "text", "name": "text"},
    "pyfacebook/testdata/instagram/apidata/hashtags/hashtag_recent_medias_p1.json": {
        "data": [{"id": "text", "media_type": "text", "comments_count": "number", "like_count": "number"}],
        "paging": {"cursors": {"after": "text"}, "next": "text"},
    },
    "pyfacebook/testdata/instagram/apidata/hashtags/hashtag_top_medias_p1.json": {
        "data": [
            {
                "caption": "text",
                "comments_count": "number",
                "id": "text",
                "like_count": "number",
                "media_type": "text",
                "media_url": "text",
                "permalink": "text",
                "children": {"data": [{"id": "text", "media_type": "text", "media_url": "text", "permalink": "text"}]},
            }
        ],
        "paging": {"cursors": {"after": "text"}, "next": "text"},
    },
    "pyfacebook/testdata/instagram/apidata/medias/children.json": {
        "data": [
            {
                "id": "text",
                "media_type": "text",
                "media_url": "text",
                "permalink": "text",
                "shortcode": "text",
                "timestamp": "text",
            }
        ]
    },
    "pyfacebook/testdata/instagram/apidata/medias/comments_p2.json": {
        "data": [{"timestamp": "text", "text": "text", "id": "text"}]
    },
    "pyfacebook/testdata/instagram/apidata/medias/insights_new.json": {
        "data": [
            {
                "name": "text",
                "period": "text",
                "values": [{"value": "number"}],
                "title": "text",
                "description": "text",
                "total_value": {
                    "value": "number",
                    "breakdowns": [
                        {"dimension_keys": ["text"], "results": [{"dimension_values": ["text"], "value": "number"}]}
                    ],
                },
                "id": "text",
            }
        ]
    },
    "pyfacebook/testdata/instagram/apidata/medias/media_default.json": {
        "id": "text",
        "caption": "text",
        "comments_count": "number",
        "children": {
            "data": [
                {
                    "id": "text",
                    "media_type": "text",
                    "media_url": "text",
                    "permalink": "text",
                    "shortcode": "text",
                    "timestamp": "text",
                    "thumbnail_url": "text",
                }
            ]
        },
        "like_count": "number",
        "media_type": "text",
        "media_url": "text",
        "permalink": "text",
        "timestamp": "text",
    },
    "pyfacebook/testdata/instagram/apidata/medias/medias_fields.json": {
        "17893085207160254": {
            "id": "text",
            "caption": "text",
            "comments_count": "number",
            "like_count": "number",
            "media_type": "text",
            "media_url": "text",
            "permalink": "text",
            "timestamp": "text",
        },
        "17896129349106152": {
            "id": "text",
            "caption": "text",
            "comments_count": "number",
            "children": {
                "data": [
                    {
                        "id": "text",
                        "media_type": "text",
                        "media_url": "text",
                        "permalink": "text",
                        "shortcode": "text",
                        "timestamp": "text",
                        "thumbnail_url": "text",
                    }
                ]
            },
            "like_count": "number",
            "media_type": "text",
            "media_url": "text",
            "permalink": "text",
            "timestamp": "text",
        },
    },
    "pyfacebook/testdata/instagram/apidata/publish/container_info.json": {
        "id": "text",
        "status": "text",
        "status_code": "text",
    },
    "pyfacebook/testdata/instagram/apidata/publish/containers_info.json": {
        "17883019676403955": {"id": "text", "status": "text", "status_code": "text"},
        "17966279578433554": {"id": "text", "status": "text", "status_code": "text"},
    },
    "pyfacebook/testdata/instagram/apidata/publish/publish_limit_resp.json": {
        "data": [{"quota_usage": "number", "config": {"quota_total": "number", "quota_duration": "number"}}]
    },
    "pyfacebook/testdata/instagram/apidata/stories/stories_fields_p1.json": {
        "data": [{"id": "text", "media_type": "text", "media_url": "text", "username": "text"}],
        "paging": {"cursors": {"before": "text", "after": "text"}, "next": "text"},
    },
    "pyfacebook/testdata/instagram/apidata/stories/story_info.json": {
        "caption": "text",
        "id": "text",
        "media_type": "text",
        "media_url": "text",
        "owner": {"id": "text"},
        "permalink": "text",
        "shortcode": "text",
        "timestamp": "text",
        "username": "text",
        "ig_id": "text",
    },
    "pyfacebook/testdata/instagram/apidata/users/content_publish_limit.json": {
        "data": [{"config": {"quota_total": "number", "quota_duration": "number"}, "quota_usage": "number"}]
    },
    "pyfacebook/testdata/instagram/apidata/users/medias_p1.json": {
        "data": [
            {
                "id": "text",
                "comments_count": "number",
                "like_count": "number",
                "media_type": "text",
                "media_url": "text",
                "permalink": "text",
                "timestamp": "text",
            }
        ],
        "paging": {"cursors": {"before": "text", "after": "text"}, "next": "text"},
    },
    "pyfacebook/testdata/instagram/apidata/users/medias_p2.json": {
        "data": [
            {
                "id": "text",
                "caption": "text",
                "comments_count": "number",
                "children": {
                    "data": [
                        {
                            "id": "text",
                            "media_type": "text",
                            "media_url": "text",
                            "permalink": "text",
                            "shortcode": "text",
                            "timestamp": "text",
                            "thumbnail_url": "text",
                        }
                    ]
                },
                "like_count": "number",
                "media_type": "text",
                "media_url": "text",
                "permalink": "text",
                "timestamp": "text",
            }
        ],
        "paging": {"cursors": {"before": "text", "after": "text"}, "previous": "text"},
    },
    "pyfacebook/testdata/instagram/apidata/users/mentioned_comment.json": {
        "mentioned_comment": {
            "id": "text",
            "like_count": "number",
            "text": "text",
            "timestamp": "text",
            "username": "text",
        },
        "id": "text",
    },
    "pyfacebook/testdata/instagram/apidata/users/mentioned_media.json": {
        "mentioned_media": {
            "caption": "text",
            "comments_count": "number",
            "id": "text",
            "like_count": "number",
            "media_type": "text",
            "media_url": "text",
            "timestamp": "text",
        },
        "id": "text",
    },
    "pyfacebook/testdata/instagram/apidata/users/recently_searched_hashtags.json": {
        "data": [{"id": "text", "name": "text"}],
        "paging": {"cursors": {"before": "text", "after": "text"}},
    },
    "pyfacebook/testdata/instagram/apidata/users/stories.json": {
        "data": [
            {
                "id": "text",
                "comments_count": "number",
                "like_count": "number",
                "media_type": "text",
                "media_url": "text",
                "permalink": "text",
                "timestamp": "text",
            }
        ],
        "paging": {"cursors": {"before": "text", "after": "text"}},
    },
    "pyfacebook/testdata/instagram/apidata/users/tagged_medias.json": {
        "data": [
            {
                "id": "text",
                "caption": "text",
                "comments_count": "number",
                "like_count": "number",
                "media_type": "text",
                "media_url": "text",
                "permalink": "text",
                "timestamp": "text",
            }
        ]
    },
    "pyfacebook/testdata/instagram/apidata/users/user_fields.json": {
        "id": "text",
        "biography": "text",
        "name": "text",
        "username": "text",
        "profile_picture_url": "text",
        "followers_count": "number",
        "media_count": "number",
    },
    "pyfacebook/testdata/instagram/apidata/users/user_insights_new.json": {
        "data": [
            {
                "name": "text",
                "period": "text",
                "title": "text",
                "description": "text",
                "total_value": {
                    "value": "number",
                    "breakdowns": [
                        {"dimension_keys": ["text"], "results": [{"dimension_values": ["text"], "value": "number"}]}
                    ],
                },
                "id": "text",
            }
        ],
        "paging": {"previous": "text", "next": "text"},
    },
    "pyfacebook-history/headers-4e55b50.json": {
        "Vary": "text",
        "ETag": "text",
        "x-business-use-case-usage": "text",
        "Content-Type": "text",
        "facebook-api-version": "text",
        "Strict-Transport-Security": "text",
        "Pragma": "text",
        "x-fb-rev": "text",
        "Access-Control-Allow-Origin": "text",
        "Cache-Control": "text",
        "x-fb-trace-id": "text",
        "x-fb-request-id": "text",
        "Expires": "text",
        "X-FB-Debug": "text",
        "Date": "text",
        "Connection": "text",
        "Content-Length": "text",
    },
}
