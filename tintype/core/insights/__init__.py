"""Numbers of posts and of accounts as time series: every sample is kept with its source, and unknown is not zero.

track, notice, discover     what is measured: as it is published, or found on Instagram
collect_due, visit          read what is due, by age, once after any downtime
heard                       a story's last numbers, by webhook
of_media, of_account        what is known of a medium, and of an account day by day
posts, top, best_hours      which did best, and when, with how many say so
export_posts, …             the same as CSV and JSON Lines
"""

from tintype.core.insights.exports import ACCOUNT_COLUMNS, POST_COLUMNS, Format, csv_lines, guarded, json_lines
from tintype.core.insights.hours import BestHours, Cell, best_hours
from tintype.core.insights.insights import Insights
from tintype.core.insights.model import (
    METRICS,
    AccountSeries,
    Collected,
    DayPoint,
    End,
    Formula,
    Known,
    Policy,
    Post,
    PostNumbers,
    Product,
    Rate,
    Sample,
    Source,
    Target,
)
from tintype.core.insights.ranking import RANKABLE, Order
from tintype.core.insights.rates import engagement
from tintype.core.insights.records import InsightRecords
from tintype.core.insights.series import FIRST, LAST, is_day
from tintype.core.insights.work import jobs, schedules

__all__ = [
    "ACCOUNT_COLUMNS",
    "FIRST",
    "LAST",
    "METRICS",
    "POST_COLUMNS",
    "RANKABLE",
    "AccountSeries",
    "BestHours",
    "Cell",
    "Collected",
    "DayPoint",
    "End",
    "Format",
    "Formula",
    "InsightRecords",
    "Insights",
    "Known",
    "Order",
    "Policy",
    "Post",
    "PostNumbers",
    "Product",
    "Rate",
    "Sample",
    "Source",
    "Target",
    "best_hours",
    "csv_lines",
    "engagement",
    "guarded",
    "is_day",
    "jobs",
    "json_lines",
    "schedules",
]
