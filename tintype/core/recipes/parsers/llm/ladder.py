"""What to ask next when a model server did not do as it was told: one pure function over what has come so far.

    json_schema → json_object → no format       when the form is refused, or the answer stays unreadable
    three times the tokens, up to the most      when the answer was cut off
    "return only JSON", once a rung             when the answer cannot be read

The caller stops at the budget of calls and seconds.
"""

from dataclasses import replace

from tintype.core.recipes.parsers.llm.client import Failed, Failure, Form, Outcome, Said, Turn

FORMS = (Form.SCHEMA, Form.OBJECT, Form.FREE)
MORE = 3  # times the tokens after an answer that was cut off


def following(turn: Turn, outcome: Outcome, most_tokens: int) -> Turn | None:
    """Return the call to make after one that brought no readable answer, or None when there is nothing left to try."""
    match outcome:
        case Failed(failure=Failure.FORM):
            return _lower(turn)
        case Failed(failure=Failure.WORDS):
            return replace(turn, newer=True)
        case Failed():
            return None
        case Said(cut=True) if turn.max_tokens < most_tokens:
            return replace(turn, max_tokens=min(MORE * turn.max_tokens, most_tokens), unreadable=None)
        case Said() if turn.unreadable is None and outcome.text.strip():
            return replace(turn, unreadable=outcome.text)
        case Said():
            return _lower(turn)


def _lower(turn: Turn) -> Turn | None:
    below = FORMS[FORMS.index(turn.form) + 1 :]
    return replace(turn, form=below[0], unreadable=None) if below else None
