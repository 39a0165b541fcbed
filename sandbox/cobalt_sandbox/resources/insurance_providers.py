"""Insurance providers: https://docs.usecobalt.com/api-reference/insurance-providers/get"""

from __future__ import annotations

from typing import Annotated

from pydantic import WithJsonSchema

from cobalt_sandbox.ehr.places import InsuranceProvider
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.fields import PageNumber, TrueFalse, up_to
from cobalt_sandbox.resources.listing import CountedPages, contains, page_of
from cobalt_sandbox.table import Table
from cobalt_sandbox.validation import Query
from cobalt_sandbox.world import Practice

#: ``true`` or ``false``, which in a query is text in any case.
Flag = Annotated[TrueFalse, WithJsonSchema({"type": "boolean"})]


class InsuranceProviderQuery(Query):
    name: str | None = None
    page: PageNumber = 1
    page_size: Annotated[int, up_to(100)] = 100
    active: Flag | None = None


class InsuranceProviderRow(Row):
    id: str
    name: str
    payer_id: str
    active: bool
    created_at: str


class InsuranceProviderList(Reply):
    insurance_providers: list[InsuranceProviderRow]
    pagination: CountedPages


@endpoint("GET /insurance-providers")
def list_(practice: Practice, query: InsuranceProviderQuery) -> InsuranceProviderList:
    """Search Insurance Providers"""
    page, pagination = page_of(_found(practice, query), query.page, query.page_size)
    return InsuranceProviderList.of(insurance_providers=page, pagination=pagination)


def _found(practice: Practice, query: InsuranceProviderQuery) -> Table[InsuranceProvider] | list[InsuranceProvider]:
    """In the order of creation (D24). Names match in part, and most are active, so that no index would help."""
    providers = practice.table(InsuranceProvider)
    if query.name is None and query.active is None:
        return providers
    return [each for each in providers if contains(each.name, query.name) and query.active in (None, each.active)]
