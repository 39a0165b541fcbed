"""Tables: found by index, listed in order, copied without cost to the original."""

from __future__ import annotations

import pytest

from cobalt_sandbox.table import Orders, Record, Table


class Person(Record, table="people", index=("city", "born"), listed_by=("last_name", "first_name")):
    id: str
    first_name: str | None
    last_name: str
    city: str | None = None
    born: int | None = None


class Note(Record, table="notes"):
    id: str
    text: str = ""


ADA = Person(id="a1", first_name="Ada", last_name="Lovelace", city="London", born=1815)
ALAN = Person(id="a2", first_name="Alan", last_name="turing", city="London", born=1912)
GRACE = Person(id="a3", first_name="Grace", last_name="Hopper", city="New York")


@pytest.fixture
def people() -> Table[Person]:
    return Table.of(Person, [ALAN, ADA, GRACE])


def names(table: Table[Person]) -> list[str | None]:
    return [person.first_name for person in table]


def test_rows_are_listed_by_their_fields_whatever_their_case(people: Table[Person]) -> None:
    assert names(people) == ["Grace", "Ada", "Alan"]
    people.add(Person(id="a4", first_name=None, last_name="LOVELACE"))
    assert names(people) == ["Grace", None, "Ada", "Alan"]


def test_rows_without_an_order_of_their_own_are_listed_as_they_came() -> None:
    notes = Table.of(Note, [Note(id="z"), Note(id="b")])
    notes.add(Note(id="a"))
    notes.replace(notes.the("z"), text="changed")
    assert [(note.id, note.text) for note in notes] == [("z", "changed"), ("b", ""), ("a", "")]


def test_a_part_of_the_list_is_cut_out(people: Table[Person]) -> None:
    assert people[1:3] == [ADA, ALAN]
    assert people[7:] == []
    assert len(people) == 3


def test_a_row_is_found_by_id_with_dashes_and_without() -> None:
    bare, dashed = "5" * 32, "99999999-9999-9999-9999-999999999999"
    notes = Table.of(Note, [Note(id=bare), Note(id=dashed)])
    assert notes.get("55555555-5555-5555-5555-555555555555") is notes.the(bare)
    assert notes.get(dashed) is notes.the(dashed)
    assert notes.get("9" * 32) is None
    with pytest.raises(KeyError):
        notes.the("5")


def test_rows_are_found_by_index_oldest_first(people: Table[Person]) -> None:
    assert people.find("city", "London") == [ALAN, ADA]
    assert people.first("city", "London") is ALAN
    assert people.find("city", "Paris") == []
    assert people.first("city", "Paris") is None


def test_nothing_is_found_by_an_empty_field(people: Table[Person]) -> None:
    assert people.find("born", None) == []
    assert people.first("born", None) is None


def test_a_changed_row_moves_to_where_it_belongs(people: Table[Person]) -> None:
    married = people.replace(GRACE, last_name="Zuse", city="London", born=1906)
    assert names(people) == ["Ada", "Alan", "Grace"]
    assert people.find("city", "London") == [ALAN, ADA, married]
    assert people.find("city", "New York") == []
    assert people.first("born", 1906) is married
    people.replace(married, born=None, city="Paris")
    assert people.find("born", 1906) == []
    assert people.find("city", "London") == [ALAN, ADA]


def test_rows_that_sort_alike_are_told_apart(people: Table[Person]) -> None:
    twins = [people.add(Person(id=id, first_name="Ada", last_name="Lovelace")) for id in ("t1", "t2")]
    people.replace(twins[0], first_name="Zoe")
    assert [person.id for person in people] == ["a3", "a1", "t2", "t1", "a2"]


def test_two_rows_cannot_have_the_same_id(people: Table[Person]) -> None:
    with pytest.raises(ValueError, match="people: two rows have the id 'a1'"):
        people.add(ADA)
    with pytest.raises(ValueError, match="people: two rows have the id 'a1'"):
        Table.of(Person, [ADA, ADA])
    assert len(people) == 3


def test_a_copy_and_its_original_do_not_see_each_others_changes(people: Table[Person]) -> None:
    twin = people.copy()
    twin.replace(ADA, last_name="Byron", city="Paris")
    twin.add(Person(id="a9", first_name="Konrad", last_name="Zuse", city="London"))
    people.replace(GRACE, city="Boston")
    assert (names(people), len(people)) == (["Grace", "Ada", "Alan"], 3)
    assert (names(twin), len(twin)) == (["Ada", "Grace", "Alan", "Konrad"], 4)
    assert people.find("city", "London") == [ALAN, ADA]
    assert twin.find("city", "New York") == [GRACE]


def test_copies_of_one_table_have_indexes_of_their_own(people: Table[Person]) -> None:
    """Of values that one row has, and of those that many have."""
    one, other = people.copy(), people.copy()
    one.replace(ADA, city="New York", born=1816)
    one.add(Person(id="a9", first_name="Konrad", last_name="Zuse", city="Berlin"))
    for untouched in (people, other):
        assert untouched.find("city", "London") == [ALAN, ADA]
        assert untouched.find("city", "New York") == [GRACE]
        assert untouched.find("city", "Berlin") == []
        assert untouched.first("born", 1815) is ADA
    assert [each.id for each in one.find("city", "New York")] == ["a3", "a1"]


# Written down and read back --------------------------------------------------------------------------------------


def arranged(table: Table[Person]) -> list[object]:
    """All that it says of itself."""
    values = {field: {getattr(row, field) for row in table} for field in Person.index}
    found = {field: {value: table.find(field, value) for value in each} for field, each in values.items()}
    return [list(table), table.rows(), found]


def test_a_table_is_as_another_by_its_rows_and_orders(people: Table[Person]) -> None:
    people.replace(GRACE, city="London", last_name="Lovelace", first_name="Ada")
    people.replace(ALAN, city="New York", born=1815)
    people.replace(people.the("a2"), city="London", last_name="Lovelace", first_name="Ada")
    people.replace(people.the("a1"), city=None)
    again = Table.of(Person, people.rows())
    assert arranged(again) != arranged(people)
    again.arrange(people.orders())
    assert arranged(again) == arranged(people)
    assert again.orders() == people.orders()
    assert people.orders() == Orders(["a3", "a2", "a1"], {"city": [["a3", "a2"]], "born": [["a1", "a2"]]})


def test_where_nothing_was_replaced_the_rows_say_it_all(people: Table[Person]) -> None:
    people.add(Person(id="a4", first_name="Ada", last_name="Lovelace", city="London"))
    assert not any(people.orders())
    again = Table.of(Person, people.rows())
    again.arrange(Orders())
    assert arranged(again) == arranged(people)


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        (Orders(listed=["a1"]), "an order does not have the rows that it is of"),
        (Orders(found={"city": [["a9"]]}), "an order by 'city' is of no rows"),
        (Orders(found={"city": [[]]}), "an order by 'city' is of no rows"),
        (Orders(found={"name": [["a1"]]}), "an order by 'name' is of no rows"),
        (Orders(found={"city": [["a1", "a3"]]}), "an order does not have the rows that it is of"),
    ],
)
def test_the_orders_of_another_table_are_refused(people: Table[Person], orders: Orders, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        people.arrange(orders)


def test_a_copy_is_untouched_until_it_is_written_to(people: Table[Person]) -> None:
    copy = people.copy()
    assert (people.is_untouched, copy.is_untouched) == (False, True)
    copy.replace(ADA, city="Paris")
    assert not copy.is_untouched
